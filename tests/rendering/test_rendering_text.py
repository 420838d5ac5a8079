import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.rendering.text import columns_of, underline, wrap, write_text
from newsletter.rendering.view import view_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300)


def test_lines_are_short_and_addresses_stand_alone(rendered: RenderedIssue) -> None:
    for line in rendered.text.splitlines():
        assert len(line) <= 78 or re.fullmatch(r"(https://|mailto:)\S+", line)
        assert "https://" not in line or re.fullmatch(r"https://\S+", line)


@pytest.mark.parametrize(
    "headline", ["国境の道がふたたび開かれる" * 9, "국경 도로가 다시 열리다 " * 9]
)
def test_wide_letters_take_two_columns(headline: str) -> None:
    lines = wrap(headline, "10. ").splitlines()
    assert all(60 < columns_of(line) <= 78 for line in lines[:-1])
    assert columns_of(lines[-1]) <= 78
    assert [line[:4] for line in lines] == ["10. ", *["    "] * (len(lines) - 1)]
    assert "".join("".join(lines)[4:].split()) == "".join(headline.split())
    assert underline("国境", "=") == "国境\n===="


@given(WORDS)
def test_no_line_of_words_is_wider_than_78_columns(words: str) -> None:
    assert all(columns_of(line) <= 78 for line in wrap(words.replace(":", "")).splitlines())


def test_every_story_is_there_with_its_address(rendered: RenderedIssue) -> None:
    text = " ".join(rendered.text.split())
    for item in sample_issue().items:
        assert item.headline in text
        assert rendered.text.count(f"\n{item.url}\n") == 1


def test_the_leads_picture_is_told_of_and_the_issue_can_be_passed_on(
    rendered: RenderedIssue,
) -> None:
    text = " ".join(rendered.text.split())
    lead = sample_issue().sections[1].items[0]
    assert lead.picture is not None
    told = f"{lead.excerpt} {lead.picture.caption} Photo: {lead.picture.credit} {lead.url}"
    assert told in text
    # Below the others there is no picture, and nothing is told of one.
    assert text.count("Photo: ") == 1
    passed_on = rendered.text.partition("\nPass it on:\n")[2].split("\n\n")[0].splitlines()
    assert passed_on[::2] == ["E-mail:", "WhatsApp:", "Facebook:", "Telegram:"]
    assert all(re.match(r"mailto:\?|https://", line) for line in passed_on[1::2])
    assert all("weekly%2F2025-W32" in line for line in passed_on[1::2])


def test_stories_are_numbered_save_the_lead(rendered: RenderedIssue) -> None:
    numbers = re.findall(r"^(\d+)\. ", rendered.text, re.MULTILINE)
    assert numbers == [str(number) for count in (5, 11) for number in range(1, count + 1)]
    assert "   Community · By Ani Petrosyan · 4,310 reads" in rendered.text
    assert "\nFirst Lorries Cross as the Border Road Reopens" in rendered.text


def test_the_footer_tells_how_to_leave_and_where_we_are(rendered: RenderedIssue) -> None:
    assert f"\n{BASE_URL}/unsubscribe/{ReaderSlot.UNSUBSCRIBE}\n" in rendered.text
    assert f"\n{BASE_URL}/preferences/{ReaderSlot.PREFERENCES}\n" in rendered.text
    assert rendered.text.endswith("12 Bridge Street, Glendale, CA 91200\n")


LONG = "https://paper.example/2025/08/04/" + "a-very-long-address-" * 4 + "of-a-story?page=2&all=1"


def _written(note: str) -> str:
    issue = sample_issue(note=note)
    view = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL)
    return write_text(view, issue, PUBLICATION, NEWSLETTER)


@pytest.mark.parametrize(
    ("note", "lines"),
    [
        (f"See {LONG} for more.", f"See\n{LONG}\nfor more."),
        (f"See {LONG}. Or not.", f"See\n{LONG}.\nOr not."),
        (f"({LONG})", f"(\n{LONG})"),
        (LONG, LONG),
        ("As at https://a.example/ and here", "As at\nhttps://a.example/\nand here"),
        ("Of https://a.example/Cup_(sport), too", "Of\nhttps://a.example/Cup_(sport),\ntoo"),
    ],
)
def test_an_address_among_words_goes_whole_on_a_line_of_its_own(note: str, lines: str) -> None:
    assert f"\n\n{lines}\n\n" in _written(note)


@given(WORDS, WORDS)
def test_no_address_is_cut_whatever_stands_around_it(before: str, behind: str) -> None:
    rows = _written(f"{before} {LONG} {behind}").split("\n")
    assert LONG in rows


def test_addresses_in_a_headline_or_an_excerpt_go_whole_too() -> None:
    issue = sample_issue(lead="late2")
    item = replace(issue.sections[1].items[0], headline=LONG, excerpt=f"At {LONG}")
    second = issue.sections[1].items[1]
    issue = replace(issue, sections=(replace(issue.sections[1], items=(second, item)),))
    view = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL)
    text = write_text(view, issue, PUBLICATION, NEWSLETTER)
    assert f"\n1.\n{LONG}\n   Armenia & Region · By Lilit Hakobyan · 6 min\n   At\n{LONG}\n" in text


@given(WORDS, WORDS, WORDS)
def test_any_words_keep_the_columns(headline: str, excerpt: str, note: str) -> None:
    issue = sample_issue(note=note)
    items = (replace(issue.sections[1].items[0], headline=headline, excerpt=excerpt),)
    issue = replace(issue, sections=(replace(issue.sections[1], items=items),))
    view = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL)
    text = write_text(view, issue, PUBLICATION, NEWSLETTER)
    assert all(
        len(row) <= 78 or row.startswith(("https://", "mailto:")) for row in text.split("\n")
    )
    assert ReaderSlot.UNSUBSCRIBE in text
