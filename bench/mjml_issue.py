"""The same issue as MJML, the usual language for such mails, would have it written.

All that ours says, from the masthead to the footer, and its look, by MJML's own parts as
its documentation shows them.
"""

from collections.abc import Sequence
from html import escape

from newsletter.publication.brand import Publication
from newsletter.publication.design import design_of
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.passing_on import Link
from newsletter.rendering.view import IssueView, ItemView


def write_mjml(view: IssueView, publication: Publication, newsletter: Newsletter) -> str:
    """An MJML document of what ``view`` holds."""
    design = design_of(publication)
    light, fonts = design.light, design.fonts["latin"]
    parts = [
        _text(f"<h1>{escape(publication.name)}</h1>", align="center"),
        '<mj-divider border-width="1px" />',
        _text(escape(" · ".join(filter(None, (view.title, view.span)))), "title"),
        _text(
            f"No. {view.number} · {view.story_count} stories, {view.minutes} minutes · "
            f'<a href="{escape(view.archive_url)}">View in browser</a>',
            "small",
        ),
        *(_text(escape(paragraph), "note") for paragraph in view.note),
        _text(escape(view.signature), "small") if view.note else "",
    ]
    body = [_section(*parts)]
    if view.lead:
        told = view.lead.picture
        told_below = " · ".join(filter(None, (told.caption, told.credit))) if told else ""
        caption = _text(escape(told_below), "small") if told_below else ""
        body.append(_section(_picture(view.lead, 592), caption, _words(view.lead, "h2")))
    for section in view.sections:
        body.append(_section("<mj-divider />", _text(f"<h2>{escape(section.title)}</h2>")))
        write = _ranked if section.kind == "most_read" else _card
        body += [write(item) for item in section.items]
    if view.block:
        source = _text(escape(view.block.source), "small") if view.block.source else ""
        body.append(_section(_text(escape(view.block.text), "figure"), source))
    body.append(
        _section(
            _text("End of this issue", "small", align="center"),
            _text("Was this issue worth your time?", "title"),
            _links(view.answers),
            _text("Pass it on", "title"),
            _links(view.share),
            _text(f'<a href="{escape(view.subscribe_url)}">Subscribe</a>', "small"),
        )
    )
    body.append(_footer(view, publication, newsletter))
    return f"""<mjml lang="{newsletter.language_in(publication)}" dir="ltr"><mj-head>
<mj-title>{escape(view.subject)}</mj-title><mj-preview>{escape(view.preheader)}</mj-preview>
<mj-attributes>
<mj-all font-family="{fonts.serif}" color="{light.ink}" />
<mj-text font-size="16px" line-height="25px" padding="0 24px" />
<mj-image padding="8px 24px" />
<mj-divider border-width="3px" border-color="{light.heavy}" padding="12px 24px" />
<mj-section padding="8px 0" background-color="{light.card}" />
<mj-class name="small" font-family="{fonts.sans}" font-size="13px" color="{light.soft}" />
<mj-class name="kicker" font-family="{fonts.sans}" font-size="13px" color="{light.accent}" />
<mj-class name="title" font-family="{fonts.sans}" font-size="15px" color="{light.accent}" />
<mj-class name="note" font-style="italic" font-size="17px" />
<mj-class name="figure" font-size="36px" color="{light.accent}" />
</mj-attributes></mj-head><mj-body width="640px" background-color="{light.paper}">
{"".join(body)}
</mj-body></mjml>"""


def _section(*parts: str) -> str:
    return f"<mj-section><mj-column>{''.join(parts)}</mj-column></mj-section>"


def _text(html: str, kind: str = "", *, align: str = "left") -> str:
    named = f' mj-class="{kind}"' if kind else ""
    return f'<mj-text align="{align}"{named}>{html}</mj-text>'


def _words(item: ItemView, tag: str) -> str:
    link = f'<a href="{escape(item.url)}" style="color:inherit">{escape(item.headline)}</a>'
    facts = " · ".join(filter(None, (item.byline, f"{item.minutes} min" if item.minutes else "")))
    rows = [
        _text(escape(item.department), "kicker") if item.department else "",
        _text(f'<{tag} style="margin:0">{link}</{tag}>'),
        _text(escape(item.excerpt)) if item.excerpt else "",
        _text(escape(facts), "small") if facts else "",
    ]
    return "".join(rows)


def _picture(item: ItemView, width: int) -> str:
    picture = item.picture
    if picture is None:
        return ""
    return (
        f'<mj-image src="{escape(picture.url)}" alt="{escape(picture.alt)}" '
        f'href="{escape(item.picture_link)}" width="{min(width, picture.width)}px" />'
    )


def _ranked(item: ItemView) -> str:
    return (
        f'<mj-section><mj-column width="15%">{_text(str(item.position), "figure")}</mj-column>'
        f'<mj-column width="85%">{_words(item, "h3")}</mj-column></mj-section>'
    )


def _card(item: ItemView) -> str:
    if item.picture is None:
        return _section(_words(item, "h3"))
    return (
        f'<mj-section><mj-column width="65%">{_words(item, "h3")}</mj-column>'
        f'<mj-column width="35%">{_picture(item, 200)}</mj-column></mj-section>'
    )


def _links(links: Sequence[Link]) -> str:
    written = (f'<a href="{escape(link.url)}">{escape(link.name)}</a>' for link in links)
    return _text(" · ".join(written), "small")


def _footer(view: IssueView, publication: Publication, newsletter: Newsletter) -> str:
    links = " · ".join(
        f'<a href="{escape(url)}">{name}</a>'
        for name, url in (
            ("Change what you get", view.preferences_url),
            ("Pause", view.pause_url),
            ("Unsubscribe", view.unsubscribe_url),
            ("View in browser", view.archive_url),
        )
    )
    return _section(
        _text(f"You get this e-mail because you subscribed to {escape(newsletter.name)}.", "small"),
        _text(links, "small"),
        _links(view.social) if view.social else "",
        _text(escape(publication.postal_address), "small") if publication.postal_address else "",
    )
