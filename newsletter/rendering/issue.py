"""An issue as an e-mail, rendered once for all its readers."""

import re

from newsletter.issues.model import Issue
from newsletter.publication.brand import Publication
from newsletter.publication.design import design_of
from newsletter.publication.model import Clicks
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.environment import Templates
from newsletter.rendering.fill import disarm_marks
from newsletter.rendering.filters import script_of
from newsletter.rendering.inline import inline_css
from newsletter.rendering.model import RenderedIssue
from newsletter.rendering.text import write_text
from newsletter.rendering.view import IssueView, view_issue

TEMPLATE = "email/issue.html"

# A mail program prints what follows the preheader unless something fills the line.
_PREHEADER_LENGTH = 140
_FILLER = "\u034f\u2007"  # the pair that Apple Mail does not collapse
# So many of them run on without a place to break: where styles are dropped they are seen.
_UNBROKEN = 8


def render_issue(
    issue: Issue,
    publication: Publication,
    newsletter: Newsletter,
    *,
    base_url: str,
    templates: Templates,
    utm_source: str = "",
    clicks: Clicks = "off",
    archived_in: str = "",
) -> RenderedIssue:
    """The issue as HTML with inlined CSS and as text, both with `ReaderSlot` marks.

    ``base_url`` is the root of the service's pages, without a slash at the end;
    ``utm_source`` tags the links to stories, and ``clicks`` says whether they lead
    through us. ``archived_in`` is the language of our pages where none is picked, by
    default the issue's.
    """
    issue = disarm_marks(issue)
    view = view_issue(
        issue,
        publication,
        newsletter,
        base_url=base_url,
        utm_source=utm_source,
        clicks=clicks,
        archived_in=archived_in,
    )
    html = inline_css(
        write_html(view, issue, publication, newsletter, templates=templates), name=TEMPLATE
    )
    text = write_text(view, issue, publication, newsletter)
    return RenderedIssue(
        subject=issue.subject,
        preheader=issue.preheader,
        html=html,
        text=text,
        language=issue.language,
        links=view.book.printed(html, text),
        link_root=view.book.root,
    )


def write_html(
    view: IssueView,
    issue: Issue,
    publication: Publication,
    newsletter: Newsletter,
    *,
    templates: Templates,
) -> str:
    """The issue's document as the templates give it, its CSS not yet inlined."""
    html = templates.render(
        TEMPLATE,
        view=view,
        issue=issue,
        publication=publication,
        newsletter=newsletter,
        design=design_of(publication),
        scripts=_scripts(view),
        language=issue.language,
        zone=newsletter.zone_in(publication),
        filler=_fill_line(max(0, (_PREHEADER_LENGTH - len(view.preheader)) // 2)),
    )
    return strip_indentation(html)


def _fill_line(pairs: int) -> str:
    """So many pairs of the filler, and white space between them at which a line may end."""
    runs = (min(_UNBROKEN, pairs - begun) for begun in range(0, pairs, _UNBROKEN))
    return "".join(f" {_FILLER * run}" for run in runs)


def _scripts(view: IssueView) -> list[str]:
    """The scripts of its stories: rules for others would only be looked at by the inliner."""
    items = [item for section in view.sections for item in section.items]
    return sorted({script_of(item.language) for item in (view.lead, *items) if item})


def strip_indentation(html: str) -> str:
    """The document without the templates' indentation, which every reader would download."""
    return re.sub(r"\s*\n\s*", "\n", html).strip() + "\n"
