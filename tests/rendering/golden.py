"""The golden files of rendering: written anew by `make golden`.

A sample issue as the templates give it, as it is once its CSS is inlined, and as
text, in English and in Armenian. Look at the difference before committing it.
"""

from collections.abc import Iterator
from pathlib import Path

from newsletter.issues.model import Block, BlockKind
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue, write_html
from newsletter.rendering.view import view_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

FOLDER = Path(__file__).parents[1] / "data" / "rendering"
LANGUAGES = {
    "en": {
        "block": Block(BlockKind.QUOTE, "We are waiting for the stop.", "Head teacher"),
    },
    "hy": {
        "title": "Գլխավոր նյութեր · Շաբաթ 32",
        "block": Block(BlockKind.QUESTION, "Ի՞նչ հարցնենք քաղաքապետին։"),
    },
}


def golden_files() -> Iterator[tuple[Path, str]]:
    """Each file and what it should hold."""
    templates = Templates()
    for language, changes in LANGUAGES.items():
        issue = sample_issue(language=language, **changes)
        view = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, clicks="anonymous")
        source = write_html(view, issue, PUBLICATION, NEWSLETTER, templates=templates)
        rendered = render_issue(
            issue,
            PUBLICATION,
            NEWSLETTER,
            base_url=BASE_URL,
            templates=templates,
            clicks="anonymous",
        )
        yield FOLDER / f"issue.{language}.html", source
        yield FOLDER / f"issue.{language}.inlined.html", rendered.html
        yield FOLDER / f"issue.{language}.txt", rendered.text


def main() -> None:
    """Write them all."""
    for path, text in golden_files():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
