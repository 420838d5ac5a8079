"""The rehearsal's ledger and relay, alone and in the engine."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.engine import Callbacks, Engine, Limits
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import (
    Delivery,
    DeliverySummary,
    Outcome,
    OutcomeKind,
    Permit,
    Relay,
    Reply,
    Settlement,
)
from newsletter.delivery.rehearsal import CountingRelay, RehearsalLedger, SizeSpread, Unmailable
from newsletter.delivery.responder import OFFERS, Answers, accept
from newsletter.delivery.writing import LetterWriter
from newsletter.errors import InvalidTransition, NotFound
from tests.delivery.samples import GIVE_UP, ISSUE, KEYRING, MAILING_ID, NOW, SetClock

RELAY = Relay("main", "relay.example", 25, connections=3, rate=1.0, daily_cap=2, warm_up=(1,))
TEMPLATE = MessageTemplate.of(ISSUE, KEYRING)


def readers(count: int) -> Iterator[Delivery]:
    for number in range(1, count + 1):
        name = f"reader{number:010d}"
        domain = "reader.example"
        yield Delivery(-number, MAILING_ID, name, f"{name}@{domain}", domain=domain)


def rehearse(
    deliveries: Iterator[Delivery],
    answers: Answers = accept,
    offers: Mapping[str, str] = OFFERS,
    **callbacks: object,
) -> tuple[RehearsalLedger, CountingRelay, list[Unmailable], DeliverySummary]:
    """Everything through the whole engine."""
    unmailable: list[Unmailable] = []
    ledger = RehearsalLedger([ISSUE], deliveries, unmailable.append)
    relay = CountingRelay({"main": offers}, answers)
    engine = Engine(
        ledger,
        [relay.without_limits(RELAY)],
        LetterWriter(ledger.mailing, lambda _: TEMPLATE, str.lower),
        SetClock(),
        Limits(give_up_after=GIVE_UP),
        Callbacks(**callbacks),  # type: ignore[arg-type]
        name="rehearsal",
        connect=relay.connect,
    )
    try:
        summary = engine.run()
    finally:
        engine.close()
    return ledger, relay, unmailable, summary


def test_everyone_is_written_to_without_waiting_for_limits() -> None:
    ledger, relay, unmailable, summary = rehearse(readers(1_500))
    assert summary == DeliverySummary(accepted=1_500)
    assert (ledger.taken, ledger.accepted, ledger.under_way) == (1_500, 1_500, 0)
    assert sum(relay.sizes.values()) == 1_500
    assert (unmailable, relay.utf8) == ([], 0)
    (size,) = relay.sizes
    assert size == len(TEMPLATE.build(next(readers(1))))


def test_only_what_is_under_way_is_kept() -> None:
    kept: list[int] = []
    ledger = RehearsalLedger([ISSUE], readers(5_000))

    def count(command: str, argument: bytes) -> bytes:
        kept.append(ledger.under_way)
        return accept(command, argument)

    relay = CountingRelay(answers=count)
    engine = Engine(
        ledger,
        [relay.without_limits(RELAY)],
        LetterWriter(ledger.mailing, lambda _: TEMPLATE, str.lower),
        SetClock(),
        Limits(give_up_after=GIVE_UP),
        Callbacks(),
        name="rehearsal",
        connect=relay.connect,
    )
    try:
        engine.run()
    finally:
        engine.close()
    assert ledger.accepted == 5_000
    assert 0 < max(kept) < 500


def test_addresses_that_no_envelope_carries_are_told() -> None:
    odd = ["no-at-sign", "two words@reader.example", "a@-bad-.example", "ok@reader.example"]
    deliveries = [Delivery(-n, MAILING_ID, f"r{n}", a) for n, a in enumerate(odd, 1)]
    ledger, relay, unmailable, _ = rehearse(iter(deliveries))
    assert [one.address for one in unmailable] == odd[:3]
    assert [one.recipient_id for one in unmailable] == ["r1", "r2", "r3"]
    assert {one.reason for one in unmailable} == {"unknown_user"}
    assert all("can't be mailed" in one.sentence for one in unmailable)
    assert (ledger.accepted, sum(relay.sizes.values())) == (1, 1)
    assert ledger.reasons == Counter(unknown_user=3)


def test_a_message_that_can_not_be_built_stops_nobody_else() -> None:
    broken = Delivery(-9, MAILING_ID, "no id at all", "ani@reader.example")
    ledger, _, unmailable, _ = rehearse(iter([broken, *readers(2)]))
    assert ledger.accepted == 2
    (one,) = unmailable
    assert (one.address, one.reason) == ("ani@reader.example", "content")
    assert "no usable recipient id" in one.sentence


@pytest.mark.parametrize("offered", [True, False])
def test_an_address_beyond_ascii_needs_what_the_relay_offers(offered: bool) -> None:
    offers = {name: "" for name in OFFERS if offered or name != "smtputf8"}
    odd = Delivery(-9, MAILING_ID, "reader9", "լիլիթ@reader.example")
    ledger, relay, unmailable, _ = rehearse(iter([*readers(2), odd]), offers=offers)
    assert (relay.utf8, ledger.accepted) == ((1, 3) if offered else (0, 2))
    assert [one.address for one in unmailable] == ([] if offered else [odd.address])
    assert all("SMTPUTF8" in one.sentence for one in unmailable)


def test_a_relay_without_pipelining_is_rehearsed_as_well() -> None:
    ledger, _, _, _ = rehearse(readers(20), offers={"size": "1000000"})
    assert ledger.accepted == 20


def test_what_a_server_answers_is_told() -> None:
    def answers(command: str, argument: bytes) -> bytes:
        if command == "RCPT" and b"0000000002@" in argument:
            return b"550 5.1.1 no such user\r\n"
        if command == "DOT" and b"0000000003@" in argument:
            return b"451 4.3.0 later\r\n"
        return accept(command, argument)

    ledger, relay, unmailable, summary = rehearse(readers(4), answers)
    assert summary == DeliverySummary(accepted=2, refused=1, deferred=1)
    assert sorted(one.sentence for one in unmailable) == [
        "deferred: 451 4.3.0 later",
        "refused: 550 5.1.1 no such user",
    ]
    assert (ledger.under_way, sum(relay.sizes.values())) == (0, 2)


def test_a_relay_that_hangs_up_once_costs_nobody_the_message() -> None:
    calls: list[str] = []

    def answers(command: str, argument: bytes) -> bytes | None:
        calls.append(command)
        return None if len(calls) == 30 and command != "DOT" else accept(command, argument)

    ledger, _, _, _ = rehearse(readers(60), answers)
    assert (ledger.taken, ledger.accepted + ledger.reasons.total()) == (60, 60)


def test_broken_off_in_the_middle_nothing_is_left_claimed() -> None:
    done: list[str] = []

    def answers(command: str, argument: bytes) -> bytes:
        done.append(command)
        return accept(command, argument)

    ledger, _, _, summary = rehearse(
        readers(5_000), answers, should_stop=lambda: done.count("DOT") >= 50
    )
    assert 50 <= ledger.accepted < 5_000
    assert summary.accepted == ledger.accepted
    assert ledger.taken - ledger.accepted == ledger.under_way
    assert ledger.next_due(NOW) == NOW


def test_the_ledger_has_no_limits_and_no_other_mail() -> None:
    ledger = RehearsalLedger([ISSUE], readers(1))
    worker = ledger.enroll("rehearsal", NOW, timedelta(seconds=30))
    assert ledger.renew(worker, NOW, timedelta(seconds=30))
    assert ledger.claim_system(worker, NOW, 50) == ()
    assert ledger.share(worker, RELAY, 0, NOW) == Permit(3, kept=1)
    assert ledger.grant(RELAY, 100, NOW) == 100
    assert ledger.recover(NOW, all_workers=True) == (0, 0)
    assert (ledger.relay_states(), ledger.next_due(NOW)) == ({}, None)
    with pytest.raises(NotFound):
        ledger.mailing("another")


def an_outcome(kind: OutcomeKind) -> Outcome:
    return Outcome(kind, kind.value, Reply(250 if kind is OutcomeKind.ACCEPTED else 450, "text"))


def test_what_was_not_handed_over_was_not_taken() -> None:
    ledger = RehearsalLedger([ISSUE], readers(1))
    (row,) = ledger.claim_issues(1, NOW, 5)
    with pytest.raises(InvalidTransition):
        ledger.commit(1, [Settlement(row.id, an_outcome(OutcomeKind.ACCEPTED))], [], NOW)


ACTS = st.lists(
    st.tuples(st.sampled_from(["claim", "hand over", "put off", "release", *OutcomeKind]),
              st.integers(1, 7)),
    max_size=60,
)  # fmt: skip


@given(st.integers(0, 30), ACTS)
def test_each_reader_is_counted_once_whatever_happens(
    count: int, acts: list[tuple[str, int]]
) -> None:
    unmailable: list[Unmailable] = []
    ledger = RehearsalLedger([ISSUE], readers(count), unmailable.append)
    claimed: set[int] = set()
    handed: set[int] = set()
    for act, number in acts:
        mine = sorted(claimed)[:number]
        if act == "claim":
            rows = [row.id for row in ledger.claim_issues(1, NOW, number)]
            assert len(rows) == len(set(rows)) <= number
            assert not claimed & set(rows)
            assert not handed & set(rows)
            claimed |= set(rows)
        elif act == "hand over":
            assert set(ledger.commit(1, [], mine, NOW)) == set(mine)
            claimed -= set(mine)
            handed |= set(mine)
        elif act == "put off":
            ledger.put_off(1, dict.fromkeys(mine, NOW))
            claimed -= set(mine)
        elif act == "release":
            assert ledger.release(1) == len(claimed)
            claimed.clear()
        else:
            rows = sorted(handed)[:number]
            outcome = an_outcome(OutcomeKind(act))
            ledger.commit(1, [Settlement(row, outcome) for row in rows], [], NOW)
            handed -= set(rows)
        assert ledger.taken == ledger.accepted + len(unmailable) + ledger.under_way
        assert ledger.reasons.total() == len(unmailable)
    ledger.release(1)
    rest = ledger.claim_issues(1, NOW, count + 1)
    assert len(rest) + len(handed) + ledger.accepted + len(unmailable) == count


@given(st.lists(st.integers(1, 50), max_size=200))
def test_the_spread_of_sizes_is_that_of_the_sorted_list(sizes: list[int]) -> None:
    spread = SizeSpread.of(Counter(sizes))
    ordered = sorted(sizes)
    if not ordered or spread is None:
        assert spread is None
        assert not ordered
        return
    assert (spread.smallest, spread.largest) == (ordered[0], ordered[-1])
    for share, found in ((50, spread.median), (95, spread.p95)):
        # The nearest rank, counted from one.
        assert found == ordered[-(-share * len(ordered) // 100) - 1]
