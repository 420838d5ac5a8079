"""What each role may do, written out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.publication.editors import (
    IDLE_TIME,
    LONGEST_SESSION,
    MAY,
    Act,
    Editor,
    Role,
    Session,
    may,
)

NOW = datetime(2025, 8, 5, 11, tzinfo=UTC)
LILIT = Editor("lilit", "lilit@paper.example", "", Role.EDITOR, NOW)


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        (None, "sign_in"),
        (Role.VIEWER, "sign_in own look"),
        (Role.EDITOR, "sign_in own look edit history"),
        (Role.PUBLISHER, "sign_in own look edit history send readers"),
        (Role.ADMIN, "sign_in own look edit history send readers settings editors"),
    ],
)
def test_what_a_role_may(role: Role | None, acts: str) -> None:
    assert {act.value for act in Act if may(role, act)} == set(acts.split())


def test_every_role_has_its_acts() -> None:
    assert set(MAY) == {None, *Role}


def test_who_was_removed_may_nothing() -> None:
    assert LILIT.may(Act.EDIT)
    assert not LILIT.may(Act.SEND)
    assert not any(replace(LILIT, removed_at=NOW).may(act) for act in Act)


def test_an_editor_is_called_by_what_is_known() -> None:
    assert replace(LILIT, name="Lilit H.").called == "Lilit H."
    assert LILIT.called == "lilit"
    assert replace(LILIT, address="", removed_at=NOW).called == "lilit"


def test_a_session_is_over_by_age_by_idling_and_with_its_editor() -> None:
    session = Session("s", LILIT, NOW, NOW, NOW + LONGEST_SESSION)
    moment = timedelta(seconds=1)
    assert not session.is_over(NOW + IDLE_TIME - moment)
    assert session.is_over(NOW + IDLE_TIME)
    used = replace(session, seen_at=NOW + LONGEST_SESSION - moment)
    assert not used.is_over(NOW + LONGEST_SESSION - moment)
    assert used.is_over(NOW + LONGEST_SESSION)
    assert replace(session, editor=replace(LILIT, removed_at=NOW)).is_over(NOW)
