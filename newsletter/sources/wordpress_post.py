"""One post of WordPress REST as a source item.

Reference: https://developer.wordpress.org/rest-api/reference/posts/
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.sources.feed_profile import language_tag
from newsletter.sources.model import PASSWORD, SourceItem, SourcePicture
from newsletter.sources.pictures import WANTED_WIDTH, find_picture, pixels
from newsletter.sources.rest import mapping, objects, rendered, string
from newsletter.sources.text import caption_text, collapse_space, plain_text, unique, web_address

# What we ask for; with _embed both _links and _embedded must be named.
POST_FIELDS = (
    "id,link,guid,title,content,excerpt,date,date_gmt,modified_gmt,status,categories,tags,"
    # The canonical address comes from an SEO plugin, where there is one.
    "lang,yoast_head_json.canonical,_links,_embedded"
)
POST_EMBEDS = "author,wp:featuredmedia,wp:term"

# Terms that WordPress makes for itself, and the department that is none.
_NO_TOPICS = frozenset(("post_format", "nav_menu", "wp_theme", "wp_template_part_area"))
_NO_DEPARTMENT = "uncategorized"


def read_post(post: Mapping[str, Any], url: str) -> SourceItem | str:
    """The post as a source item, or why it cannot be one."""
    native_id = post_id(post)
    if native_id is None:
        return "it has no id"
    title = plain_text(rendered(post.get("title")))
    link = web_address(url, string(post.get("link")))
    if not title:
        return f"post {native_id} has no title"
    if link is None:
        return f'post {native_id}, "{title[:80]}", has no link'
    html = rendered(post.get("content"))
    embedded = mapping(post.get("_embedded"))
    categories, topics = _terms(post, embedded)
    return SourceItem(
        title=title,
        url=link,
        native_id=native_id,
        guid=rendered(post.get("guid")) or None,
        html=html,
        excerpt_html=rendered(post.get("excerpt")),
        author=_author(embedded),
        categories=categories,
        tags=topics,
        published_at=parse_gmt(post.get("date_gmt")),
        modified_at=parse_gmt(post.get("modified_gmt")),
        picture=_featured_picture(embedded, link) or find_picture(html, link),
        language=language_tag(string(post.get("lang"))),
        hidden=_hidden(post),
        canonical_url=web_address(
            url, string(mapping(post.get("yoast_head_json")).get("canonical"))
        ),
    )


def post_id(post: Mapping[str, Any]) -> str | None:
    """The post's id as text, or None."""
    number = post.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
        return None
    return str(number)


def parse_gmt(value: Any) -> datetime | None:
    """WordPress's ``date_gmt``: UTC although it carries no zone, all noughts where unset."""
    try:
        found = datetime.fromisoformat(string(value))
    except ValueError:
        return None
    # Written without a zone, save by plugins that mend what is not broken.
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return found.astimezone(UTC) if 1980 <= found.year <= 2200 else None


def _hidden(post: Mapping[str, Any]) -> str:
    """Why the public may not read the post: REST lists posts with a password like any other."""
    if any(mapping(post.get(field)).get("protected") for field in ("content", "excerpt")):
        return PASSWORD
    status = string(post.get("status"))
    return "" if status in ("", "publish") else status


def _author(embedded: Mapping[str, Any]) -> str:
    names = [collapse_space(string(a.get("name"))) for a in objects(embedded.get("author"))]
    return ", ".join(unique(plain_text(name) for name in names))


def _terms(
    post: Mapping[str, Any], embedded: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Departments in the post's order, and all other public terms as topics."""
    names: dict[str, str] = {}
    topics = []
    for term in _all_terms(embedded):
        name = plain_text(string(term.get("name")))
        taxonomy = string(term.get("taxonomy"))
        if taxonomy == "category":
            if string(term.get("slug")) != _NO_DEPARTMENT:
                names[str(term.get("id"))] = name
        elif taxonomy not in _NO_TOPICS:
            topics.append(name)
    order = post.get("categories")
    ordered = [names.get(str(number), "") for number in order] if isinstance(order, list) else []
    return unique([*ordered, *names.values()]), unique(topics)


def _all_terms(embedded: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    lists = embedded.get("wp:term")
    for terms in lists if isinstance(lists, list) else ():
        yield from objects(terms)


def _featured_picture(embedded: Mapping[str, Any], base: str) -> SourcePicture | None:
    for media in objects(embedded.get("wp:featuredmedia")):
        kind = string(media.get("mime_type")) or "image/"
        if not kind.startswith("image/") or "svg" in kind:
            continue
        size = _fittest_size(media)
        url = web_address(base, string(size.get("source_url")))
        if url is None:
            continue
        return SourcePicture(
            url=url,
            width=pixels(size.get("width")),
            height=pixels(size.get("height")),
            alt=plain_text(string(media.get("alt_text"))),
            caption=caption_text(rendered(media.get("caption"))),
        )
    return None


def _fittest_size(media: Mapping[str, Any]) -> Mapping[str, Any]:
    """The smallest size that is wide enough, else the full one.

    Cropped squares (``thumbnail`` of some themes) lose a part of the picture, so
    only sizes of the full one's shape count.
    """
    details = mapping(media.get("media_details"))
    sizes = mapping(details.get("sizes"))
    named = mapping(sizes.get("full"))
    full = {
        "source_url": string(media.get("source_url")) or string(named.get("source_url")),
        "width": details.get("width") or named.get("width"),
        "height": details.get("height") or named.get("height"),
    }
    fitting = []
    for size in map(mapping, sizes.values()):
        width, height = pixels(size.get("width")), pixels(size.get("height"))
        if not string(size.get("source_url")) or not width or not height:
            continue
        if width >= WANTED_WIDTH and _same_shape(width, height, full):
            fitting.append((width, size))
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else full


def _same_shape(width: int, height: int, full: Mapping[str, Any]) -> bool:
    full_width, full_height = pixels(full["width"]), pixels(full["height"])
    if not full_width or not full_height:
        return True
    # Scaling rounds to whole pixels; 2 % is more than that, and less than any crop.
    return abs(width / height * full_height / full_width - 1) < 0.02
