"""Segments: a filter means in both databases what it means in plain Python."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from newsletter.delivery.model import PlannedWave
from newsletter.issues.model import Choice
from newsletter.publication.cadence import Cadence
from newsletter.storage import segments
from newsletter.storage import tables as t
from newsletter.storage.audience_rows import AudiencePlace
from newsletter.storage.database import Database
from newsletter.subscribers.model import (
    Consent,
    Filter,
    LeaveReason,
    Segment,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.subscribers.segment_text import print_segment
from newsletter.subscribers.segments import parse_segment
from tests.contracts.nouns import NOW, a_mailing, an_issue
from tests.marking import first_soon
from tests.subscribers.filters import PLACES, filters, means

ZONE = ZoneInfo("America/New_York")
_EDGE = datetime(2025, 8, 5, tzinfo=ZONE)
_CONSENTS = [_EDGE, _EDGE - timedelta(seconds=1), _EDGE - timedelta(days=35), NOW]
_CLICKED = [NOW - timedelta(days=days) for days in (0, 7, 8, 90, 91)]
_NUMBERS = ["30", 30, "-1", 2.5, "2.5", "2.50", "1e3", "1.", ".5", "0.5.5", "--1", "12x", "१"]
_LINKS = 3

Clicks = dict[str, list[datetime]]


def an_attribute(draw: random.Random) -> Any:
    kinds: Sequence[Any] = [
        *PLACES,
        *_NUMBERS,
        True,
        False,
        None,
        {"a": "Paris"},
        [],
        ["Paris", 30],
    ]
    return draw.choice([*kinds, ["VIP", None, True], [["Paris"]]])


def some_readers(database: Database, *, documents: int | None = None) -> Clicks:
    """Readers of all kinds, on both newsletters; the links they clicked, by public id.

    With ``documents`` most of them share so many different attributes.
    """
    draw = random.Random(7)
    clicks: Clicks = {}
    known: list[dict[str, Any]] = []
    with database.write() as tx:
        issue = an_issue()
        tx.issues.create(issue, NOW, "anna")
        key = tx.connection.scalar(sa.select(t.issue.c.id))
        for number in range(_LINKS):
            link = {"public_id": f"link{number}", "issue_id": key, "section": "s", "position": 1}
            tx.connection.execute(
                sa.insert(t.link).values(**link, story=f"story{number}", place="headline")
            )
        links = tx.connection.scalars(sa.select(t.link.c.id)).all()
        for number in range(80):
            names = [
                name for name in ("city", "age", "tags", "vip", "քաղաք") if draw.random() < 0.6
            ]
            attributes = {name: an_attribute(draw) for name in names}
            if documents is not None:
                known.append(attributes)
                attributes = known[number % documents] if draw.random() < 0.8 else attributes
            language = draw.choice([None, "", "hy", "Hy", "en", "or"])
            person = Subscriber(
                f"p{number}", f"p{number}@reader.example", NOW, "", language, None, attributes
            )
            tx.subscribers.add(person, f"hash{number}")
            for slug in draw.choice([("weekly",), ("daily",), ("weekly", "daily"), ()]):
                _subscribe(tx, draw, person.public_id, slug)
            row = tx.connection.scalar(
                sa.select(t.subscriber.c.id).where(t.subscriber.c.public_id == person.public_id)
            )
            clicks[person.public_id] = []
            for link_id in draw.sample(list(links), draw.randrange(_LINKS + 1)):
                at, real = draw.choice(_CLICKED), draw.random() < 0.8
                seen = {"subscriber_id": row, "link_id": link_id, "first_at": at, "last_at": at}
                tx.connection.execute(
                    sa.insert(t.reader_click).values(**seen, clicks=2 * real, machine_clicks=1)
                )
                clicks[person.public_id] += [at] * real
    return clicks


def _subscribe(tx: Any, draw: random.Random, public_id: str, slug: str) -> None:
    consent = Consent(
        draw.choice(["form", "import", "Form"]),
        "yes",
        draw.choice(_CONSENTS),
        draw.choice(["article", "front page", ""]),
    )
    state = draw.choice(list(SubscriptionState))
    tx.subscribers.subscribe(public_id, slug, state, consent, NOW, "reader")
    departments = draw.choice([None, (), ("Arts",), ("Film", "Մշակույթ"), ("arts and film",)])
    if departments is not None:
        tx.subscribers.choose_departments(public_id, slug, departments, NOW, "reader")
    tx.subscribers.choose_cadence(public_id, slug, draw.choice(list(Cadence)), NOW, "reader")


@pytest.mark.parametrize("documents", first_soon([12, None]))
def test_a_filter_means_the_same_in_sql_and_in_python(
    database: Database, monkeypatch: pytest.MonkeyPatch, documents: int | None
) -> None:
    clicks = some_readers(database, documents=documents)
    if documents is not None:
        monkeypatch.setattr(segments, "_MANY_READERS", 10)
    with database.read() as tx:
        everybody = list(tx.subscribers.each(None))
    assert len(everybody) > 60

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(filters)
    def agrees(tree: Filter) -> None:
        wanted = [
            one
            for one in everybody
            if means(tree, one, clicks[one.subscriber.public_id], NOW, ZONE)
        ]
        segment = Segment(tree, NOW, ZONE)
        with database.read() as tx:
            found = list(tx.subscribers.each(None, segment))
            counted = tx.segments.count(segment)
        assert names(found) == names(wanted), print_segment(tree)
        assert counted.readers == len({one.subscriber.public_id for one in wanted})
        assert counted.subscriptions == Counter((one.newsletter, one.state) for one in wanted)
        one = everybody[len(wanted) % len(everybody)]
        with database.read() as tx:
            has = tx.segments.has(segment, one.subscriber.public_id, one.newsletter)
        assert has is (one in wanted)

    agrees()


def names(found: list[Subscription]) -> list[tuple[str, str]]:
    return [(one.subscriber.public_id, one.newsletter) for one in found]


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("attribute.city = yerevan", "Yerevan"),
        ("attribute.city != paris", None),
        ('attribute.city = ""', []),
        ("attribute.tags = vip", None),
    ],
)
def test_examples_of_the_guide(database: Database, text: str, city: Any) -> None:
    attributes = {"city": city, "tags": ["x", "VIP"]}
    with database.write() as tx:
        tx.subscribers.add(Subscriber("a", "a@reader.example", NOW, attributes=attributes), "hash")
        consent = Consent("form", "yes", NOW)
        tx.subscribers.subscribe("a", "weekly", SubscriptionState.ACTIVE, consent, NOW, "reader")
        assert tx.segments.count(Segment(parse_segment(text), NOW, ZONE)).readers == 1


def test_an_audience_is_narrowed_wherever_it_is_asked_for(database: Database) -> None:
    with database.write() as tx:
        for number in range(1, 21):
            town = "Yerevan" if number % 4 == 0 else "Paris"
            reader = Subscriber(
                *(f"p{number}", f"p{number}@{town.lower()}.example", NOW, "", "hy", town),
                {"city": town},
            )
            tx.subscribers.add(reader, f"hash{number}")
            consent = Consent("form", "yes", NOW)
            tx.subscribers.subscribe(
                reader.public_id, "weekly", SubscriptionState.ACTIVE, consent, NOW, "reader"
            )
        tx.subscribers.suppress("hash4", SuppressionReason.BOUNCED, NOW, "anna")
        tx.issues.create(an_issue(), NOW, "anna")
        tx.mailings.create(a_mailing(), key="key", issue_id=an_issue().public_id)
    segment = Segment(parse_segment("attribute.city = yerevan"), NOW, ZONE)
    plan = [
        PlannedWave("canary", NOW, share=0.5),
        PlannedWave("rest", NOW + timedelta(hours=1), others=True),
    ]
    with database.write() as tx:
        assert tx.subscribers.audience_size("weekly", segment) == 4
        assert tx.waves.reader_zones("weekly", segment) == ["Yerevan"]
        assert tx.audience.choices("weekly", segment=segment) == {Choice("hy"): 4}
        assert tx.audience.domains("weekly", 5, segment).named == (("yerevan.example", 4),)
        rows, _ = tx.audience.page("weekly", AudiencePlace(""), segment=segment)
        assert {row.domain for row in rows} == {"yerevan.example"}
        queued = tx.mailings.enqueue_audience("mailing1", "weekly", NOW, plan, segment=segment)
        assert queued == 4
        waves = tx.connection.execute(sa.select(t.wave.c.name, t.wave.c.readers)).all()
        assert sorted(map(tuple, waves)) == [("canary", 2), ("rest", 2)]


def test_the_log_tells_what_came_of_each_placement(database: Database) -> None:
    pending, active = SubscriptionState.PENDING, SubscriptionState.ACTIVE
    later = NOW + timedelta(days=1)
    with database.write() as tx:
        for number, placement in enumerate(["article", "article", "footer"]):
            name = f"p{number}"
            tx.subscribers.add(Subscriber(name, f"{name}@reader.example", NOW), f"hash{number}")
            consent = Consent("form", "yes", NOW, placement)
            tx.subscribers.subscribe(name, "weekly", pending, consent, NOW, "reader")
        tx.subscribers.move("p0", "weekly", [pending], active, later, "reader", "confirmed")
        left = SubscriptionState.UNSUBSCRIBED
        tx.subscribers.move("p0", "weekly", [active], left, later, "reader", "one-click")
        tx.preferences.tell_why_left("p0", "weekly", LeaveReason.OTHER, later, "reader")
        tx.subscribers.forget("p0", later, "anna")
        assert not tx.subscribers.move("p1", "weekly", [active], left, later, "reader", "page")
    with database.read() as tx:
        found = list(tx.growth.since(NOW))
        assert list(tx.growth.since(later)) == found[2:]
    assert [(one.at, one.placement, one.act, one.reason, one.count) for one in found] == [
        (NOW, "article", "pending", "", 2),
        (NOW, "footer", "pending", "", 1),
        (later, "article", "active", "confirmed", 1),
        (later, "article", "told why", "other", 1),
        (later, "article", "unsubscribed", "one-click", 1),
    ]
