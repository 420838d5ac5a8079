"""The demo paper's stories as its writers handed them in: one file each, under ``stories/``.

A file opens with TOML between two lines of ``+++``; below it the text, its
paragraphs parted by empty lines. ``- `` begins an item of a list, ``*word*`` is
stressed, ``[words](address)`` a link, and a paragraph ``[[sign-up]]`` is where
the site puts its prompt.
"""

import html
import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "stories"
SIGN_UP = "[[sign-up]]"

_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_STRESS = re.compile(r"\*([^*]+)\*")
_CREDIT = re.compile(r"\s*(?:\(photo\s(?:courtesy\s)?(?P<inside>[^()]+)\)|Photo:\s(?P<after>.+))$")


@dataclass(frozen=True)
class DrawnPicture:
    """What to draw, and the words under it; ``caption`` is printed as it stands, credit and all."""

    scene: str
    palette: str
    alt: str
    caption: str

    @property
    def parted(self) -> tuple[str, str]:
        """Caption and credit apart, for media that name both; the credit may be empty."""
        match = _CREDIT.search(self.caption)
        if match is None:
            return self.caption, ""
        return self.caption[: match.start()], match["inside"] or match["after"]


@dataclass(frozen=True)
class Manuscript:
    """One story. ``age`` counts back from now, ``reads`` are its readers until now.

    A ``slow`` story is read for weeks, as recipes are; others mostly on their
    first two days. ``author`` is whom the CMS knows, who may be the house.
    """

    slug: str
    headline: str
    standfirst: str
    author: str
    departments: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    picture: DrawnPicture | None
    age: timedelta
    reads: int
    slow: bool
    paragraphs: tuple[str, ...]

    @property
    def minutes(self) -> int:
        """Reading time, at least one minute."""
        return max(1, round(sum(len(p.split()) for p in self.paragraphs) / 220))


def load_manuscripts(folder: Path = FOLDER) -> tuple[Manuscript, ...]:
    """All stories of a folder, the newest first."""
    found = (read_manuscript(p.stem, p.read_text("utf-8")) for p in sorted(folder.glob("*.md")))
    return tuple(sorted(found, key=lambda m: m.age))


def read_manuscript(slug: str, text: str) -> Manuscript:
    """A manuscript from its file's text."""
    _, head, body = text.split("+++\n", 2)
    facts: dict[str, Any] = tomllib.loads(head)
    drawn = facts.get("picture")
    return Manuscript(
        slug=slug,
        headline=facts["headline"],
        standfirst=facts.get("standfirst", ""),
        author=facts["author"],
        departments=tuple(facts["departments"]),
        tags=tuple(facts.get("tags", ())),
        language=facts.get("language", "en"),
        picture=DrawnPicture(**drawn) if drawn else None,
        age=timedelta(hours=facts["age_hours"]),
        reads=facts["reads"],
        slow=facts.get("pace") == "slow",
        paragraphs=tuple(p.strip() for p in body.strip().split("\n\n")),
    )


def body_html(manuscript: Manuscript, prompt: str) -> str:
    """The text as HTML; ``prompt`` (HTML) stands where the writer left room for it."""
    return "\n".join(
        prompt if paragraph == SIGN_UP else _block(paragraph) for paragraph in manuscript.paragraphs
    )


def _block(paragraph: str) -> str:
    lines = paragraph.split("\n")
    if all(line.startswith("- ") for line in lines):
        items = "".join(f"<li>{_inline(line[2:])}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    return f"<p>{_inline(' '.join(lines))}</p>"


def _inline(text: str) -> str:
    # Quotes carry no danger between tags, and stay legible in the feed.
    escaped = html.escape(text, quote=False)
    linked = _LINK.sub(r'<a href="\2">\1</a>', escaped)
    return _STRESS.sub(r"<em>\1</em>", linked)
