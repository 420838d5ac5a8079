"""What becomes of a row: properties that hold whatever a file says and whatever we hold."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.subscribers.csv_import import Addition
from newsletter.subscribers.importing import Imported, SeenAddresses, decide, decide_former
from newsletter.subscribers.list_formats import ImportStatus
from newsletter.subscribers.model import Standing, SubscriptionState, SuppressionReason

STANDINGS = st.none() | st.builds(
    Standing,
    key=st.just(1),
    state=st.none() | st.sampled_from(SubscriptionState),
    departments=st.sampled_from([None, (), ("Arts",)]),
    timezone=st.sampled_from([None, "Asia/Yerevan"]),
    attributes=st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
)
ROWS = st.builds(
    Addition,
    line=st.just(2),
    address=st.just("ani@reader.example"),
    name=st.just(""),
    language=st.none(),
    status=st.sampled_from(ImportStatus),
    timezone=st.sampled_from([None, "Europe/Paris"]),
    departments=st.sampled_from([(), ("City",)]),
    attributes=st.none() | st.dictionaries(st.sampled_from("bc"), st.integers(2, 3)),
)
REASONS = st.none() | st.sampled_from(SuppressionReason)


@given(ROWS, STANDINGS, REASONS, st.booleans())
def test_nobody_comes_to_get_mail_who_left_or_is_suppressed(
    row: Addition, standing: Standing | None, reason: SuppressionReason | None, repeated: bool
) -> None:
    decided = decide(row, standing, reason, repeated=repeated)
    mailed = decided.adds and decided.state is not SubscriptionState.UNSUBSCRIBED
    if mailed:
        assert reason is None
        assert standing is None or standing.state is None
        assert not row.status.leaves
        assert decided.outcome is Imported.ADDED


@given(ROWS, STANDINGS.filter(bool), REASONS, st.booleans())
def test_an_address_that_was_given_up_brings_nobody(
    row: Addition, standing: Standing, reason: SuppressionReason | None, repeated: bool
) -> None:
    decided = decide_former(row, standing, reason, repeated=repeated)
    assert not decided.adds
    assert decided.learns is None
    assert not decided.takes_off or (row.status.leaves and row.status is not ImportStatus.BOUNCED)


@given(ROWS, STANDINGS, REASONS, st.booleans())
def test_whom_a_file_lets_go_is_let_go(
    row: Addition, standing: Standing | None, reason: SuppressionReason | None, repeated: bool
) -> None:
    decided = decide(row, standing, reason, repeated=repeated)
    live = standing is not None and standing.state not in (None, SubscriptionState.UNSUBSCRIBED)
    assert decided.takes_off == (row.status.leaves and live)
    assert not (decided.adds and decided.takes_off)
    if repeated:
        assert decided.outcome is Imported.REPEATED
    elif decided.takes_off:
        assert decided.outcome is Imported.TAKEN_OFF


@given(ROWS, STANDINGS, REASONS, st.booleans())
def test_a_reason_only_grows_and_what_is_known_stays(
    row: Addition, standing: Standing | None, reason: SuppressionReason | None, repeated: bool
) -> None:
    decided = decide(row, standing, reason, repeated=repeated)
    if decided.suppresses is not None:
        assert row.status.leaves
        assert reason is None or decided.suppresses.strength > reason.strength
    if decided.learns is not None:
        assert standing is not None
        assert decided.learns.timezone is None or standing.timezone is None
        assert not decided.learns.departments or standing.departments is None
        assert not (decided.learns.attributes or {}).keys() & standing.attributes.keys()


@given(st.lists(st.integers(0, 3_000), max_size=4_000))
def test_an_address_is_seen_once_it_was_added(numbers: list[int]) -> None:
    seen, known = SeenAddresses(), set()
    for number in numbers:
        assert seen.add(f"reader{number}@reader.example") == (number in known)
        known.add(number)
