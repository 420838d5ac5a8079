"""Feeds and pages that other projects collected, as their own archives hold them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FEEDPARSER = ROOT / ".archives/feedparser-6.0.14/tests"
NEWSPAPER = ROOT / ".archives/newspaper4k-0.9.6/tests/data"
GOFEED = Path("/usr/share/gocode/src/github.com/mmcdole/gofeed/testdata")


def feed_files() -> Iterator[tuple[str, Path]]:
    """Every feed of feedparser's and gofeed's tests, with a name that stays the same."""
    for name, folder, mend in (
        ("feedparser", FEEDPARSER, "run `make archives`"),
        ("gofeed", GOFEED, "install the Debian package golang-github-mmcdole-gofeed-dev"),
    ):
        require(folder, mend)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in (".xml", ".json"):
                yield f"{name}/{path.relative_to(folder)}", path


def page_files() -> list[Path]:
    """The news pages of newspaper4k's tests."""
    require(NEWSPAPER, "run `make archives`")
    return sorted((NEWSPAPER / "html").glob("*.html"))


def require(folder: Path, mend: str) -> None:
    if not folder.is_dir():
        raise RuntimeError(f"{folder} is missing: {mend} (`make test` does)")
