"""Findings on an issue as it was rendered: marks, links, pictures, markup, words, colours."""

from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.checks.legibility import check_legibility
from newsletter.checks.markup import check_markup, check_tree
from newsletter.checks.model import Finding, in_order, stop, warn
from newsletter.checks.places import Places, first, list_some, name_item, shown
from newsletter.checks.wording import check_address, check_inbox_line, check_parts, check_stories
from newsletter.issues.model import Issue, Item
from newsletter.publication.brand import Publication
from newsletter.publication.design import design_of
from newsletter.rendering.fill import UNRESOLVED, disarm_marks
from newsletter.rendering.model import ReaderSlot, RenderedIssue, RenderedMail

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_rendered(
    issue: Issue,
    rendered: RenderedIssue,
    publication: Publication,
    *,
    sender: str = "",
    frozen: bool = False,
) -> tuple[Finding, ...]:
    """All that may be said against sending this, what stops it first.

    ``sender`` is the From address, for whose domain hosts are judged. What is
    ``frozen`` was sent with the colours and the postal address of its day, whatever
    the publication's are now.
    """
    tree = LexborHTMLParser(rendered.html)
    # As it was rendered.
    issue = disarm_marks(issue)
    places = Places(issue, rendered)
    return in_order(
        check_inbox_line(rendered),
        check_stories(issue),
        _check_marks(issue, rendered),
        _check_links(tree, places),
        _check_pictures(issue, tree, places),
        _check_hosts(tree, publication, sender),
        check_markup(issue, rendered, tree, places),
        check_parts(issue, rendered, tree, places),
        () if frozen else check_address(rendered, tree, publication),
        () if frozen else _check_brand(publication),
        check_legibility(rendered.html),
    )


def check_letter(mail: RenderedMail) -> tuple[Finding, ...]:
    """All that may be said against the look and the links of a letter to one person."""
    tree = LexborHTMLParser(mail.html)
    return in_order(
        check_tree(mail.html, mail.language, tree),
        _check_letter(tree),
        check_legibility(mail.html),
    )


def _check_letter(tree: LexborHTMLParser) -> Iterator[Finding]:
    links = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    if bad := [href for href in links if not _is_web_or_mail(href)]:
        yield stop(
            "links",
            f"These links lead nowhere from a mail: {list_some(bad)}.",
            "Write https addresses.",
            first((*bad, "a link without an address")),
        )
    pictures = tree.css("img")
    sources = [node.attributes.get("src") or "" for node in pictures]
    if bad := [src for src in sources if _split(src).scheme not in ("http", "https")]:
        yield stop(
            "pictures",
            f"These pictures are not on the web: {list_some(bad)}.",
            "Give them https addresses; mail programs drop them else.",
            first((*bad, "a picture without an address")),
        )
    if silent := [node for node in pictures if "alt" not in node.attributes]:
        yield warn(
            "alt",
            f"{_pictures(len(silent))} in the mail without a text in its place (alt).",
            "Print one in your own template, if only an empty one.",
            _name_picture(silent[0]),
        )


def _check_marks(issue: Issue, rendered: RenderedIssue) -> Iterator[Finding]:
    everything = "\n".join((rendered.subject, rendered.preheader, rendered.html, rendered.text))
    left = {match[0] for match in UNRESOLVED.finditer(everything)} - set(ReaderSlot)
    # What a story says of itself is its writer's business, and no template's fault.
    told = {match[0] for match in UNRESOLVED.finditer(words_of_stories(issue))}
    if left - told:
        yield stop(
            "marks",
            f"A place was left unfilled: {list_some(sorted(left - told))}.",
            "Look for it in the texts, the links and your own template.",
            _part_with(issue, rendered, left - told),
        )
    if left & told:
        yield warn(
            "marks",
            f"A story holds what looks like an unfilled place: {list_some(sorted(left & told))}.",
            "Look at it.",
            first(
                name_item(section, item)
                for section in issue.sections
                for item in section.items
                if UNRESOLVED.search(words_of_item(item))
            ),
        )
    for part, text in (("subject", rendered.subject), ("preheader", rendered.preheader)):
        if any(slot in text for slot in ReaderSlot):
            yield stop("marks", f"The {part} holds a reader's own mark.", "Take it out.", part)


def _part_with(issue: Issue, rendered: RenderedIssue, marks: Iterable[str]) -> str:
    """The first part of an issue in which one of ``marks`` stands."""
    block = issue.block
    parts = (
        ("subject", rendered.subject),
        ("preheader", rendered.preheader),
        ("note", issue.note),
        ("block", f"{block.text}\n{block.source}" if block else ""),
        ("HTML part", rendered.html),
        ("text part", rendered.text),
    )
    return next(name for name, text in parts if any(mark in text for mark in marks))


def words_of_stories(issue: Issue) -> str:
    """All that an issue prints of its stories, a piece a line."""
    return "\n".join(map(words_of_item, issue.items))


def words_of_item(item: Item) -> str:
    """All that is printed of a story, a piece a line."""
    lines = [item.headline, item.url, item.excerpt, item.byline, item.department]
    if item.picture:
        picture = item.picture
        lines += (picture.url, picture.alt, picture.caption, picture.credit)
    return "\n".join(lines)


def _check_links(tree: LexborHTMLParser, places: Places) -> Iterator[Finding]:
    hrefs = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    bad = [href for href in hrefs if not _is_web_or_mail(places.target(href))]
    if bad:
        yield stop(
            "links",
            f"These links lead nowhere from a mail: {_targets(bad, places)}.",
            "Write https addresses.",
            first((*map(places.name, bad), *bad, "a link without an address")),
        )
    pictures = tree.css("img")
    sources = [node.attributes.get("src") or "" for node in pictures]
    bad_pictures = [
        node
        for node, src in zip(pictures, sources, strict=True)
        if _split(src).scheme not in ("http", "https")
    ]
    if bad_pictures:
        yield stop(
            "pictures",
            f"These pictures are not on the web: {list_some(map(_name_picture, bad_pictures))}.",
            "Give them https addresses; mail programs drop them else.",
            first((*map(places.name_around, bad_pictures), *map(_name_picture, bad_pictures))),
        )
    plain = [address for address in (*hrefs, *sources) if _is_unprotected(places.target(address))]
    if plain:
        yield warn(
            "https",
            f"These addresses are not protected: {_targets(plain, places)}.",
            "Use https where you can.",
            first((*map(places.name, plain), *map(places.target, plain))),
        )


def _targets(addresses: Iterable[str], places: Places) -> str:
    return list_some(sorted(map(places.target, addresses)))


def _check_pictures(issue: Issue, tree: LexborHTMLParser, places: Places) -> Iterator[Finding]:
    pictures = tree.css("img")
    silent = [node for node in pictures if "alt" not in node.attributes]
    if silent:
        yield warn(
            "alt",
            f"{_pictures(len(silent))} in the mail without a text in its place (alt).",
            "Print one in your own template, if only an empty one.",
            first((*map(places.name_around, silent), *map(_name_picture, silent))),
        )
    # A link whose only content is a picture says what the picture says.
    mute = [
        node
        for node in tree.css("a[href]")
        if (images := node.css("img"))
        and not node.text().strip()
        and not any((image.attributes.get("alt") or "").strip() for image in images)
        and any("alt" in image.attributes for image in images)
    ]
    if mute:
        yield warn(
            "alt",
            f"{len(mute)} links hold nothing but a picture without a description, and are read "
            "out as bare addresses.",
            "Describe the picture at the site, or print the headline as its alt.",
            first((*map(places.name_around, mute), *map(_name_link, mute))),
        )
    untold = [
        name_item(section, item)
        for section in issue.sections
        if section.kind != "most_read"
        for item in section.items
        if item.picture and not item.picture.alt and not item.picture.caption
    ]
    if untold:
        yield warn(
            "alt",
            f"{_pictures(len(untold))} without a description, so the headline is read out "
            f"instead: {list_some(untold)}.",
            "Describe it at the site.",
            untold[0],
        )


def _name_picture(node: LexborNode) -> str:
    return shown(node.attributes.get("src") or "a picture without an address")


def _name_link(node: LexborNode) -> str:
    return shown(node.attributes.get("href") or "a link without an address")


def _check_hosts(
    tree: LexborHTMLParser, publication: Publication, sender: str
) -> Iterator[Finding]:
    """Filters look askance at mail whose pictures and own pages lie with somebody else."""
    domain = sender.rpartition("@")[2]
    if not domain:
        return
    own = {domain, _split(publication.url).hostname or domain}
    ours = [
        href
        for node in tree.css("a[href]")
        if any(slot in (href := node.attributes.get("href") or "") for slot in ReaderSlot)
    ]
    sources = [node.attributes.get("src") or "" for node in tree.css("img")]
    strange: dict[str, str] = {}
    for address in (*ours, *sources):
        host = _split(address).hostname or ""
        if host and host not in _LOOPBACK and not any(is_family(host, one) for one in own):
            strange.setdefault(host, address)
    if strange:
        yield warn(
            "host",
            f"Readers' links or pictures lie on hosts outside of {domain}: "
            f"{list_some(sorted(strange))}.",
            "Serve them below it: [web] base_url, [pictures] served_by.",
            sorted(strange)[0],
        )


def is_family(host: str, other: str) -> bool:
    """Whether two hosts belong together: one lies below the other, or both below one name.

    No list of public suffixes is asked: the last two labels count, or three where
    the one before the last is short, as in paper.co.uk.
    """
    host, other = host.lower().rstrip("."), other.lower().rstrip(".")
    if host == other or host.endswith(f".{other}") or other.endswith(f".{host}"):
        return True
    return _organisation(host) == _organisation(other)


def _organisation(host: str) -> str:
    labels = host.split(".")
    short = len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2
    return ".".join(labels[-3 if short else -2 :])


def _check_brand(publication: Publication) -> Iterator[Finding]:
    """Colours that are printed otherwise than they were given, because they could not be read."""
    for sentence in design_of(publication).mended:
        yield warn(
            "contrast", sentence, "Set another one in [publication.colours].", "brand's colours"
        )


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # brackets in the host that hold no IPv6 address
        return urlsplit("")


def _is_web_or_mail(href: str) -> bool:
    parts = _split(href)
    if parts.scheme == "mailto":
        # To nobody yet: the reader passes it on (RFC 6068 section 2).
        return "@" in parts.path or "%40" in parts.path or bool(parts.query and not parts.path)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_unprotected(address: str) -> bool:
    parts = _split(address)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def _pictures(count: int) -> str:
    return "One picture is" if count == 1 else f"{count} pictures are"
