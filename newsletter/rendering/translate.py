"""``{% trans %}`` in templates: gettext in the language of the template's context.

Messages come out of our catalogues and hold no markup; what fills them is
escaped where the template escapes.
"""

from collections.abc import Callable, Mapping

from jinja2 import pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup

from newsletter.rendering.filters import language_in
from newsletter.words import words_of


@pass_context
def _gettext(context: Context, message: str) -> str:
    return words_of(language_in(context)).translations.gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return words_of(language_in(context)).translations.ngettext(singular, plural, count)


@pass_context
def _pgettext(context: Context, about: str, message: str) -> str:
    return words_of(language_in(context)).translations.pgettext(about, message)


@pass_context
def _npgettext(context: Context, about: str, singular: str, plural: str, count: int) -> str:
    words = words_of(language_in(context))
    return words.translations.npgettext(about, singular, plural, count)


@pass_eval_context
def gettext_in(escaping: EvalContext, language: str, message: str, /, **values: object) -> str:
    """``message`` in ``language``, for a piece that is not in the template's own."""
    text = words_of(language).translations.gettext(message)
    return (Markup(text) if escaping.autoescape else text) % values  # noqa: S704


# As Jinja2's extension takes them: it fills in and escapes by itself.
MESSAGES: Mapping[str, Callable[..., str]] = {
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": _pgettext,
    "npgettext": _npgettext,
}
GLOBALS: Mapping[str, Callable[..., str]] = {"gettext_in": gettext_in}
