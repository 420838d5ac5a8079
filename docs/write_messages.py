"""Collect what readers see into newsletter/locale/newsletter.pot; bring each language up to it.

Run by `make messages`; `make messages LANGUAGE=ar` begins a new one. A test says
when the files are out of date or a translation is missing.
"""

import argparse
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from babel.plural import to_gettext
from pydantic import BaseModel

from newsletter.publication.model import Settings
from newsletter.publication.settings_keys import arrays_of, keys_of
from newsletter.words import LOCALE_FOLDER

ROOT = Path(__file__).parents[1]
# Its descriptions of keys are help lines at the desk, and the reference in docs/config.md.
SETTINGS_FILE = "newsletter/publication/model.py"
TEMPLATE_FILE = LOCALE_FOLDER / "newsletter.pot"
_KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None,
    "ngettext_noop": (1, 2),
    # The first argument is the language.
    "gettext_in": (2,),
}
_MARK = "Translators:"
_ABOUT = """\
# Translations of the newsletter service.
# Published under the same license as the service."""


def main() -> None:
    """Write the template and the catalogues."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", nargs="?", help="begin this one, such as ar or pt-BR")
    begun = parser.parse_args().language
    TEMPLATE_FILE.write_bytes(template_bytes())
    if begun:
        begin_catalogue(begun)
    for path in catalogue_files():
        path.write_bytes(updated_bytes(path))
        print(path.relative_to(ROOT))


def begin_catalogue(language: str) -> None:
    """An empty file for a BCP 47 tag, unless there is one; an error where CLDR knows no such."""
    locale = Locale.parse(language, sep="-")
    path = LOCALE_FOLDER / str(locale) / "LC_MESSAGES" / "newsletter.po"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        forms = f"{to_gettext(locale.plural_form)};"
        path.write_bytes(_head(_ABOUT, {"Language": str(locale), "Plural-Forms": forms}))


def catalogue_files() -> list[Path]:
    """The shipped languages' files."""
    return sorted(LOCALE_FOLDER.glob("*/LC_MESSAGES/newsletter.po"))


def template_bytes() -> bytes:
    """The text of newsletter.pot as the code and templates are now."""
    return _head(_ABOUT, {}) + _body(collect_messages())


def updated_bytes(path: Path) -> bytes:
    """A catalogue with the messages of now: what is new waits for a translation."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parents[1].name)
    # A guess at what a changed sentence may mean is worse than English.
    catalogue.update(collect_messages(), no_fuzzy_matching=True, update_header_comment=False)
    own = {n: v for n, v in catalogue.mime_headers if n in ("Language", "Plural-Forms")}
    return _head(catalogue.header_comment, own) + _body(catalogue)


def collect_messages() -> Catalog:
    """Every message of the code, the templates and the settings, by the files that hold it."""
    catalogue = Catalog(charset="utf-8")
    for path in _files():
        where = path.relative_to(ROOT).as_posix()
        options = {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}
        method = "python" if path.suffix == ".py" else "jinja2"
        with path.open("rb") as file:
            for _, message, comments, context in extract(
                method, file, _KEYWORDS, [_MARK], options, strip_comment_tags=False
            ):
                catalogue.add(message, None, [(where, 0)], auto_comments=comments, context=context)
    for hint in _hints(Settings):
        catalogue.add(hint, None, [(SETTINGS_FILE, 0)])
    return catalogue


def _hints(table: type[BaseModel]) -> Iterator[str]:
    """What the desk prints at the keys of a table and of the arrays in it."""
    yield from (key.description for key in keys_of(table))
    for entry in arrays_of(table).values():
        yield from _hints(entry)


def _files() -> Iterator[Path]:
    for path in sorted((ROOT / "newsletter").rglob("*.py")):
        # Parsing all would take seconds, and most say nothing to readers.
        if b"gettext" in path.read_bytes():
            yield path
    # The demo's own site is an English paper, and no part of a real one.
    for folder in ("email", "web"):
        yield from sorted((ROOT / "templates" / folder).rglob("*.html"))


def _body(catalogue: Catalog) -> bytes:
    """The messages, without line numbers: the file changes only with its words."""
    body = BytesIO()
    write_po(body, catalogue, omit_header=True, include_lineno=False, ignore_obsolete=True)
    return body.getvalue()


def _head(comment: str, own: Mapping[str, str]) -> bytes:
    """The header, without dates for the same reason."""
    lines = {
        **own,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    body = "".join(f'"{name}: {value}\\n"\n' for name, value in lines.items())
    return f'{comment}\nmsgid ""\nmsgstr ""\n{body}\n'.encode()


if __name__ == "__main__":
    main()
