import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.stories.body import read_body
from newsletter.stories.byline import clean_author, find_byline, read_byline, strip_byline
from newsletter.stories.credit import split_credit
from newsletter.stories.excerpt import LENGTH, LONGEST, cut_at_word, make_excerpt, shorten
from newsletter.stories.sentences import close_quotes, open_quotes, split_sentences
from newsletter.stories.text import (
    MAX_TAGS,
    clean_line,
    clean_title,
    count_words,
    guess_language,
    text_of,
)

# Text as papers have it, rather than mostly rare symbols.
PROSE = st.text(
    alphabet=st.sampled_from("abcXYZ  .,!?:;…\"'“”‘’«»()[]—-0189ԱբգդեաՅ։՝՞АбвгД عربية؟\u00a0"),
    max_size=700,
)
MARKUP = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<div class='x share'>", "</div>", "<br>", "<br/>", "<h2>", "</h2>"),
            *("<figure>", "<figcaption>", "</figure>", "<noscript>", "</noscript>", "<b>", "</b>"),
            *(
                "<img src=a.jpg>",
                "<img data-src='//x.example/b.jpg' width=9>",
                "<aside>",
                "</aside>",
            ),
            *("<table><td>", "</table>", "<script>x</script>", "<!-- c", "-->", "<a rel=next>"),
            *(
                "By Lilit Petrosyan",
                "Text & more. ",
                "&amp;lt;b&gt;",
                "&#0;",
                "\x00",
                "<",
                "\ue000",
            ),
            *("<template>", "<svg>", "<iframe>", "<ul><li>", "<p hidden>", "<form>", "</form>"),
        ]
    ),
    max_size=30,
).map("".join)


def is_plain(line: str) -> bool:
    kinds = {unicodedata.category(char) for char in line}
    return line == " ".join(line.split()) and not kinds & {"Cc", "Cs", "Co", "Zl", "Zp"}


@given(st.text())
@example("a\ud800\u202eb\x00\u2028c\u00add")
def test_clean_line_is_plain_and_stable(text: str) -> None:
    line = clean_line(text)
    assert is_plain(line)
    assert clean_line(line) == line


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Tom &amp;amp; Ann", "Tom &amp; Ann"),
        ("a<br>b<p>c</p>d<i>e</i>f", "a b c def"),
        ("2 &lt; 3", "2 < 3"),
        ("", ""),
    ],
)
def test_text_of_decodes_once(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("The <em>Mirror</em> &amp; us", "The Mirror &amp; us"),
        ("When a < b and c > d", "When a < b and c > d"),
        ("  Two\nlines ", "Two lines"),
    ],
)
def test_clean_title_takes_off_tags_only(title: str, clean: str) -> None:
    assert clean_title(title) == clean


@given(MARKUP | st.text())
def test_any_markup_becomes_plain_text(html: str) -> None:
    body = read_body(html, "https://paper.example/x/")
    for paragraph in body.opening:
        assert all(is_plain(line) and line for line in paragraph.lines)
    for picture in body.pictures:
        assert picture.url.startswith(("http://", "https://"))
        assert picture.url.isascii()
        assert is_plain(picture.caption)
    assert is_plain(text_of(html))


def test_deep_nesting_is_cut() -> None:
    body = read_body(
        "<p>First.</p>" + "<div>" * (MAX_TAGS // 8) + "in" + "<i>" * MAX_TAGS + "x", ""
    )
    assert body.opening[0].text == "First."
    assert body.words == 2


@given(PROSE)
def test_sentences_are_the_paragraph(text: str) -> None:
    assert " ".join(split_sentences(text)).split() == text.split()


@given(PROSE)
def test_closed_quotes_are_closed(text: str) -> None:
    assert len(open_quotes(close_quotes(text))) <= len(open_quotes(text))


@given(st.lists(PROSE.map(clean_line), max_size=4))
def test_an_excerpt_is_short_and_stable(paragraphs: list[str]) -> None:
    excerpt = shorten(paragraphs)
    assert len(excerpt) <= LONGEST
    assert shorten([excerpt]) == excerpt
    assert is_plain(excerpt)


@given(st.text().map(clean_line), st.lists(st.text().map(clean_line)))
def test_excerpt_of_anything(own: str, paragraphs: list[str]) -> None:
    excerpt = make_excerpt(own, paragraphs)
    assert len(excerpt) <= LONGEST
    assert is_plain(excerpt)


@given(PROSE.map(clean_line), st.integers(20, LENGTH))
def test_a_cut_fits_and_begins_as_the_text(text: str, length: int) -> None:
    cut = cut_at_word(text, length)
    assert len(cut) <= length
    if cut != text:
        kept, _, closing = cut.rpartition("…")
        assert text.startswith(kept)
        assert not any(map(str.isalnum, closing))


def test_a_cut_leaves_no_quotation_open() -> None:
    text = "“" + "We left and they stayed, and then it rained and rained. " * 8 + "”"
    excerpt = make_excerpt("", [text])
    assert excerpt.endswith("…”")
    assert not open_quotes(excerpt)


@given(st.text() | PROSE)
def test_credit_takes_nothing_away(caption: str) -> None:
    words, credit = split_credit(caption)
    assert words in caption
    assert credit in caption


@given(st.lists(st.text() | PROSE, max_size=5))
def test_a_byline_is_part_of_its_line(lines: list[str]) -> None:
    byline = find_byline(lines)
    if byline.writer:
        assert any(byline.writer in line for line in lines)
    else:
        assert byline.lines == tuple(lines)
    assert all(read_byline(line) in line for line in lines)


def test_a_bold_byline_runs_into_the_text() -> None:
    byline = find_byline(["By Ani Hakobyan YEREVAN — The mill turns."], stressed="By Ani Hakobyan")
    assert byline.writer == "Ani Hakobyan"
    assert byline.lines == ("YEREVAN — The mill turns.",)


@pytest.mark.parametrize(
    ("author", "clean"),
    [
        ("by Ani Hakobyan", "Ani Hakobyan"),
        ("ani@paper.example (Ani Hakobyan)", "Ani Hakobyan"),
        ("Ani Hakobyan <ani@paper.example>", "Ani Hakobyan"),
        ("ani@paper.example", ""),
        ("admin", ""),
        ("Byron Smith", "Byron Smith"),
    ],
)
def test_clean_author(author: str, clean: str) -> None:
    assert clean_author(author) == clean


def test_strip_byline_from_an_excerpt() -> None:
    text = "By Ani Hakobyan YEREVAN — The mill turns."
    assert strip_byline(text, "Ani Hakobyan") == "YEREVAN — The mill turns."
    assert strip_byline("By Thursday it was over.", "Ani Hakobyan") == "By Thursday it was over."


@pytest.mark.parametrize(
    ("text", "told", "language"),
    [
        ("Ջրաղացը նորից պտտվում է", None, "hy"),
        ("Ջրաղացը նորից պտտվում է", "en-US", "hy"),
        ("Ջրաղացը նորից պտտվում է", "hyw", "hyw"),
        ("Мельница снова работает", None, None),
        ("Мельница снова работает", "ru_RU", "ru-RU"),
        ("The mill turns again by the river", "hy", None),
        ("The mill turns again", "en", "en"),
        ("The mill turns again", None, None),
        ("", "hy", "hy"),
    ],
)
def test_language(text: str, told: str | None, language: str | None) -> None:
    assert guess_language(text, told) == language


def test_words() -> None:
    assert count_words("One — two, 3 ★ չորս") == 4
