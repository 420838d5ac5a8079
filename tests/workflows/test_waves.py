"""Waves that begin, and the brake that stops what must not go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.issues.model import IssueState
from newsletter.storage.waves import WaveRepository
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import move_issue
from newsletter.workflows.waves import (
    check_brake,
    check_waves,
    release_due,
)
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    MINUTE,
    NOW,
    REFUSED,
)
from tests.workflows.sending import HOUR, ISSUE, Sending, opened

WAVES = '[newsletter.waves]\nstaff = ["@paper.example"]\ncanary = 0.2\nwait = "30 minutes"'


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Sending]:
    with opened(tmp_path, WAVES) as found:
        yield found


def test_one_wave_after_the_other(sending: Sending) -> None:
    sending.start(23)
    assert sending.release() == []
    staff = sending.claim()
    assert len(staff) == 3
    sending.answer(staff[:1], ACCEPTED)
    assert sending.release(MINUTE) == []
    sending.answer(staff[1:2], ACCEPTED)
    assert sending.release(MINUTE) == ["canary"]
    assert sending.release() == []
    canary = sending.claim()
    assert len(canary) == 4
    sending.answer(canary, ACCEPTED)
    # The wait counts from when the canary really began.
    assert sending.release(29 * MINUTE) == []
    assert sending.release(MINUTE) == ["the rest"]
    assert len(sending.claim()) == 16
    assert sending.release(HOUR) == []


def test_staff_whose_server_is_away_holds_nothing_up_for_long(sending: Sending) -> None:
    sending.start(23)
    sending.answer(sending.claim(), DEFERRED)
    assert sending.release(9 * MINUTE) == []
    assert sending.release(MINUTE) == ["canary"]


def test_nothing_begins_while_an_issue_is_paused(sending: Sending) -> None:
    sending.start(23)
    sending.answer(sending.claim(), ACCEPTED)
    move_issue(sending.installation, ISSUE, IssueState.PAUSED, actor="anna")
    assert sending.release(HOUR) == []
    sending.resume()
    assert sending.release() == ["canary"]


def test_the_waves_are_shown(sending: Sending) -> None:
    assert sending.waves() == ()
    sending.start(23)
    assert sending.lines() == [
        ("staff", 3, "under way"),
        ("canary", 4, "waits"),
        ("the rest", 16, "waits"),
    ]
    sending.answer(sending.claim(), ACCEPTED)
    sending.release()
    sending.answer(sending.claim(1), ACCEPTED)
    staff, canary, rest = sending.waves()
    assert staff.sentence() == "staff: 3 readers, done, since 2025-08-05 12:00 UTC"
    assert canary.sentence() == (
        "canary: 4 readers, under way, 3 still to go, since 2025-08-05 12:00 UTC"
    )
    assert rest.because == "its time is 2025-08-05 12:30 UTC"
    sending.clock.set(NOW + HOUR)
    assert sending.waves()[2].because == (
        'only 1 of the first 4 readers of the wave "canary" are settled'
    )
    move_issue(sending.installation, ISSUE, IssueState.RECALLED, actor="anna")
    assert [state for _, _, state in sending.lines()] == ["done", "done", "stopped"]


def test_the_brake_stops_an_issue_once_and_tells_the_editors(tmp_path: Path) -> None:
    with opened(tmp_path, delivery="[delivery]\nbrake_share = 0.1\nbrake_after = 100") as sending:
        sending.start(300)
        # They trip before the hundred are answered, and not one refusal earlier.
        assert sending.answer(sending.claim(50), ACCEPTED) == ()
        assert sending.answer(sending.claim(10), REFUSED) == ()
        assert sending.answer(sending.claim(1), REFUSED) == (ISSUE.public_id,)
        assert sending.state is IssueState.PAUSED
        (told,) = sending.notices()
        assert "11 of the first 100 readers" in told
        assert f"/desk/issues/{ISSUE.public_id}/sending" in told
        with sending.installation.database.read() as tx:
            changes = tx.changes.of("issue", ISSUE.public_id)
        paused, braked = changes[-2:]
        assert (paused.actor, paused.act) == ("brake", "paused")
        assert "more than 10 % of them (unknown_user 11)" in paused.detail["reason"]
        assert braked.detail == {"wave": 0, "rows": 100, "refused": 11}


def test_who_resumes_knows_of_those_and_not_of_the_next(tmp_path: Path) -> None:
    with opened(tmp_path, delivery="[delivery]\nbrake_share = 0.1\nbrake_after = 100") as sending:
        sending.start(250)
        told: list[str] = []
        assert sending.answer(sending.claim(11), REFUSED) == (ISSUE.public_id,)
        told += sending.notices()
        sending.resume()
        # The rest of the first hundred, however bad, and ten of the second.
        assert sending.answer(sending.claim(98), REFUSED) == ()
        assert sending.state is IssueState.SENDING
        assert sending.answer(sending.claim(1), REFUSED) == ()
        assert sending.answer(sending.claim(1), REFUSED) == (ISSUE.public_id,)
        told += sending.notices()
        sending.resume()
        # Of the last fifty, five are a tenth.
        sending.answer(sending.claim(89), ACCEPTED)
        assert sending.answer(sending.claim(5), REFUSED) == ()
        assert sending.answer(sending.claim(1), REFUSED) == (ISSUE.public_id,)
        told += sending.notices()
    figures = [next(line for line in text.split(". ") if "refused" in line) for text in told]
    assert [text.split("paused: ")[1].split(" readers")[0] for text in figures] == [
        "11 of the first 100",
        "11 of the first 100",
        "6 of the first 50",
    ]


def test_the_next_wave_waits_until_a_braked_one_was_let_go_on(tmp_path: Path) -> None:
    waves = '[newsletter.waves]\ncanary = 0.5\nwait = "1 minute"'
    with opened(tmp_path, waves) as sending:
        sending.start(40)
        canary = sending.claim()
        sending.answer(canary[:14], ACCEPTED)
        assert sending.answer(canary[14:19], REFUSED) == (ISSUE.public_id,)
        assert sending.release(HOUR) == []
        assert sending.waves()[1].because.startswith("the issue is paused: 5 of the first 20 ")
        sending.resume()
        assert sending.release() == ["the rest"]


def test_a_few_refusals_or_those_of_later_readers_stop_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, delivery="[delivery]\nbrake_after = 10") as sending:
        sending.start(40)
        assert sending.answer(sending.claim(4), REFUSED) == ()
        assert sending.answer(sending.claim(6), ACCEPTED) == ()
        assert sending.answer(sending.claim(30), REFUSED) == ()
        assert sending.state is IssueState.SENDING


def test_a_look_that_finds_nothing_reads_once(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.start(23)
    monkeypatch.setattr(WaveRepository, "of_issue", None)
    monkeypatch.setattr(WaveRepository, "first_rows", None)
    sending.clock.set(NOW - MINUTE)
    assert release_due(sending.installation) == ()
    assert check_brake(sending.installation, []) == ()
    assert check_brake(sending.installation, [10_000]) == ()


def test_zones_go_by_their_own_clocks(tmp_path: Path) -> None:
    with opened(tmp_path, "[newsletter.waves]\nlocal_time = true") as sending:
        # At NOW it is 08:00 in New York, 16:00 in Yerevan and 05:00 in Los Angeles.
        sending.clock.set(NOW - 8 * HOUR)
        sending.start(8, ("Asia/Yerevan", "America/Los_Angeles", None, "Mars/Base"))
        seen = []
        for _ in range(13):
            seen.append((sending.release(), len(claimed := sending.claim())))
            sending.answer(claimed, ACCEPTED)
            sending.clock.set(sending.clock.now() + HOUR)
        assert [(at, found) for at, found in enumerate(seen) if found[1]] == [
            (0, ([], 2)),
            (8, (["UTC-04:00"], 4)),
            (11, (["UTC-07:00"], 2)),
        ]


def test_a_draft_that_comes_after_the_first_readers_time_is_warned_of(tmp_path: Path) -> None:
    local = "[newsletter.waves]\nlocal_time = true"
    with opened(tmp_path, local) as sending:
        settings = sending.installation.settings()
        assert list(check_waves(sending.installation, settings)) == []
        sending.start(8, ("Pacific/Kiritimati",))
        assert list(check_waves(sending.installation, settings)) == []
    path = tmp_path / "config.toml"
    text = path.read_text("utf-8").replace("Thu 12:00", "Thu 13:00")
    path.write_text(text, encoding="utf-8")
    with open_installation(load_config(path, {}), MovingClock(NOW)) as installation:
        (finding,) = check_waves(installation, installation.settings())
    # 07:00 of Friday in Kiritimati (UTC+14) is 13:00 of Thursday in New York.
    assert "Thu 17:00 UTC" in finding.sentence
