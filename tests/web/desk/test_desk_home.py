"""The desk's first page: what waits for whom, how the last issue did, what needs attention."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from newsletter.issues.model import Issue, IssueState
from newsletter.publication.editors import Role
from newsletter.publication.model import Settings
from newsletter.subscribers.model import Alarm, Consent, Subscriber, SubscriptionState
from newsletter.web.desk.home import MOST_ISSUES, MOST_TROUBLES
from newsletter.workflows import totals
from newsletter.workflows.installation import Installation
from newsletter.workflows.totals import count_issues
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.desk.send_shop import set_up
from tests.web.site import NOW, SETTINGS, Site
from tests.web.test_web_issues import issue_of, put_issue

SENDS = issue_of().send_at


def text_of(person: Person) -> str:
    page = person.get("/desk/")
    assert page.status_code == 200
    assert len(page.content) < 100_000
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def move(site: Site, issue: Issue, to: IssueState, actor: str, reason: str = "") -> None:
    with site.database.write() as tx:
        assert tx.issues.move(
            issue.public_id, frozenset(IssueState), to, actor, site.clock.now(), reason=reason
        )


def test_an_empty_desk_says_what_comes(site: Site) -> None:
    text = text_of(somebody(site, Role.VIEWER))
    assert "The Courier Weekly Drafted Thursday, August 7" in text
    assert "goes out Friday, August 8" in text
    assert "From the Kitchen Drafted Monday, September 1" in text
    assert "Nothing was sent yet." in text
    assert "Nothing: all sources and relays answer." in text


def test_what_is_over_or_skipped_does_not_come_again(site: Site) -> None:
    viewer = somebody(site, Role.VIEWER)
    move(site, put_issue(site, issue_of()), IssueState.SENT, "anna")
    assert "goes out Friday, August 15" in text_of(viewer)
    with site.database.write() as tx:
        tx.skipped_slots.skip("weekly", "2025-W33", "anna", NOW)
    text = text_of(viewer)
    assert "goes out Friday, August 22" in text
    assert "Skipped: Friday, August 15, 07:00 Los Angeles." in text


def test_a_cancelled_one_gives_way_to_the_next_and_is_told(site: Site) -> None:
    move(site, put_issue(site, issue_of()), IssueState.CANCELLED, "anna")
    text = text_of(somebody(site, Role.VIEWER))
    assert "Cancelled: Friday, August 8, 07:00 Los Angeles." in text
    assert "goes out Friday, August 15" in text


def test_a_draft_waits_for_who_may_approve_it(site: Site) -> None:
    put_issue(site, issue_of())
    publisher, viewer = somebody(site, Role.PUBLISHER), somebody(site, Role.VIEWER)
    told = (
        "A publisher has to approve it before Friday, August 8, 07:00 Los Angeles. "
        "Unless somebody approves it, it goes nowhere."
    )
    assert f"Waits for you {told}" in text_of(publisher)
    assert f"Draft {told}" in text_of(viewer)
    site.clock.instant = SENDS + timedelta(hours=1)
    assert "Is late: its time was Friday, August 8, 07:00 Los Angeles." in text_of(viewer)
    site.clock.instant = SENDS + timedelta(hours=12)
    assert "it was not approved before Friday, August 8, 19:00 Los Angeles." in text_of(viewer)


@pytest.mark.parametrize(
    ("unapproved", "told"),
    [
        ("send", "If nobody acts, it goes out as it is."),
        ("safe", "If nobody acts, a safe version goes out: chosen by the reads up to yesterday"),
    ],
)
def test_a_draft_tells_what_becomes_of_it_if_nobody_acts(
    site: Site, unapproved: str, told: str
) -> None:
    put_issue(site, issue_of())
    put_issue(site, issue_of(slot="2025-W32.x1"))
    set_up(site, {"unapproved": unapproved})
    viewer = somebody(site, Role.VIEWER)
    text = text_of(viewer)
    assert f"before Friday, August 8, 07:00 Los Angeles. {told}" in text
    # An extra waits for a hand.
    assert text.count("Unless somebody approves it, it goes nowhere.") == 1
    site.clock.instant = SENDS + timedelta(minutes=1)
    assert "Nobody approved it, so it goes out by itself any minute." in text_of(viewer)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (IssueState.DRAFT, "A publisher has to approve it before Thursday, August 7, 20:00 Los"),
        (IssueState.APPROVED, "Goes out by itself on Thursday, August 7, 20:00 Los Angeles."),
    ],
)
def test_readers_in_the_east_bring_the_time_forward(
    site: Site, state: IssueState, told: str
) -> None:
    set_up(site, {"waves": {"local_time": True}})
    issue = put_issue(site, issue_of())
    ani = Subscriber("ani", "ani@reader.example", NOW, timezone="Asia/Yerevan")
    with site.database.write() as tx:
        tx.subscribers.add(ani, "ani")
        tx.subscribers.subscribe(
            *("ani", "weekly", SubscriptionState.ACTIVE),
            *(Consent("import", "told on paper", NOW), NOW, "test"),
        )
    if state is IssueState.APPROVED:
        move(site, issue, state, "anna")
    # 07:00 in Yerevan, where it is eleven hours later than in Los Angeles.
    assert told in text_of(somebody(site, Role.VIEWER))


@pytest.mark.parametrize(
    ("state", "told", "role", "mine"),
    [
        (IssueState.APPROVED, "Approved by Nare. Goes out by itself on Friday", Role.ADMIN, False),
        (
            IssueState.HELD,
            "until an editor releases or cancels it. A dead link.",
            Role.EDITOR,
            True,
        ),
        (IssueState.HELD, "until an editor releases or cancels it.", Role.VIEWER, False),
        (IssueState.SENDING, "On its way to its readers.", Role.ADMIN, False),
        (IssueState.PAUSED, "until a publisher goes on or recalls it.", Role.PUBLISHER, True),
        (IssueState.PAUSED, "until a publisher goes on or recalls it.", Role.EDITOR, False),
    ],
)
def test_each_state_says_for_whom_it_waits(
    site: Site, state: IssueState, told: str, role: Role, mine: bool
) -> None:
    nare = put_editor(site, Role.PUBLISHER, "nare@paper.example", name="Nare")
    issue = put_issue(site, issue_of())
    move(site, issue, state, nare.public_id, "A dead link.")
    text = text_of(somebody(site, role))
    assert told in text
    assert ("Waits for you" in text) == mine


def test_the_last_issues_figures(site: Site) -> None:
    for number in range(3):
        site.put(f"reader{number}@reader.example")
    issue = put_issue(site, issue_of(state=IssueState.SENT), html="<p>sent</p>")
    with site.database.write() as tx:
        tx.mailings.enqueue_audience(f"mailing{issue.public_id}", "weekly", NOW)
    text = text_of(somebody(site, Role.VIEWER))
    assert "The last issue The border road reopens, 2025-W32" in text
    assert "readers 3 have it 0 refused 0 clicks 0" in text


def test_figures_that_are_still_counted_say_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("reader@reader.example")
    issue = put_issue(site, issue_of(state=IssueState.SENT), html="<p>sent</p>")
    with site.database.write() as tx:
        tx.mailings.enqueue_audience(f"mailing{issue.public_id}", "weekly", NOW)
    monkeypatch.setattr(totals, "COUNTED_AT_ONCE", 0)
    person = somebody(site, Role.VIEWER)
    assert "Went to 1 readers; what became of them is being counted." in text_of(person)
    count_issues(cast(Installation, site))
    assert "readers 1 have it 0" in text_of(person)


def test_troubles_are_told_with_their_reason(site: Site) -> None:
    settings = Settings.model_validate(
        SETTINGS.model_dump(mode="json", by_alias=True)
        | {
            "source": [
                {"slug": f"s{n}", "kind": "feed", "url": "https://paper.example/feed"}
                for n in range(MOST_TROUBLES + 3)
            ]
        }
    )
    with site.database.write() as tx:
        tx.settings.register(settings, NOW)
        for source in settings.source[2:]:
            tx.sources.record_error(source.slug, NOW, f"{source.slug} <b>is</b> down")
        tx.sources.record_error("s2", NOW, "s2 is down still")
        tx.sources.record_success("s0", NOW)
        tx.sources.record_success("s1", NOW - timedelta(days=3))
        tx.sign_ups.set_alarm(Alarm(NOW, NOW + timedelta(hours=1)))
    person = somebody(site, Role.VIEWER)
    text = text_of(person)
    assert "An attack on the sign-up form is going on." in text
    assert "Source s1 Was last asked on Saturday, August 2" in text
    assert "Source s2 Failed 2 times in a row, last on Tuesday, August 5" in text
    assert "s2 is down still" in text
    assert "Source s0" not in text
    assert "… and 3 more" in text
    assert "<b>is</b>" not in person.get("/desk/").text


def test_a_hold_stands_above_all(site: Site) -> None:
    person = somebody(site, Role.VIEWER)
    assert "Nothing is sent at the moment." not in text_of(person)
    held = replace(site.context, hold=lambda: "it may be a copy")
    object.__setattr__(site.context, "hold", held.hold)
    assert "Nothing is sent at the moment. it may be a copy" in text_of(person)


def test_a_desk_with_years_of_issues_stays_short(site: Site) -> None:
    for week in range(1, 53):
        put_issue(site, issue_of(f"2024-W{week:02}"))
    text = text_of(sign_in(site, put_editor(site, Role.ADMIN, language="hy")))
    assert text.count("2024-W") == MOST_ISSUES
    assert f"{52 - MOST_ISSUES}" in text


def test_two_approvals_that_nobody_can_give_need_attention(site: Site) -> None:
    set_up(site, {"approval": "two"})
    publisher = somebody(site, Role.PUBLISHER)
    told = "The Courier Weekly Asks for two approvals, and fewer than two people"
    assert told in text_of(publisher)
    put_editor(site, Role.EDITOR, "editor2@paper.example")
    assert told in text_of(publisher)
    put_editor(site, Role.ADMIN, "admin2@paper.example")
    assert "two approvals" not in text_of(publisher)
