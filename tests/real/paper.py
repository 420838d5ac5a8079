"""The paper that a real WordPress is filled with: what should be there, to compare with.

`plan_paper` reads ``paper.toml`` and dates its posts back from a given moment.
"""

import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

# Older pictures are smaller, as in many papers' archives (and quicker to resize).
ARCHIVE_HOURS = 7 * 24
PLAN_FILE = Path(__file__).with_name("paper.toml")


@dataclass(frozen=True)
class Author:
    """A writer's account; ``login`` is also the address part of the author's page."""

    login: str
    name: str


@dataclass(frozen=True)
class PaperPicture:
    """A post's picture; the credit stands at the end of ``caption``, in parentheses.

    ``style`` is hills or pattern, ``format`` a file's suffix, ``size`` in pixels.
    """

    alt: str
    caption: str
    style: str = "hills"
    format: str = "jpg"
    size: tuple[int, int] = (1280, 853)


@dataclass(frozen=True)
class Post:
    """One post as planned. ``title`` is what a reader sees, without entities.

    ``author`` is the account's name and ``byline`` the writer whom the text
    itself names ("By …"), if it does. ``categories`` are in WordPress's order,
    by name. ``body`` is the HTML handed to WordPress. ``number`` and ``link`` are
    known once it was stored there (a draft's link is never public).
    """

    slug: str
    title: str
    author: str
    published_at: datetime
    categories: tuple[str, ...]
    body: str
    text: str
    tags: tuple[str, ...] = ()
    byline: str = ""
    status: str = "publish"
    password: str = ""
    sticky: bool = False
    language: str = "en"
    picture: PaperPicture | None = None
    comments: tuple[str, ...] = ()
    number: int = 0
    link: str = ""

    @property
    def writer(self) -> str:
        """Whom a reader takes for the writer."""
        return self.byline or self.author

    @property
    def is_public(self) -> bool:
        """Whether anyone may read it."""
        return self.status == "publish" and not self.password


@dataclass(frozen=True)
class Paper:
    """The whole plan. ``now`` is the moment that the dates count back from."""

    name: str
    description: str
    timezone: str
    now: datetime
    categories: tuple[str, ...]
    authors: tuple[Author, ...]
    posts: tuple[Post, ...] = field(repr=False)

    def list_public(self) -> list[Post]:
        """What the public may read, newest first."""
        public = [post for post in self.posts if post.is_public]
        return sorted(public, key=lambda post: post.published_at, reverse=True)

    def list_hidden(self) -> list[Post]:
        """What must never show up in a newsletter."""
        return [post for post in self.posts if not post.is_public]

    def list_since(self, start: datetime) -> list[Post]:
        """Public posts of ``start`` or later, newest first."""
        return [post for post in self.list_public() if post.published_at >= start]

    def find(self, slug: str) -> Post:
        """The post of that slug; KeyError where the plan has none."""
        for post in self.posts:
            if post.slug == slug:
                return post
        raise KeyError(slug)


def plan_paper(now: datetime) -> Paper:
    """Plan the paper as of ``now`` (aware).

    The future post is dated from the real clock where that is later, since
    WordPress itself decides by the clock what is still to come.
    """
    plan = tomllib.loads(PLAN_FILE.read_text(encoding="utf-8"))
    authors = tuple(Author(**row) for row in plan["author"])
    names = {author.login: author.name for author in authors}
    now = now.astimezone(UTC).replace(microsecond=0)
    return Paper(
        name=plan["name"],
        description=plan["description"],
        timezone=plan["timezone"],
        now=now,
        categories=tuple(plan["categories"]),
        authors=authors,
        posts=tuple(_plan_post(row, names, now) for row in plan["post"]),
    )


def _plan_post(row: dict[str, Any], names: dict[str, str], now: datetime) -> Post:
    status = row.get("status", "publish")
    start = max(now, datetime.now(UTC).replace(microsecond=0)) if status == "future" else now
    picture = PaperPicture(**row["picture"]) if "picture" in row else None
    if picture and row["hours_ago"] > ARCHIVE_HOURS:
        picture = replace(picture, size=(640, 427))
    return Post(
        slug=row["slug"],
        title=row["title"],
        author=names[row["author"]],
        published_at=start - timedelta(hours=row["hours_ago"]),
        categories=tuple(row["categories"]),
        body=_write_body(row, names["courier"]),
        text=row["text"].strip(),
        tags=tuple(row.get("tags", ())),
        byline=row.get("byline", ""),
        status=status,
        password=row.get("password", ""),
        sticky=row.get("sticky", False),
        language=row.get("language", "en"),
        picture=picture,
        comments=tuple(row.get("comments", ())),
    )


def _write_body(row: dict[str, Any], house: str) -> str:
    """The post's HTML, with what papers' pages carry beside the text."""
    paragraphs = row["text"].strip().split("\n\n")
    if "byline" in row:
        paragraphs.insert(0, f"By {row['byline']}")
    if row.get("markup") == "classic":  # the old editor stores bare text
        return "\n\n".join(escape(paragraph, quote=False) for paragraph in paragraphs)
    blocks = [_block(escape(paragraph, quote=False)) for paragraph in paragraphs]
    if row.get("markup") == "promo":
        blocks.insert(2, _PROMO.format(house=house))
    if row.get("markup") == "lazy":
        blocks.insert(1, _LAZY_PICTURE)
    if row.get("syndicated"):
        blocks.append(_block(_SYNDICATED))
    return "\n\n".join(blocks)


def _block(html: str) -> str:
    return f"<!-- wp:paragraph -->\n<p>{html}</p>\n<!-- /wp:paragraph -->"


# A sign-up prompt amid the text, followed by the paper's name alone on its line.
_PROMO = """<!-- wp:html -->
<div class="newsletter-signup"><h3>Get the Courier in your inbox</h3>
<form action="#" method="post"><input type="email" name="email" placeholder="Your e-mail">
<button type="submit">Sign up</button></form></div>
<p>{house}</p>
<!-- /wp:html -->"""

# What plugins that load pictures late leave in the page.
_LAZY_PICTURE = """<!-- wp:html -->
<figure class="wp-block-image"><img class="lazyload"
src="data:image/gif;base64,R0lGODlhAQABAAAAACw="
data-src="/wp-includes/images/media/default.png" alt="The quay">
<noscript><img src="/wp-includes/images/media/default.png" alt="The quay"></noscript>
<figcaption>The quay (photo Tom Hale)</figcaption></figure>
<!-- /wp:html -->"""

_SYNDICATED = (
    '<em>This article was first published in <a href="https://journal.example/lead-type/">'
    "the print shop’s own journal</a>.</em>"
)
