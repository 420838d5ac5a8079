from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.view import (
    CARD_BOX,
    LEAD_BOX,
    fit_picture,
    issue_number,
    split_paragraphs,
    view_issue,
)
from newsletter.stories.model import Picture
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

SIZES = st.integers(1, 10_000)


@given(SIZES, SIZES, st.sampled_from((LEAD_BOX, CARD_BOX)))
def test_a_picture_keeps_its_shape_within_its_box(
    width: int, height: int, box: tuple[int, int]
) -> None:
    shown = fit_picture(Picture("https://x.example/p.jpg", width, height), box, "Headline")
    assert shown is not None
    assert shown.height is not None
    assert 1 <= shown.width <= min(box[0], width)
    assert 1 <= shown.height <= min(box[1], height)
    scale = min(box[0] / width, box[1] / height, 1)
    assert abs(shown.width - width * scale) <= 1
    assert abs(shown.height - height * scale) <= 1


def test_a_picture_of_unknown_size_fills_its_slot() -> None:
    shown = fit_picture(Picture("https://x.example/p.jpg"), CARD_BOX, "Headline")
    assert shown is not None
    assert (shown.width, shown.height, shown.fluid) == (200, None, True)


@pytest.mark.parametrize(
    ("picture", "alt"),
    [
        (Picture("https://x.example/p", alt="Hills", caption="The hills"), "Hills"),
        (Picture("https://x.example/p", caption="The hills"), "The hills"),
        (Picture("https://x.example/p"), "Headline"),
    ],
)
def test_the_words_for_a_picture(picture: Picture, alt: str) -> None:
    shown = fit_picture(picture, CARD_BOX, "Headline")
    assert shown is not None
    assert shown.alt == alt


@pytest.mark.parametrize(
    ("slot", "number"),
    [("2025-W32", "32"), ("2026-W01.x1", "1"), ("2025-08", "8"), ("2025-08-05", "")],
)
def test_the_number_of_an_issue(slot: str, number: str) -> None:
    assert issue_number(slot) == number


def test_paragraphs_are_parted_by_empty_lines() -> None:
    assert split_paragraphs("One\ntwo.\r\n\r\n  \n\nThree. ") == ("One two.", "Three.")


def test_a_story_in_two_sections_counts_once_and_ranks_have_no_gaps() -> None:
    issue = sample_issue()
    ranked, latest = issue.sections
    kept = replace(ranked, items=(*ranked.items[:1], *ranked.items[3:]))
    view = view_issue(
        replace(issue, sections=(kept, latest, replace(latest, slug="again"))),
        PUBLICATION,
        NEWSLETTER,
        base_url=BASE_URL,
    )
    assert view.story_count == 15
    assert [item.position for item in view.sections[0].items] == [1, 2, 3]


def test_links_to_stories_carry_the_campaign_and_others_do_not() -> None:
    issue = sample_issue()
    tag = f"utm_source=courier&utm_medium=email&utm_campaign={issue.newsletter}-{issue.slot}"
    view = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, utm_source="courier")
    items = [view.lead, *(item for section in view.sections for item in section.items)]
    assert len(items) > 10
    assert all(item is not None and item.url.endswith(tag) for item in items)
    assert "utm_" not in view.archive_url + view.unsubscribe_url
    plain = view_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL)
    assert plain.lead is not None
    assert "utm_" not in plain.lead.url
