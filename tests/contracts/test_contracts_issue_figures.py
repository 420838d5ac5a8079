"""What the desk shows of an issue on its way and afterwards, on each database."""

from datetime import date, timedelta

from newsletter.feedback.model import ClickSum
from newsletter.issues.links import story_links
from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import TroubledDomain
from newsletter.workflows.editors import add_editor
from newsletter.workflows.issue_figures import (
    FRESH,
    are_old,
    count_issue_figures,
    read_issue_figures,
)
from tests.contracts.nouns import (
    ACCEPTED,
    LEASE,
    MINUTE,
    NOW,
    REFUSED,
    a_settings,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers


def test_figures_are_those_of_now_and_are_kept_as_they_were(database: Database) -> None:
    issue = start_sending(database, 3)
    ledger = Workers(database)
    for delivery, outcome in zip(
        ledger.claim("w", NOW, LEASE, 2), (ACCEPTED, REFUSED), strict=True
    ):
        ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", outcome, NOW, "main")
    ledger.close()
    with database.read() as tx:
        line = tx.issue_lines.by_ids([issue.public_id])[issue.public_id]
        domain = next(iter(tx.mailings.domains(issue.public_id, 1))).domain
    figures = read_issue_figures(database, line, NOW)
    assert figures is not None
    assert figures.lately == 2
    assert sum(figures.waiting.values()) == 1
    assert figures.troubled == (TroubledDomain(domain, 1, 0),)
    counts = figures.report(issue, {}).counts
    assert (counts.accepted, counts.refused, counts.open) == (1, 1, 1)
    count_issue_figures(database, line, NOW)
    with database.read() as tx:
        kept = tx.figures.kept(f"issue:{issue.public_id}")
    assert kept is not None
    assert kept[1]["lately"] == 2
    later = read_issue_figures(database, line, NOW + 2 * MINUTE)
    assert later is not None
    assert later.lately == 0
    assert not are_old(figures, line, NOW + FRESH)
    assert are_old(figures, line, NOW + FRESH + MINUTE)
    assert are_old(None, line, NOW)
    with database.write() as tx:
        tx.issue_lines.forget_totals(issue.public_id)
        assert tx.figures.kept(f"issue:{issue.public_id}") is None


def test_clicks_come_in_the_order_of_the_mail(database: Database) -> None:
    issue = start_sending(database, 1)
    links = story_links(issue)
    with database.write() as tx:
        tx.links.keep(issue.public_id, links)
        last = links[-1]
        tx.links.add_clicks({(last.public_id, date(2025, 8, 5)): ClickSum(7, 3)})
        order = list(dict.fromkeys(link.story_id for link in links))
        found = tx.story_clicks.of(issue.public_id)
        assert [story for story, _ in found] == order
        assert dict(found)[last.story_id] == 7
        after = issue.send_at + MINUTE
        assert tx.story_clicks.before("weekly", after, 5) == [[count for _, count in found]]
        assert tx.story_clicks.before("weekly", issue.send_at, 5) == []


def test_a_goodbye_belongs_to_the_issue_before_it(database: Database) -> None:
    with database.write() as tx:
        tx.settings.register(a_settings(), NOW)
        first = an_issue("2025-W31", public_id="first", send_at=NOW)
        second = an_issue("2025-W32", public_id="second", send_at=NOW + timedelta(days=5))
        for issue in (first, second):
            tx.issues.create(issue, NOW, "anna")
            tx.issues.move(issue.public_id, frozenset(IssueState), IssueState.SENT, "anna", NOW)
        for days, newsletter in ((1, "weekly"), (4, "other"), (6, "weekly"), (13, "weekly")):
            at = NOW + timedelta(days=days)
            detail = {"newsletter": newsletter}
            tx.changes.record(at, "reader", "subscription", "reader", "unsubscribed", detail)
        found = tx.goodbyes.after("weekly", second.send_at, 5)
        assert [(one.issue_id, one.left) for one in found] == [("second", 1), ("first", 1)]
        assert [one.left for one in tx.goodbyes.after("weekly", first.send_at, 5)] == [1]


def test_an_editor_s_test_addresses_go_with_the_editor(database: Database) -> None:
    editor = add_editor(
        database, address="nare@paper.example", role=Role.EDITOR, actor="test", now=NOW
    )
    add_editor(database, address="ani@paper.example", role=Role.ADMIN, actor="test", now=NOW)
    with database.write() as tx:
        kept, name = tx.editor_test_addresses, editor.public_id
        assert kept.keep(name, "b@mail.example", NOW)
        assert kept.keep(name, "a@mail.example", NOW + MINUTE)
        assert not kept.keep(name, "a@mail.example", NOW)
        assert kept.of(name) == ("b@mail.example", "a@mail.example")
        assert kept.drop(name, "b@mail.example")
        assert not kept.drop(name, "b@mail.example")
        tx.editors.remove(name, NOW, "test")
        assert kept.of(name) == ()
