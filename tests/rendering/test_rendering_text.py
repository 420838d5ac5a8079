import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.rendering.text import write_text
from newsletter.rendering.view import view_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300)


def test_lines_are_short_and_addresses_stand_alone(rendered: RenderedIssue) -> None:
    for line in rendered.text.splitlines():
        assert len(line) <= 78 or re.fullmatch(r"https://\S+", line)
        assert "https://" not in line or re.fullmatch(r"https://\S+", line)


def test_every_story_is_there_with_its_address(rendered: RenderedIssue) -> None:
    text = " ".join(rendered.text.split())
    for item in sample_issue().items:
        assert item.headline in text
        assert rendered.text.count(f"\n{item.url}\n") == 1


def test_stories_are_numbered_save_the_lead(rendered: RenderedIssue) -> None:
    numbers = re.findall(r"^(\d+)\. ", rendered.text, re.MULTILINE)
    assert numbers == [str(number) for count in (5, 11) for number in range(1, count + 1)]
    assert "   Community · By Ani Petrosyan · 4,310 reads" in rendered.text
    assert "\nFirst Lorries Cross as the Border Road Reopens" in rendered.text


def test_the_footer_tells_how_to_leave_and_where_we_are(rendered: RenderedIssue) -> None:
    assert f"\n{BASE_URL}/unsubscribe/{ReaderSlot.UNSUBSCRIBE}\n" in rendered.text
    assert f"\n{BASE_URL}/preferences/{ReaderSlot.PREFERENCES}\n" in rendered.text
    assert rendered.text.endswith("12 Bridge Street, Glendale, CA 91200\n")


@given(WORDS, WORDS, WORDS)
def test_any_words_keep_the_columns(headline: str, excerpt: str, note: str) -> None:
    issue = sample_issue(note=note)
    items = (replace(issue.sections[1].items[0], headline=headline, excerpt=excerpt),)
    issue = replace(issue, sections=(replace(issue.sections[1], items=items),))
    view = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL)
    text = write_text(view, issue, PUBLICATION, NEWSLETTER)
    assert all(len(row) <= 78 or row.startswith("https://") for row in text.split("\n"))
    assert ReaderSlot.UNSUBSCRIBE in text
