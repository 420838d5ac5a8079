"""A change of address that the old mailbox takes back: nothing that was done with the new
one outlives it, and nothing that stood before is lost by it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx2 import Response

from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.model import Subscriber, SubscriptionState, SuppressionReason
from newsletter.workflows.import_subscribers import import_subscribers
from tests.waiting import wait_until
from tests.web.site import Site
from tests.web.test_web_preferences import path_in

LILIT = "lilit@reader.example"
NEW = "new@other.example"
BOTH = {"newsletter": ["weekly", "kitchen"]}


def reader_of_one(site: Site) -> Subscriber:
    """Lilit, who gets the weekly and has left the kitchen."""
    lilit = site.put(LILIT)
    site.put(LILIT, newsletter="kitchen")
    site.client.post(site.unsubscribe_path(lilit, "kitchen"))
    return lilit


def ask_to_move(site: Site, who: Subscriber, to: str) -> str:
    """The path of the link that the new mailbox gets."""
    site.client.post(site.preferences_path(who) + "/address", data={"address": to})
    ((asked, question),) = site.outgoing()
    assert asked.address == to
    return path_in(question, "address")


def move(site: Site, who: Subscriber, to: str) -> str:
    """Change the address; the path of the link by which the old mailbox takes it back."""
    assert "is changed" in site.client.post(ask_to_move(site, who, to)).text
    ((_, letter),) = site.outgoing()
    return path_in(letter, "take-back")


def test_a_confirmation_counts_as_long_as_its_mailbox_is_the_readers(site: Site) -> None:
    lilit = reader_of_one(site)
    site.choose(site.preferences_path(lilit), BOTH)
    ((_, before),) = site.outgoing()
    take_back = move(site, lilit, NEW)
    site.clock.sleep(25 * 3600)
    site.choose(site.preferences_path(lilit), BOTH)
    ((asked, between),) = site.outgoing()
    assert asked.address == NEW
    mine, theirs = path_in(before, "confirm"), path_in(between, "confirm")
    for answer in (site.client.get(mine), site.client.post(mine)):
        assert answer.status_code == 410
    assert site.client.get(theirs).status_code == 200
    site.client.post(take_back)
    for answer in (site.client.get(theirs), site.client.post(theirs)):
        assert answer.status_code == 410
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "unsubscribed")


def press_twice_at_once(site: Site, link: str) -> list[Response]:
    ready = threading.Barrier(2)

    def press() -> Response:
        ready.wait()
        return site.client.post(link)

    with ThreadPoolExecutor(2) as threads:
        return [press.result() for press in [threads.submit(press) for _ in range(2)]]


@pytest.mark.parametrize("newsletters", [["weekly"], []])
def test_a_link_that_is_pressed_twice_at_once_says_the_same_twice(
    site: Site, newsletters: list[str]
) -> None:
    lilit = reader_of_one(site)
    site.choose(site.preferences_path(lilit), {"newsletter": newsletters})
    question = ask_to_move(site, lilit, NEW)
    for answer in (*press_twice_at_once(site, question), site.client.get(question)):
        assert (answer.status_code, "is changed" in answer.text) == (200, True)
    ((_, letter),) = site.outgoing()
    take_back = path_in(letter, "take-back")
    for answer in (*press_twice_at_once(site, take_back), site.client.get(take_back)):
        assert (answer.status_code, "the old one again" in answer.text) == (200, True)
    # As long as nothing else became of the address since.
    assert site.client.post(question).status_code == 410
    site.clock.sleep(60)
    move(site, lilit, "third@other.example")
    assert site.client.post(take_back).status_code == 410
    assert site.client.post(question).status_code == 410


def test_who_confirms_and_who_moves_to_that_address_do_not_wait_for_each_other(
    site: Site,
) -> None:
    question = ask_to_move(site, reader_of_one(site), NEW)
    # Typed in by anybody.
    holder = site.put(NEW, state=SubscriptionState.PENDING)
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    with ThreadPoolExecutor(1) as pool:
        with site.database.write() as tx:
            tx.preferences.hold(holder.public_id)
            moving = pool.submit(site.client.post, question)
            if not site.database.is_sqlite:
                assert wait_until(lambda: tx.connection.exec_driver_sql(waiting).first())
            tx.former_addresses.drop(site.keyring.hash_address(NEW))
            tx.sign_ups.answer_confirmation(site.keyring.hash_address(NEW))
        assert "is changed" in moving.result().text
    assert site.state(NEW) == "active"


def test_nobody_takes_the_place_of_whom_an_old_mailbox_may_take_back(site: Site) -> None:
    lilit = reader_of_one(site)
    ani = site.put("ani@reader.example")
    take_back = move(site, lilit, NEW)
    site.choose(site.preferences_path(lilit), {"newsletter": []})
    wish = site.preferences_path(ani) + "/address"
    refused = site.client.post(wish, data={"address": NEW}).text
    assert site.outgoing() == []
    # It looks as for an address that is free.
    assert site.client.post(wish, data={"address": "free@other.example"}).text == refused
    site.outgoing()
    assert site.client.get(take_back).status_code == 200
    site.clock.sleep(30 * 24 * 3600)
    site.client.post(wish, data={"address": NEW})
    assert [delivery.address for delivery, _ in site.outgoing()] == [NEW]


def test_whom_an_old_mailbox_may_take_back_keeps_the_place_from_who_asked_before(
    site: Site,
) -> None:
    lilit = reader_of_one(site)
    site.choose(site.preferences_path(lilit), {"newsletter": []})
    ani = site.put("ani@reader.example")
    question = ask_to_move(site, ani, NEW)
    site.clock.sleep(25 * 3600)
    take_back = move(site, lilit, NEW)
    assert site.client.post(question).status_code == 410
    assert site.state("ani@reader.example") == "active"
    assert site.client.post(take_back).status_code == 200
    assert site.state(LILIT) == "unsubscribed"


def bring_in(site: Site, address: str) -> dict[str, int]:
    """What an old list says of an address."""
    report = import_subscribers(
        *(site.database, site.keyring, open_subscriber_file(f"email\n{address}\n".encode())),
        newsletter="weekly",
        consent="Paper slips",
        actor="anna",
        now=site.clock.now(),
    )
    return {str(outcome): n for outcome, n in report.outcomes.items() if n}


def test_no_old_list_brings_back_who_gave_way_to_a_change_that_was_taken_back(site: Site) -> None:
    ani = site.put(NEW)
    site.client.post(site.unsubscribe_path(ani))
    site.client.post(move(site, reader_of_one(site), NEW))
    assert bring_in(site, NEW) == {"already there": 1}
    assert (site.state(LILIT), site.state(NEW)) == ("active", "unknown")
    # Whose it is says so at any time.
    site.sign_up(NEW)
    ((_, question),) = site.outgoing()
    site.client.post(path_in(question, "confirm"))
    assert site.state(NEW) == "active"


@pytest.mark.parametrize("reason", ["forgotten", "bounced"])
def test_what_forbade_mail_to_the_other_mailbox_forbids_it_again(site: Site, reason: str) -> None:
    address_hash = site.keyring.hash_address(NEW)
    with site.database.write() as tx:
        tx.subscribers.suppress(address_hash, SuppressionReason(reason), site.clock.now(), "test")
    lilit = reader_of_one(site)
    take_back = move(site, lilit, NEW)
    site.clock.sleep(60)
    theirs = move(site, lilit, "third@other.example")
    site.client.post(take_back)
    assert bring_in(site, NEW) == {"suppressed": 1}
    assert site.client.post(theirs).status_code == 410
    with site.database.read() as tx:
        assert tx.subscribers.suppression(address_hash) == reason
        assert tx.subscribers.is_in_audience(lilit.public_id, "weekly")


def test_what_the_other_mailbox_confirmed_is_off_again_and_stays_off(site: Site) -> None:
    lilit = reader_of_one(site)
    take_back = move(site, lilit, NEW)
    site.clock.sleep(60)
    site.choose(site.preferences_path(lilit), BOTH)
    ((_, question),) = site.outgoing()
    site.client.post(path_in(question, "confirm"))
    assert site.state(NEW, "kitchen") == "active"
    site.outgoing()
    site.client.post(take_back)
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "unsubscribed")
    # The welcome that went there has the link that leaves; it does not lead back.
    goodbye = site.client.post(site.unsubscribe_path(lilit, "kitchen"), data={"from": "page"})
    assert 'name="undo"' not in goodbye.text
    with site.database.read() as tx:
        last = tx.changes.of("subscription", lilit.public_id)[-1]
    assert (last.act, last.detail["reason"]) == ("unsubscribed", "address taken back")


def test_what_was_asked_for_and_a_pause_are_as_before_the_change(site: Site) -> None:
    lilit = reader_of_one(site)
    site.put(LILIT, "paused")
    before = site.subscription(LILIT)
    take_back = move(site, lilit, NEW)
    site.clock.sleep(60)
    site.sign_up(NEW)
    ((_, question),) = site.outgoing()
    site.sign_up(NEW, "kitchen")
    site.client.post(path_in(question, "confirm"))
    assert site.state(NEW) == "active"
    site.client.post(take_back)
    after = site.subscription(LILIT)
    assert before is not None
    assert after is not None
    assert (after.state, after.consent) == ("paused", before.consent)
    with site.database.read() as tx:
        assert tx.wishes.of(lilit.public_id) == {}


def test_a_sign_up_that_waits_ends_and_what_was_before_stays(site: Site) -> None:
    lilit = site.put(LILIT)
    take_back = move(site, lilit, NEW)
    site.clock.sleep(60)
    site.sign_up(NEW, "kitchen")
    assert site.state(NEW, "kitchen") == "pending"
    site.client.post(take_back)
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "unsubscribed")
