from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import RenderError
from newsletter.rendering.environment import Templates
from newsletter.rendering.fill import disarm_marks, fill_slots, strip_personal, strip_personal_text
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.stories.model import Picture
from tests.rendering.sample_issue import NEWSLETTER, PUBLICATION, SITE, sample_issue

VALUES = {
    ReaderSlot.UNSUBSCRIBE: "a.one",
    ReaderSlot.PREFERENCES: "a.two",
    ReaderSlot.CLICK: "a.three",
}
PIECES = st.lists(st.one_of(st.sampled_from(list(ReaderSlot)), st.text(alphabet="aX<>/ \n")))


def test_every_mark_is_filled(rendered: RenderedIssue) -> None:
    for part in (rendered.html, rendered.text):
        filled = fill_slots(part, VALUES)
        assert "/unsubscribe/a.one" in filled
        assert "/preferences/a.two" in filled
        assert not any(slot in filled for slot in ReaderSlot)


def test_a_value_cannot_bring_in_another_slot() -> None:
    values = {**VALUES, ReaderSlot.UNSUBSCRIBE: ReaderSlot.PREFERENCES.value}
    assert fill_slots(f"<{ReaderSlot.UNSUBSCRIBE}>", values) == f"<{ReaderSlot.PREFERENCES}>"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(RenderError, match="UNSUBSCRIBE"):
        fill_slots(ReaderSlot.UNSUBSCRIBE, {ReaderSlot.PREFERENCES: "a.two"})


@given(PIECES)
def test_filling_changes_nothing_but_the_marks(pieces: list[str]) -> None:
    text = "|".join(pieces)
    expected = "|".join(
        VALUES[piece] if isinstance(piece, ReaderSlot) else piece for piece in pieces
    )
    assert fill_slots(text, VALUES) == expected


@given(PIECES)
def test_no_mark_survives_stripping(pieces: list[str]) -> None:
    text = "".join(pieces)
    for stripped in (strip_personal(text), strip_personal_text(text)):
        assert not any(slot in stripped for slot in ReaderSlot)


def test_the_copy_for_everybody_keeps_the_stories_and_drops_the_reader(
    rendered: RenderedIssue,
) -> None:
    public = strip_personal(rendered.html)
    assert public.count("<h3") == rendered.html.count("<h3")
    assert "/unsubscribe/" not in public
    assert "you subscribed" not in public
    assert "View in browser" not in public
    assert "/subscribe/weekly" in public


def test_links_of_a_template_without_reader_marks_are_dropped_too() -> None:
    html = f'<p>Keep <a href="https://x.example/u/{ReaderSlot.UNSUBSCRIBE}" class="a">Leave</a></p>'
    assert strip_personal(html) == "<p>Keep </p>"


def test_the_text_for_everybody(rendered: RenderedIssue) -> None:
    public = strip_personal_text(rendered.text)
    assert "Chess at Midnight" in public
    assert "Unsubscribe" not in public


@given(PIECES.map("".join) | st.text(alphabet="XREADUNSBCIPFYO", max_size=60))
def test_what_a_story_says_is_never_filled(words: str) -> None:
    disarmed = disarm_marks(words)
    assert fill_slots(disarmed, {}) == disarmed


def test_a_mark_in_a_story_hands_out_no_token(templates: Templates) -> None:
    issue, mark = sample_issue(), ReaderSlot.UNSUBSCRIBE
    item = issue.sections[-1].items[0]
    picture = Picture(f"https://evil.example/a.jpg?t={mark}", 900, 600, alt=f"<!--reader-->{mark}")
    hostile = replace(item, headline=f"{mark}", url=f"https://evil.example/{mark}", picture=picture)
    section = replace(issue.sections[-1], items=(hostile,))
    issue = replace(issue, subject=f"{mark}", sections=(*issue.sections[:-1], section))
    rendered = render_issue(issue, PUBLICATION, NEWSLETTER, base_url=SITE, templates=templates)
    for part in (rendered.html, rendered.text):
        filled = fill_slots(part, VALUES)
        assert filled.count("a.one") == filled.count(f"{SITE}/unsubscribe/a.one") == 1
    # Nor does a picture's description open the reader's part, which the archive takes out.
    assert "evil.example" in strip_personal(rendered.html)
