"""Whoever left has left, whoever asks with their address, until they confirm it themselves."""

import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from newsletter.publication.cadence import Cadence
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.growth import Period, count_growth
from newsletter.subscribers.model import SubscriptionWish
from newsletter.subscribers.states import BROUGHT_BACK, MOVES, SubscriptionAct
from newsletter.workflows import import_subscribers as workflow
from newsletter.workflows import undo_import as undoing
from newsletter.workflows.import_subscribers import ImportReport, import_subscribers
from newsletter.workflows.personal_data import collect_data
from newsletter.workflows.retention import expire, find_expired
from newsletter.workflows.undo_import import undo_import
from tests.web.site import NOW, Site

LILIT = "lilit@reader.example"
DAY = timedelta(days=1)
OLD_LIST = f"email\n{LILIT}\n"


def leave(site: Site, newsletter: str = "weekly") -> tuple[str, str]:
    """Lilit, who gets the newsletter, leaves: the path of her link, and the way back."""
    path = site.unsubscribe_path(site.put(LILIT, newsletter=newsletter), newsletter)
    return path, undo_in(site.client.post(path, data={"from": "page"}).text)


def undo_in(page: str) -> str:
    return page.split('name="undo" value="')[1].split('"')[0]


def ask(site: Site, newsletter: str = "weekly") -> str:
    """Somebody types in her address; the path of the link that her mailbox gets."""
    site.sign_up(LILIT, newsletter, placement="footer")
    return link_in(site)


def link_in(site: Site) -> str:
    """The path of the link in the confirmation that goes out now."""
    ((delivery, mailing),) = site.outgoing()
    assert delivery.address == LILIT
    found = re.search(r"(/confirm/\S+)", mailing.text)
    assert found is not None
    return found[1]


def wishes(site: Site) -> dict[str, SubscriptionWish]:
    with site.database.read() as tx:
        subscriber = tx.subscribers.find(LILIT)
        assert subscriber is not None
        return tx.wishes.of(subscriber.public_id)


def bring_in(site: Site, text: str) -> ImportReport:
    return import_subscribers(
        *(site.database, site.keyring, open_subscriber_file(text.encode())),
        newsletter="weekly",
        consent="Paper slips",
        actor="anna",
        now=site.clock.now(),
    )


def outcomes(report: ImportReport) -> dict[str, int]:
    return {str(outcome): n for outcome, n in report.outcomes.items() if n}


def test_the_undo_of_a_goodbye_works_whoever_asked_since(site: Site) -> None:
    path, undo = leave(site)
    before = site.subscription(LILIT)
    link = ask(site)
    assert site.subscription(LILIT) == before
    assert wishes(site).keys() == {"weekly"}
    assert "You are back on the list" in site.client.post(path, data={"undo": undo}).text
    after = site.subscription(LILIT)
    assert before is not None
    assert after is not None
    assert (after.state, after.consent) == ("active", before.consent)
    assert wishes(site) == {}
    # What was asked for is over: the link brings nobody back from the next goodbye.
    site.client.post(path)
    assert site.client.post(link).status_code == 410
    assert site.state(LILIT) == "unsubscribed"


def test_who_left_confirms_that_they_come_back(site: Site) -> None:
    leave(site)
    link = ask(site)
    page = site.client.get(link)
    assert (page.status_code, "Yes, send me The Courier Weekly" in page.text) == (200, True)
    assert site.state(LILIT) == "unsubscribed"
    assert "You are on the list" in site.client.post(link).text
    after = site.subscription(LILIT)
    assert after is not None
    assert (after.state, after.left_from, after.left_because) == ("active", None, None)
    assert (after.consent.how, after.consent.placement) == ("form", "footer")
    assert wishes(site) == {}
    assert [mail.subject for _, mail in site.outgoing()] == ["Welcome: The Courier Weekly"]
    # A second press says the same.
    assert "You are on the list" in site.client.post(link).text
    with site.database.read() as tx:
        changes = tx.changes.of("subscription", after.subscriber.public_id)
        told = count_growth(tx.growth.since(NOW - DAY), Period.WEEK, ZoneInfo("UTC"))
    assert [change.act for change in changes] == [
        *("active", "unsubscribed"),
        *("asked", "pending", "active"),
    ]
    footer = [one for one in told if one.placement == "footer"]
    assert [(one.signed_up, one.confirmed) for one in footer] == [(1, 1)]


def test_who_asks_again_before_they_confirm_has_signed_up_once(site: Site) -> None:
    leave(site)
    ask(site)
    first = wishes(site)["weekly"]
    site.sign_up(LILIT, placement="article")
    # Not mailed, and the one that was stands.
    assert site.outgoing() == []
    assert wishes(site)["weekly"] == first
    site.clock.sleep(25 * 3600)
    ask(site)
    newest = wishes(site)["weekly"].consent.at
    assert newest > first.consent.at + DAY
    with site.database.read() as tx:
        told = count_growth(tx.growth.since(NOW - DAY), Period.MONTH, ZoneInfo("UTC"))
    assert sum(one.signed_up for one in told) == 1


def test_leaving_again_ends_what_was_asked_for(site: Site) -> None:
    path, undo = leave(site)
    link = ask(site)
    assert undo_in(site.client.post(path, data={"from": "page"}).text) == undo
    assert wishes(site) == {}
    for answer in (site.client.get(link), site.client.post(link)):
        assert answer.status_code == 410
    assert site.state(LILIT) == "unsubscribed"


def test_a_newsletter_that_was_left_is_confirmed_beside_another(site: Site) -> None:
    leave(site, "kitchen")
    link = ask(site)
    site.sign_up(LILIT, "kitchen")
    assert "From the Kitchen" in site.client.get(link).text
    site.client.post(link, data={"also": "kitchen"})
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "active")


def test_a_wish_for_the_best_of_a_month_is_kept_until_it_is_confirmed(site: Site) -> None:
    leave(site)
    wanted = {"newsletter": "weekly", "address": LILIT, "cadence": "monthly"}
    assert site.client.post("/api/v1/subscriptions", json=wanted).status_code == 202
    left = site.subscription(LILIT)
    site.client.post(link_in(site))
    back = site.subscription(LILIT)
    assert left is not None
    assert back is not None
    assert (left.cadence, back.cadence) == (Cadence.EACH, Cadence.MONTHLY)
    assert back.consent.how == "api"
    assert back.consent.network


def test_an_old_list_brings_nobody_back_once_the_wish_is_over(site: Site) -> None:
    leave(site)
    ask(site)
    installation = site.context.installation
    assert installation is not None
    assert outcomes(bring_in(site, OLD_LIST)) == {"left earlier": 1}
    site.clock.sleep(31 * DAY.total_seconds())
    assert find_expired(installation).unconfirmed == 1
    assert expire(installation).unconfirmed == 1
    assert expire(installation).unconfirmed == 0
    assert wishes(site) == {}
    assert site.state(LILIT) == "unsubscribed"
    assert outcomes(bring_in(site, OLD_LIST + "\n")) == {"left earlier": 1}
    with site.database.read() as tx:
        assert tx.subscribers.audience_size("weekly") == 0


def test_who_left_long_ago_has_time_to_confirm(site: Site) -> None:
    leave(site)
    site.clock.sleep(1200 * DAY.total_seconds())
    link = ask(site)
    installation = site.context.installation
    assert installation is not None
    assert expire(installation).long_gone == 0
    site.client.post(link)
    assert site.state(LILIT) == "active"


def test_an_import_that_took_a_reader_off_gives_back_whoever_asked_since(site: Site) -> None:
    site.put(LILIT)
    report = bring_in(site, f"email,status\n{LILIT},unsubscribed\n")
    assert outcomes(report) == {"taken off": 1}
    ask(site)
    undone = undo_import(site.database, report.import_id or "", actor="anna", now=NOW)
    assert undone.brought_back == 1
    assert site.state(LILIT) == "active"
    assert wishes(site) == {}


def test_who_asked_after_an_import_said_they_left_may_confirm_when_it_is_undone(
    site: Site,
) -> None:
    report = bring_in(site, f"email,status\n{LILIT},unsubscribed\nani@reader.example,\n")
    link = ask(site)
    assert site.state(LILIT) == "unsubscribed"
    undone = undo_import(site.database, report.import_id or "", actor="anna", now=NOW)
    assert (undone.subscriptions_removed, undone.people_removed) == (1, 1)
    assert site.state(LILIT) == "pending"
    assert wishes(site) == {}
    site.client.post(link)
    assert site.state(LILIT) == "active"


def test_who_asks_in_the_middle_of_an_undo_may_confirm(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the order of the file, and removed so.
    monkeypatch.setattr(workflow, "BATCH_ROWS", 1)
    monkeypatch.setattr(undoing, "UNDO_ROWS", 1)
    rows = f"email,status\nani@reader.example,unsubscribed\n{LILIT},unsubscribed\n"
    report = bring_in(site, rows)
    real, begun, links = site.database.write, 0, []

    def write() -> AbstractContextManager[Transaction]:
        nonlocal begun
        begun += 1
        # Ani's is removed already.
        if begun == 4:
            links.append(ask(site))
        return real()

    monkeypatch.setattr(site.database, "write", write)
    undone = undo_import(site.database, report.import_id or "", actor="anna", now=NOW)
    assert (undone.subscriptions_removed, undone.people_removed) == (1, 1)
    assert (site.state(LILIT), wishes(site)) == ("pending", {})
    site.client.post(links[0])
    assert site.state(LILIT) == "active"


def in_mid_confirmation(site: Site, reader: str, other: Callable[[], object]) -> None:
    """Begin ``other`` when a confirmation has taken the wish and changed nothing else yet."""
    begun: list[Future[object]] = []
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"

    def begin(connection: sa.Connection, _: object, statement: str, *__: object) -> None:
        if begun or not statement.startswith("UPDATE subscription"):
            return
        begun.append(pool.submit(other))
        end = time.monotonic() + 10
        while not site.database.is_sqlite and time.monotonic() < end:
            if begun[0].done() or connection.exec_driver_sql(waiting).first():
                break
            time.sleep(0.01)

    ask, confirm = MOVES[SubscriptionAct.ASK], MOVES[SubscriptionAct.CONFIRM]
    with ThreadPoolExecutor(1) as pool:
        with site.database.write() as tx:
            sa.event.listen(tx.connection, "before_cursor_execute", begin)
            tx.preferences.hold(reader)
            assert tx.wishes.take(reader, "weekly", ask.allowed, ask.to, NOW, "reader")
            assert tx.subscribers.move(
                reader, "weekly", confirm.allowed, confirm.to, NOW, "reader", "confirmed"
            )
            sa.event.remove(tx.connection, "before_cursor_execute", begin)
        begun[0].result()


def test_who_confirms_and_what_comes_in_between_do_not_wait_for_each_other(site: Site) -> None:
    reader = site.put(LILIT).public_id
    report = bring_in(site, f"email,status\n{LILIT},unsubscribed\n")

    def come_back() -> None:
        with site.database.write() as tx:
            tx.subscribers.come_back(reader, "weekly", BROUGHT_BACK, NOW, "reader")

    def undo() -> None:
        undo_import(site.database, report.import_id or "", actor="anna", now=NOW)

    for other in (undo, come_back):
        ask(site)
        in_mid_confirmation(site, reader, other)
        assert (site.state(LILIT), wishes(site)) == ("active", {}), other
        site.client.post(site.unsubscribe_path(site.put(LILIT)), data={"from": "page"})
        site.clock.sleep(2 * DAY.total_seconds())


def test_all_that_is_held_tells_of_the_wish(site: Site) -> None:
    leave(site)
    ask(site)
    subscription = site.subscription(LILIT)
    assert subscription is not None
    held = collect_data(site.database, site.keyring, subscription.subscriber)
    (wish,) = held["wishes"]
    assert (wish["newsletter"], wish["consent_placement"]) == ("weekly", "footer")
    assert wish["consent_network"]
    preferences = site.client.get(site.preferences_path(subscription.subscriber)).text
    assert "waits for your confirmation" in preferences
