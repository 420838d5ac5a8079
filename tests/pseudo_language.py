"""A language that nobody speaks, written from right to left: does everything follow?

Each message becomes as many Arabic letters, its placeholders kept. It stands
beside the shipped languages as "ar" while the block lasts.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel.messages.pofile import escape

from docs.write_messages import collect_messages
from newsletter import words

LANGUAGE = "ar"
_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_PIECE = re.compile(r"%\(\w+\)s|[A-Za-z]")


def pseudo(text: str) -> str:
    """The same text in the pseudo-language."""

    def turned(match: re.Match[str]) -> str:
        piece = match[0]
        return piece if piece.startswith("%") else _LETTERS[ord(piece.lower()) - ord("a")]

    return _PIECE.sub(turned, text)


@contextmanager
def pseudo_language(folder: Path) -> Iterator[None]:
    """Ship the pseudo-language, alone, out of ``folder``."""
    path = folder / LANGUAGE / "LC_MESSAGES" / "newsletter.po"
    path.parent.mkdir(parents=True)
    path.write_text(_catalogue(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "LOCALE_FOLDER", folder)
        words.forget_loaded()
        try:
            yield
        finally:
            words.forget_loaded()


def _catalogue() -> str:
    entries = [
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=n != 1;\\n"\n'
    ]
    for message in collect_messages():
        if not message.id:
            continue
        about = f'msgctxt "{message.context}"\n' if message.context else ""
        if isinstance(message.id, str):
            entries.append(
                f"{about}msgid {escape(message.id)}\nmsgstr {escape(pseudo(message.id))}\n"
            )
            continue
        one, many = message.id
        entries.append(
            f'{about}msgid "{one}"\nmsgid_plural "{many}"\n'
            f'msgstr[0] "{pseudo(one)}"\nmsgstr[1] "{pseudo(many)}"\n'
        )
    return "\n".join(entries)
