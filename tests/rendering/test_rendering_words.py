from string import Formatter

from newsletter.rendering.words import ARMENIAN, ENGLISH, table_language


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_the_same_words_with_the_same_names() -> None:
    assert {key: _names(text) for key, text in ARMENIAN.items()} == {
        key: _names(text) for key, text in ENGLISH.items()
    }


def test_languages_without_a_table_read_english() -> None:
    assert [table_language(tag) for tag in ("hy-AM", "HY", "fr", "en-GB")] == [
        "hy",
        "hy",
        "en",
        "en",
    ]
