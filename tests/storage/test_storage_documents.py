"""Issues and mailings as documents: nothing is lost, and old documents still load."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.issues.model import (
    Block,
    BlockKind,
    DroppedSection,
    FreshCheck,
    Issue,
    IssueState,
    Item,
    RunnerUp,
    Section,
    SiteWords,
)
from newsletter.pictures.model import SLOTS, PictureFile
from newsletter.publication.cadence import Edition
from newsletter.ranking.model import Pin
from newsletter.storage.documents import (
    issue_document,
    issue_from_document,
    mailing_document,
    mailing_from_document,
)
from newsletter.stories.model import Picture

SEND_AT = datetime(2025, 8, 8, 7, 0, tzinfo=UTC)

texts = st.text(max_size=20)
instants = st.timedeltas().map(lambda distance: SEND_AT + distance % timedelta(days=90_000))
counts = st.none() | st.integers(0, 10**9)


def each_field(noun: type, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """``noun`` with every one of its fields filled, those not named with text."""
    return st.builds(noun, **{field.name: known.get(field.name, texts) for field in fields(noun)})


files = each_field(
    PictureFile,
    slot=st.sampled_from([slot.name for slot in SLOTS]),
    width=st.integers(1, 2000),
    height=st.integers(1, 2000),
)
shares = st.floats(0, 1)
pictures = each_field(
    Picture,
    width=counts,
    height=counts,
    files=st.lists(files, max_size=2).map(tuple),
    focus=st.none() | st.tuples(shares, shares),
)
# A picture whole is drawn above already, and costs time.
site_words = st.builds(
    SiteWords,
    st.none() | texts,
    st.none() | texts,
    picture=st.sampled_from([None, Picture("https://paper.example/p.jpg", 3, 2, focus=(0.5, 0.1))]),
)
items = each_field(
    Item,
    position=st.integers(0, 99),
    minutes=st.integers(0, 99),
    language=st.none() | texts,
    published_at=st.none() | instants,
    picture=st.none() | pictures,
    reads=counts,
    reasons=st.lists(texts, max_size=3).map(tuple),
    site=site_words,
)
runners_up = each_field(RunnerUp, reads=counts)
sections = each_field(
    Section,
    items=st.lists(items, max_size=2).map(tuple),
    runners_up=st.lists(runners_up, max_size=2).map(tuple),
    relaxed=st.lists(texts, max_size=2).map(tuple),
)
some_texts = st.lists(texts, max_size=2).map(tuple)
checks = each_field(FreshCheck, at=instants, changes=some_texts, notes=some_texts)
blocks = each_field(Block, kind=st.sampled_from(BlockKind))
bare = each_field(Section, items=st.just(()), runners_up=st.just(()), relaxed=st.just(()))
dropped = each_field(DroppedSection, section=bare)
pins = each_field(Pin, position=st.integers(1, 28))
issues = each_field(
    Issue,
    state=st.sampled_from(IssueState),
    edition=st.sampled_from(Edition),
    date=st.dates(),
    send_at=instants,
    covers_from=instants,
    covers_until=instants,
    sections=st.lists(sections, max_size=2).map(tuple),
    held_over=some_texts,
    pins=st.lists(pins, max_size=2).map(tuple),
    excluded=some_texts,
    checks=st.lists(checks, max_size=2).map(tuple),
    block=st.none() | blocks,
    logo=st.none() | pictures,
    approved_at=st.none() | instants,
    version=st.integers(1, 999),
    lead_kept=st.booleans(),
    first_approved_at=st.none() | instants,
    dropped=st.lists(dropped, max_size=1).map(tuple),
)
mailings = each_field(
    Mailing,
    kind=st.sampled_from(MailingKind),
    created_at=instants,
    reply_to=st.none() | texts,
    return_path=st.none() | texts,
    newsletter_id=st.none() | texts,
    revision=st.integers(1, 99),
    departments=st.lists(texts, max_size=2).map(tuple),
    dkim_selectors=st.lists(texts, max_size=2).map(tuple),
)
COLUMNS = (
    *("public_id", "newsletter", "slot", "state", "send_at"),
    *("held_because", "approved_by", "approved_at", "version"),
    *("first_approved_by", "first_approved_at", "edition"),
)


@given(issues)
def test_an_issue_survives(issue: Issue) -> None:
    document = json.loads(json.dumps(issue_document(issue)))
    columns = {name: getattr(issue, name) for name in COLUMNS}
    assert issue_from_document(document, **columns) == issue


@given(mailings)
def test_a_mailing_survives(mailing: Mailing) -> None:
    assert mailing_from_document(json.loads(json.dumps(mailing_document(mailing)))) == mailing


def without(document: Any, keys: set[str]) -> Any:
    if isinstance(document, dict):
        return {k: without(v, keys) for k, v in document.items() if k not in keys}
    if isinstance(document, list):
        return [without(found, keys) for found in document]
    return document


@given(issues, st.data())
def test_a_document_of_another_version_loads(issue: Issue, data: st.DataObject) -> None:
    document = issue_document(issue)
    known = sorted(
        {field.name for noun in (Issue, Section, Item, RunnerUp, Picture) for field in fields(noun)}
        | {"format"}
    )
    lacking = data.draw(st.sets(st.sampled_from(known)))
    older = without(document, lacking) | {"a key of tomorrow": 1}
    columns = {name: getattr(issue, name) for name in COLUMNS}
    loaded = issue_from_document(older, **columns)
    if "title" not in lacking:
        assert loaded.title == issue.title
    if "sections" not in lacking:
        assert len(loaded.sections) == len(issue.sections)


def test_an_empty_document() -> None:
    issue = issue_from_document(
        {}, public_id="i", newsletter="weekly", slot="s", state=IssueState.SENT, send_at=SEND_AT
    )
    assert (issue.date, issue.covers_until, issue.sections) == (SEND_AT.date(), SEND_AT, ())
    mailing = mailing_from_document({})
    assert (mailing.kind, mailing.html) == (MailingKind.SYSTEM, "")
