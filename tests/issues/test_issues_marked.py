"""The small Markdown of a note: what it says, what it never lets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.marked import Span, clean_marked, link_address, plain_of, read_marked
from newsletter.rendering.filters import mark_words

MARKS = st.text(st.sampled_from("ab *_[]()<>\"'&:/.\n\\ևա"), max_size=60)
LINKS = st.sampled_from(["https://paper.example/a?b=1&c=2", "mailto:desk@paper.example", "x"])


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("**Bold** and *slanted*", "<strong>Bold</strong> and <em>slanted</em>"),
        ("*Շեղ* տառեր", "<strong>Շեղ</strong> տառեր"),
        ("2 * 3 * 4 and snake*case*d", "2 * 3 * 4 and snake*case*d"),
        ("**open", "**open"),
        (
            "[all *of* it](https://paper.example/a?b=1&c=2)",
            '<a href="https://paper.example/a?b=1&amp;c=2">all </a>'
            '<a href="https://paper.example/a?b=1&amp;c=2"><em>of</em></a>'
            '<a href="https://paper.example/a?b=1&amp;c=2"> it</a>',
        ),
        ("[write](mailto:desk@paper.example)", '<a href="mailto:desk@paper.example">write</a>'),
        ("[no](javascript:alert(1))", "[no](javascript:alert(1))"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
    ],
)
def test_what_is_written_is_shown(written: str, html: str) -> None:
    assert mark_words(written) == html


def test_the_text_part_has_addresses_behind_the_words() -> None:
    assert plain_of("**Read** [*this*, all](https://paper.example/a). [Write](mailto:d@e.am)") == (
        "Read this, all. Write",
        ("https://paper.example/a", "d@e.am"),
    )


@given(st.lists(MARKS | LINKS, max_size=8).map("".join))
def test_no_tag_comes_through_and_no_word_is_lost(text: str) -> None:
    cleaned = clean_marked(text)
    assert clean_marked(cleaned) == cleaned
    for paragraph in cleaned.split("\n\n"):
        spans = read_marked(paragraph)
        assert all(span.text for span in spans)
        assert all(span.url == "" or link_address(span.url) == span.url for span in spans)
        html = str(mark_words(paragraph))
        bare = html
        for tag in ("<strong>", "</strong>", "<em>", "</em>", "</a>"):
            bare = bare.replace(tag, "")
        for part in bare.split('<a href="')[1:]:
            assert part.lower().startswith(("http://", "https://", "mailto:"))
        assert bare.count("<") == bare.count('<a href="')


def test_pasted_markup_says_the_same() -> None:
    pasted = "<div>One <i>two</i></div><div>three<br>four</div><style>p{}</style><img src=x>"
    assert clean_marked(pasted) == "One *two*\n\nthree\nfour"
    assert read_marked("a **b**") == (Span("a "), Span("b", bold=True))
