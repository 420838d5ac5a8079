"""Findings on a paper's own templates: parsed, rendered in every state, and their style read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.checks.legibility import check_legibility
from newsletter.checks.markup import STYLE_ATTRIBUTE, STYLE_ELEMENT
from newsletter.checks.model import Finding, Level
from newsletter.checks.rendered import check_letter, check_rendered
from newsletter.checks.template_markup import lint_attributes, lint_elements, lint_tags
from newsletter.errors import NewsletterError
from newsletter.issues.model import Issue
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.css_lint import lint_base, lint_braces, lint_dark, lint_kept
from newsletter.rendering.environment import (
    Templates,
    lint_source,
    read_names,
    shipped_templates,
)
from newsletter.rendering.issue import TEMPLATE, render_issue, write_html
from newsletter.rendering.model import RenderedIssue
from newsletter.rendering.passing_on import Link
from newsletter.rendering.samples import sample_issues
from newsletter.rendering.system_mail import TEMPLATE as SYSTEM_TEMPLATE
from newsletter.rendering.system_mail import Quote, render_letter, write_letter
from newsletter.rendering.view import view_issue
from newsletter.words import nearest_language

_BASE_URL = "https://news.paper.example"
_SUFFIXES = frozenset((".html", ".css", ".txt", ".xml"))
_CONDITIONAL = re.compile(r"<!--\[if mso\]>.*?<!\[endif\]-->", re.DOTALL)
_STYLE = re.compile(r"<style\b([^>]*)>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_PLACE = re.compile(r"^(?P<file>.+?), line (?P<line>\d+): (?P<sentence>.*)$", re.DOTALL)
_UNDEFINED = re.compile(r"is undefined|has no (?:attribute|element)")
_ENDLESS = re.compile(r"it writes more than|needs more memory|goes round in a circle|seconds")
# What a made-up issue says of itself is nothing that templates can mend.
_OF_THE_TEMPLATES = frozenset(
    (
        *("elements", "doctype", "headings", "language", "links", "marks", "style"),
        *("pictures", "text", "unsubscribe"),
    )
)


@dataclass(frozen=True)
class TemplateFinding:
    """What is wrong in a template: ``file`` below its folder and ``line`` from 1, 0 if unknown."""

    level: Level
    key: str
    file: str
    line: int
    sentence: str
    mend: str
    # What makes it the same as another of another state, where its sentence does not.
    about: str = field(default="", compare=False)

    @property
    def told(self) -> str:
        """All of it for a person, in one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.sentence} {self.mend}".rstrip()


class _Sources:
    """The texts of the templates that count: the paper's own before those shipped."""

    def __init__(self, templates: Templates) -> None:
        self.own = _read_folder(templates.own_folder) if templates.own_folder else {}
        self.shipped = _read_folder(shipped_templates())

    def find(self, near: str) -> tuple[str, int]:
        """File and line in which a text stands; the mail's main template where in none."""
        if not near.split():
            return TEMPLATE, 0
        # It was read from what was printed, where white space may stand otherwise.
        end = "" if near.endswith("…") else r"(?![\w-])"
        wanted = re.compile(r"\s*".join(map(re.escape, near.rstrip("…").split())) + end)
        for name, text in (*self.own.items(), *self.shipped.items()):
            if name.startswith("email/") and (found := wanted.search(text)):
                return name, text[: found.start()].count("\n") + 1
        return TEMPLATE, 0


def check_templates(
    templates: Templates, publication: Publication, newsletter: Newsletter
) -> tuple[TemplateFinding, ...]:
    """All that may be said against the templates in force, with the paper's name and colours.

    Where a template can't be parsed, what would be rendered with it is not tried.
    """
    sources = _Sources(templates)
    checked = sources.own or sources.shipped
    static = [
        *_check_names(sources),
        *(f for name, text in checked.items() for f in _check_source(name, text)),
    ]
    if any(one.level is Level.STOP for one in static):
        return tuple(static)
    static += _check_pages(sources)
    found = [*static, *_check_states(templates, sources, publication, newsletter)]
    # What is wrong in several states is told of the first.
    once = {(one.key, one.file, one.line, one.about or one.sentence): one for one in found[::-1]}
    return tuple(sorted(once.values(), key=lambda one: (one.file, one.line)))


def _read_folder(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _SUFFIXES:
            # What is no UTF-8 is told by `_check_source`, which looks for its sign.
            text = path.read_text(encoding="utf-8", errors="replace")
            found[path.relative_to(folder).as_posix()] = text
    return found


def _check_names(sources: _Sources) -> Iterator[TemplateFinding]:
    everything = "\n".join(sources.own.values())
    for name in sources.own:
        if name not in sources.shipped and f'"{name}"' not in everything:
            yield TemplateFinding(
                Level.WARN,
                "name",
                name,
                0,
                "It takes no shipped template's place, and none of yours names it.",
                "Give it the name of the one that it is to replace, such as email/issue.html.",
            )


def _check_source(name: str, text: str) -> Iterator[TemplateFinding]:
    if "\ufffd" in text:
        line = text[: text.index("\ufffd")].count("\n") + 1
        yield TemplateFinding(
            Level.STOP, "encoding", name, line, "It is no UTF-8.", "Save it as UTF-8."
        )
    for fault in lint_source(name, text):
        yield TemplateFinding(
            Level.STOP,
            "source",
            name,
            fault.line,
            fault.sentence,
            "Correct the line.",
        )


def _check_pages(sources: _Sources) -> Iterator[TemplateFinding]:
    """What own templates of pages read that no page is given; pages are not rendered."""
    own = _pages(sources.own)
    given = {
        read
        for name, text in (_pages(sources.shipped) if own else {}).items()
        for read in read_names(name, text)
    }
    for name, text in own.items():
        for read, line in read_names(name, text).items():
            if read not in given:
                yield TemplateFinding(
                    Level.STOP,
                    "page",
                    name,
                    line,
                    f"It reads “{read[:60]}”, which no page is given.",
                    "Take it out, or correct the name.",
                )


def _pages(templates: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in templates.items() if name.startswith("web/")}


def _check_states(
    templates: Templates, sources: _Sources, publication: Publication, newsletter: Newsletter
) -> Iterator[TemplateFinding]:
    every: list[TemplateFinding] = []
    for state, sample in sample_issues(newsletter).items():
        issue, newsletter = sample
        faults: list[TemplateFinding] = []
        try:
            html = _written(templates, issue, publication, newsletter)
            # Before it is inlined: what the inliner trips over is named by its place here.
            faults += _check_document(html, sources)
            yield from faults
            every += faults
            rendered = render_issue(
                issue, publication, newsletter, base_url=_BASE_URL, templates=templates
            )
        except NewsletterError as error:
            if not faults:
                yield _tell_error(error, f"an issue {state}", TEMPLATE, sources)
            continue
        yield from _check_sample(state, issue, rendered, publication, sources)
    try:
        yield from _check_notice(templates, publication, sources)
    except NewsletterError as error:
        if not every:  # its style is the issue's
            yield _tell_error(error, "a notice", SYSTEM_TEMPLATE, sources)


def _written(
    templates: Templates, issue: Issue, publication: Publication, newsletter: Newsletter
) -> str:
    view = view_issue(issue, publication, newsletter, base_url=_BASE_URL)
    return write_html(view, issue, publication, newsletter, templates=templates)


def _tell_error(
    error: NewsletterError, what: str, template: str, sources: _Sources
) -> TemplateFinding:
    """An error of rendering, at its place if it says which."""
    place = _PLACE.match(str(error))
    name, line, sentence = template, 0, str(error)
    if place is not None:
        name, line, sentence = place["file"], int(place["line"]), place["sentence"]
    known = next((one for one in (*sources.own, *sources.shipped) if name.endswith(one)), name)
    return TemplateFinding(
        Level.STOP,
        "rendering",
        known,
        line,
        f"{what[0].upper()}{what[1:]} can't be rendered: {sentence.rstrip('.')}.",
        _mend_of(sentence),
        sentence,
    )


def _mend_of(sentence: str) -> str:
    if _UNDEFINED.search(sentence):
        return "Ask “is defined”, or “if”, before what may be missing is printed."
    if _ENDLESS.search(sentence):
        return "Look for what repeats itself too often."
    return "Mend what is named."


def _check_sample(
    state: str,
    issue: Issue,
    rendered: RenderedIssue,
    publication: Publication,
    sources: _Sources,
) -> Iterator[TemplateFinding]:
    for finding in check_rendered(issue, rendered, publication):
        if finding.key in _OF_THE_TEMPLATES and not _is_told(finding):
            name, line = sources.find(finding.item)
            yield TemplateFinding(
                *(finding.level, finding.key, name, line),
                f"In an issue {state}: {finding.sentence}",
                *(finding.mend, finding.mend),
            )
    for finding in check_legibility(rendered.html):
        name, line = sources.find("")
        yield TemplateFinding(
            finding.level, finding.key, name, line, finding.sentence, finding.mend
        )


def _is_told(finding: Finding) -> bool:
    """Whether it was told before the style was inlined, when it stood there as it was written."""
    return finding.item in (STYLE_ELEMENT, STYLE_ATTRIBUTE)


def _check_notice(
    templates: Templates, publication: Publication, sources: _Sources
) -> Iterator[TemplateFinding]:
    """The letters to readers and editors, which have one template."""
    link = Link("See the issue", f"{_BASE_URL}/preview")
    told: dict[str, Any] = {
        "subject": "A sample",
        "title": "A sample",
        "sentences": (Quote("A sentence."),),
        "button": link,
        "after": ("What is said below.",),
        "small": ("Why this mail came.",),
        "links": (link,),
    }
    language = nearest_language(publication.language)
    html = write_letter(publication, templates, language, told)
    yield from _check_document(html, sources)
    mail = render_letter(publication, templates, language=language, **told)
    for finding in check_letter(mail):
        if _is_told(finding):
            continue
        yield TemplateFinding(
            *(finding.level, finding.key, SYSTEM_TEMPLATE, 0),
            f"In a letter: {finding.sentence}",
            *(finding.mend, finding.mend),
        )


def _check_document(html: str, sources: _Sources) -> Iterator[TemplateFinding]:
    """The style elements and the tags of a document that is not inlined yet."""
    base, kept = "", []
    for attributes, css in _STYLE.findall(_CONDITIONAL.sub("", html)):
        if "data-premailer" in attributes:
            kept.append(css)
        else:
            base += css
    # What follows an open brace can't be told apart, so nothing else is said of it.
    faults = [fault for css in (base, *kept) for fault in lint_braces(css)] or [
        *lint_base(base),
        *lint_dark(base, kept),
        *(fault for css in kept for fault in lint_kept(css)),
        *lint_attributes(html),
        *lint_elements(html, base),
    ]
    for key, fault in (
        *(("style", one) for one in faults),
        *(("tags", o) for o in lint_tags(html)),
    ):
        name, line = sources.find(fault.near)
        yield TemplateFinding(Level.STOP, key, name, line, fault.sentence, fault.mend)
