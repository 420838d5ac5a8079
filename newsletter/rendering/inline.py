"""CSS into style attributes: premailer, with the options and guards that make it exact.

premailer's defaults strip the phone and dark rules of their force, rewrite the
pictures' sizes and fetch foreign style sheets, so nothing calls it but this.
"""

import importlib
import logging
import os
import re
import warnings

from newsletter.errors import RenderError
from newsletter.rendering.model import ReaderSlot

DOCTYPE = "<!DOCTYPE html>"

# premailer keeps so many parsed rules, selectors and styles together, by default 128. A mail of
# ours has 170, and all languages' 220: each pushed out the next one that was needed, and a mail
# took 100 ms instead of 45 (measured). A style sheet that is kept takes 0.8 MB.
_KEPT = ("PREMAILER_CACHE_MAXSIZE", "400")
# premailer would derive these from the CSS and overwrite what the template says.
_ATTRIBUTES_OF_THE_TEMPLATE = ["width", "height", "align", "valign", "bgcolor"]

_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_HTML5 = re.compile(r"\A\s*<!doctype\s+html\s*>", re.IGNORECASE)
_STYLE_LINK = re.compile(r"<link\b[^>]*stylesheet", re.IGNORECASE)
# Of a serialised document: comments, which are left alone, and tags that begin an element.
_ATTRIBUTE = r"""\s+[^\s"'=<>/]+(?:="[^"]*"|='[^']*')?"""
_COMMENT_OR_TAG = re.compile(rf"<!--.*?-->|<[a-zA-Z][\w:-]*(?:{_ATTRIBUTE})*\s*/?>", re.DOTALL)
_VALUE = re.compile(r"""="[^"]*"|='[^']*'""")
_CONDITIONS = ("<!--[if mso]>", "<!--[if !mso]><!-->", "<!--<![endif]-->", "<![endif]-->")


def inline_css(html: str, *, name: str) -> str:
    """The document with the rules of its plain ``<style>`` elements moved into its tags.

    ``<style data-premailer="ignore">`` stays as it is: media, dark and client
    rules belong there. Call it once a document: it is not idempotent.
    ``name`` (of the template) is what a RenderError talks of.
    """
    _refuse_foreign_css(html, name)
    # premailer drops it in small letters, and mail programs fall back to the rules of the nineties.
    html = _HTML5.sub(DOCTYPE, html, count=1)
    # It brings requests and cssutils along, 0.2 s of every start, and a worker or a page
    # server needs none of them until it writes a notice.
    os.environ.setdefault(*_KEPT)
    premailer = importlib.import_module("premailer")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            result: str = premailer.Premailer(
                html,
                strip_important=False,
                disable_validation=True,
                align_floating_images=False,
                disable_basic_attributes=_ATTRIBUTES_OF_THE_TEMPLATE,
                allow_network=False,
                remove_classes=False,
                cssutils_logging_level=logging.CRITICAL,
            ).transform(pretty_print=False)
    # A foreign parser of templates that may be the paper's own: see its traps P7 and P11.
    except Exception as error:
        raise RenderError(
            f"{name}: its CSS could not be inlined ({error}); keep to plain class, tag and "
            'descendant selectors outside <style data-premailer="ignore">',
            subject=name,
        ) from error
    result = _COMMENT_OR_TAG.sub(_escape_values, result)
    _compare(html, result, name)
    return result


def _escape_values(match: re.Match[str]) -> str:
    """A tag in whose attributes no < and > stand.

    libxml2 takes what looks like a comment in an attribute for a server-side
    include and leaves it bare; Outlook, which looks for its conditions, and we,
    who look for the reader's part, would find it in a picture's description.
    """
    if match[0].startswith("<!--"):
        return match[0]
    return _VALUE.sub(lambda v: v[0].replace("<", "&lt;").replace(">", "&gt;"), match[0])


def _refuse_foreign_css(html: str, name: str) -> None:
    # cssutils fetches an @import even where premailer is told to stay off the network.
    if _STYLE_LINK.search(html) or any("@import" in css.lower() for css in _STYLE.findall(html)):
        raise RenderError(
            f"{name}: style sheets from elsewhere do not work in mail; write the rules into "
            "a <style> element instead of <link> or @import",
            subject=name,
        )


def _compare(before: str, after: str, name: str) -> None:
    for mark in (*_CONDITIONS, *ReaderSlot):
        if before.count(mark) != after.count(mark):
            raise RenderError(
                f"{name}: inlining its CSS changed how often {mark} occurs "
                f"({before.count(mark)} before, {after.count(mark)} after); look for "
                "unclosed quotes and tags near it",
                subject=name,
            )
