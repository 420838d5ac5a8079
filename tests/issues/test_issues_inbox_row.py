"""The row of an inbox: counters, and lines that the stories offer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.inbox_row import (
    LineState,
    count_preheader,
    count_subject,
    suggest_preheaders,
    suggest_subjects,
)
from newsletter.issues.lines import LONGEST_PREHEADER, LONGEST_SUBJECT
from tests.issues.desk_issue import DESK, a_desk_issue, an_item

ISSUE = a_desk_issue()


@pytest.mark.parametrize(
    ("length", "subject", "preheader"),
    [
        (0, LineState.EMPTY, LineState.EMPTY),
        (1, LineState.GOOD, LineState.SHORT),
        (60, LineState.GOOD, LineState.GOOD),
        (61, LineState.LONG, LineState.GOOD),
        (111, LineState.LONG, LineState.LONG),
        (301, LineState.REFUSED, LineState.REFUSED),
    ],
)
def test_lines_are_counted(length: int, subject: LineState, preheader: LineState) -> None:
    assert count_subject("x" * length).state is subject
    assert count_preheader("x" * length).state is preheader
    assert count_subject("x" * length).characters == length


def test_what_is_offered_are_the_stories_own_words() -> None:
    written = replace(ISSUE, subject="Our own", preheader="And ours")
    subjects = suggest_subjects(written, DESK)
    assert subjects[0] == "Headline 4 of the week"
    assert "Headline 4 of the week · Week 32" in subjects
    preheaders = suggest_preheaders(written, DESK)
    assert "What happened on day 4." in preheaders
    assert suggest_subjects(ISSUE, DESK)[0] != ISSUE.subject


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4), st.text(max_size=80))
def test_offers_fit_and_repeat_nothing(headlines: list[str], subject: str) -> None:
    items = tuple(an_item(n, headline=text) for n, text in enumerate(headlines, 1))
    issue = replace(
        ISSUE, sections=(replace(ISSUE.sections[1], items=items),), lead="story1", subject=subject
    )
    subjects, preheaders = suggest_subjects(issue, DESK), suggest_preheaders(issue, DESK)
    assert len(set(subjects)) == len(subjects) <= 5
    assert subject not in subjects
    assert all(0 < len(offer) <= LONGEST_SUBJECT for offer in subjects)
    assert all(0 < len(offer) <= LONGEST_PREHEADER for offer in preheaders)
