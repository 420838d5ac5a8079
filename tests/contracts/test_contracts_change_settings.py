"""Settings changed at the desk: versions, what is fixed, two at once, back to what was."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.config import Bootstrap, Config
from newsletter.errors import Conflict, NotFound, UsageError
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.model import Settings
from newsletter.publication.settings_document import ORDER, UNSET
from newsletter.sources.model import SourceState
from newsletter.storage.database import Database
from newsletter.workflows.change_settings import (
    Changed,
    Outcome,
    Overtaken,
    Refused,
    change_settings,
    restore_version,
    undo_version,
)
from newsletter.workflows.installation import read_settings, seed_settings
from tests.contracts.nouns import NOW, a_settings

FREE = FixedKeys()
LATER = NOW + timedelta(hours=1)
Edits = dict[tuple[str, ...], Any]


@pytest.fixture
def first(database: Database) -> int:
    """The version of the paper's first settings."""
    with database.write() as tx:
        document = a_settings().model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return tx.settings.append(document, "config file", NOW)


@pytest.fixture
def edit(database: Database) -> Callable[..., Outcome]:
    def run(edits: Edits, base: int, fixed: FixedKeys = FREE, actor: str = "anna") -> Outcome:
        return change_settings(database, fixed, edits, base=base, actor=actor, now=LATER)

    return run


def in_force(database: Database) -> Settings:
    with database.read() as tx:
        return read_settings(tx)


def test_a_change_is_a_version_and_in_the_log(
    database: Database, first: int, edit: Callable[..., Outcome]
) -> None:
    outcome = edit(
        {("newsletter", "weekly", "name"): "Courier", ("delivery", "brake_after"): 50}, first
    )
    assert isinstance(outcome, Changed)
    assert outcome.anew
    settings = in_force(database)
    assert [n.name for n in settings.newsletter] == ["Courier", "Daily"]
    with database.read() as tx:
        change = tx.changes.of("settings", "settings")[-1]
        assert tx.settings.get(first).document["newsletter"][0]["name"] == "Weekly"
    assert (change.actor, change.at) == ("anna", LATER)
    assert change.detail == {
        "version": outcome.version,
        "before": {"newsletter.weekly.name": "Weekly"},
        "after": {"newsletter.weekly.name": "Courier", "delivery.brake_after": 50},
    }
    again = edit({("newsletter", "weekly", "name"): "Courier"}, outcome.version)
    assert again == Changed(outcome.version, anew=False)


def test_what_can_not_be_is_told_at_its_key(
    database: Database, first: int, edit: Callable[..., Outcome]
) -> None:
    outcome = edit(
        {
            ("newsletter", "weekly", "send_at"): "someday",
            ("newsletter", "weekly", "section", "latest", "count"): 99,
            ("publication", "name"): UNSET,
        },
        first,
    )
    assert isinstance(outcome, Refused)
    assert {problem.path: problem.sentence for problem in outcome.problems} == {
        ("publication", "name"): "Field required",
        (
            "newsletter",
            "weekly",
            "send_at",
        ): '"someday" is no moment; write "Fri 07:00", "daily 07:00" or "day 1 07:00"',
        (
            "newsletter",
            "weekly",
            "section",
            "latest",
            "count",
        ): "Input should be less than or equal to 28",
    }
    segment = edit({("newsletter", "daily", "segment"): "nonsense ="}, first)
    assert isinstance(segment, Refused)
    (problem,) = segment.problems
    assert problem.path == ("newsletter", "daily", "segment")
    assert problem.sentence.startswith("filter, character 1: ")
    with database.read() as tx:
        latest = tx.settings.latest()
    assert latest is not None
    assert latest.version == first
    with pytest.raises(NotFound, match="no version 9999"):
        edit({("publication", "name"): "X"}, 9999)


def test_two_at_once_lose_nothing(
    database: Database, first: int, edit: Callable[..., Outcome]
) -> None:
    """Both press at the same moment, on pages of the same version: other keys, and the same."""
    outcomes: dict[str, Outcome] = {}
    start = threading.Barrier(2)

    def press(actor: str, edits: Edits) -> None:
        start.wait()
        outcomes[actor] = edit(edits, first, actor=actor)

    same = ("publication", "name")
    # Only what both change is in the way: each has a key of its own beside it.
    threads = [
        threading.Thread(target=press, args=(actor, {same: actor, key: 20}))
        for actor, key in (
            ("anna", ("delivery", "brake_after")),
            ("boris", ("sign_up", "slow_lane")),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = next(actor for actor, outcome in outcomes.items() if isinstance(outcome, Changed))
    lost = next(outcome for outcome in outcomes.values() if isinstance(outcome, Overtaken))
    assert lost.paths == (same,)
    assert lost.by == won
    assert in_force(database).publication.name == won
    # What the other changed elsewhere goes in beside it.
    other = edit({("sign_up", "hourly"): 9}, first)
    assert isinstance(other, Changed)
    settings = in_force(database)
    assert (settings.publication.name, settings.sign_up.hourly) == (won, 9)


def test_entries_come_and_go(database: Database, first: int, edit: Callable[..., Outcome]) -> None:
    added = edit({("source", "blog"): {"slug": "blog", "url": "https://blog.example/feed/"}}, first)
    assert isinstance(added, Changed)
    with database.read() as tx:
        assert "blog" in tx.sources.states()
    moved = edit(
        {("newsletter", ORDER): ("daily", "weekly"), ("source", "wire"): UNSET}, added.version
    )
    assert isinstance(moved, Changed)
    settings = in_force(database)
    assert [n.slug for n in settings.newsletter] == ["daily", "weekly"]
    assert [s.slug for s in settings.source] == ["site", "blog"]
    with database.read() as tx:
        assert {*tx.sources.states()} == {"site", "blog"}
    missing = edit({("source", "site"): UNSET}, moved.version)
    assert isinstance(missing, Refused)
    assert "unknown source" in missing.problems[0].sentence


def test_a_new_address_is_asked_anew(
    database: Database, first: int, edit: Callable[..., Outcome]
) -> None:
    with database.write() as tx:
        tx.sources.record_success("site", NOW, latest_modified=NOW)
    edit({("source", "site", "url"): "https://paper.example/other/"}, first)
    with database.read() as tx:
        assert tx.sources.state("site") == SourceState(last_success_at=NOW)


def test_undo_takes_one_change_back_and_leaves_later_ones(
    database: Database, first: int, edit: Callable[..., Outcome]
) -> None:
    gone = edit({("newsletter", "daily"): UNSET}, first)
    assert isinstance(gone, Changed)
    renamed = edit({("publication", "name"): "Another"}, gone.version)
    assert isinstance(renamed, Changed)
    back = undo_version(database, FREE, gone.version, actor="anna", now=LATER)
    assert isinstance(back, Changed)
    settings = in_force(database)
    assert ([n.slug for n in settings.newsletter], settings.publication.name) == (
        ["weekly", "daily"],
        "Another",
    )
    edit({("publication", "name"): "Third"}, back.version)
    overtaken = undo_version(database, FREE, renamed.version, actor="anna", now=LATER)
    assert isinstance(overtaken, Overtaken)
    assert overtaken.paths == (("publication", "name"),)
    restored = restore_version(database, FREE, first, actor="anna", now=LATER)
    assert isinstance(restored, Changed)
    assert in_force(database) == a_settings()
    with pytest.raises(NotFound):
        restore_version(database, FREE, 9999, actor="anna", now=LATER)
    with pytest.raises(Conflict, match="first settings"):
        undo_version(database, FREE, first, actor="anna", now=LATER)


FILE = {
    "publication": {"name": "The Paper", "url": "https://paper.example"},
    "newsletter": [
        {
            "slug": "weekly",
            "name": "Weekly",
            "titles": {"hy": "Շաբաթ"},
            "from": {"name": "The Paper", "address": "weekly@paper.example"},
            "section": [{"slug": "latest", "kind": "latest", "title": "Latest"}],
        }
    ],
}


def a_config(document: dict[str, Any], **origins: str) -> Config:
    return Config(Path("/srv/config.toml"), Bootstrap(), document, origins)


@pytest.fixture
def seeded(database: Database) -> int:
    seed_settings(database, a_config(FILE), NOW)
    return version_in_force(database)


def version_in_force(database: Database) -> int:
    with database.read() as tx:
        latest = tx.settings.latest()
    assert latest is not None
    return latest.version


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({("publication", "name"): "X"}, "publication.name is fixed by config.toml"),
        ({("newsletter", "weekly"): UNSET}, "newsletter.weekly is fixed by config.toml"),
        ({("newsletter", "weekly", "name"): "X"}, "name is fixed by NEWSLETTER_NAME"),
        ({("newsletter", "weekly", "titles"): {"hy": "X"}}, "titles is fixed by config.toml"),
        ({("newsletter", "weekly", "section", "latest", "slug"): "x"}, "slug is fixed by"),
        ({("newsletter", ORDER): ("daily",)}, "which of these there are"),
    ],
)
def test_what_is_fixed_is_refused(
    database: Database, seeded: int, edit: Callable[..., Outcome], edits: Edits, told: str
) -> None:
    fixed = FixedKeys.of(a_config(FILE, **{"newsletter.0.name": "NEWSLETTER_NAME"}))
    with pytest.raises(Conflict, match=told):
        edit(edits, seeded, fixed)
    assert version_in_force(database) == seeded


def test_beside_what_is_fixed_the_desk_is_free(
    database: Database, seeded: int, edit: Callable[..., Outcome]
) -> None:
    fixed = FixedKeys.of(a_config(FILE))
    weekly = ("newsletter", "weekly")
    daily = {**FILE["newsletter"][0], "slug": "daily"}  # type: ignore[dict-item]
    outcome = edit(
        {
            (*weekly, "send_at"): "Sat 09:00",
            (*weekly, "draft_at"): "Fri 09:00",
            (*weekly, "section", "rising"): {"slug": "rising", "kind": "rising", "title": "Up"},
            (*weekly, "section", ORDER): ("rising", "latest"),
            ("newsletter", "daily"): daily,
        },
        seeded,
        fixed,
    )
    assert isinstance(outcome, Changed)
    # A start with the same file leaves it so.
    seed_settings(database, a_config(FILE), LATER)
    assert version_in_force(database) == outcome.version
    settings = in_force(database)
    assert [n.slug for n in settings.newsletter] == ["weekly", "daily"]
    assert settings.newsletter[0].send_at == "Sat 09:00"
    assert [s.slug for s in settings.newsletter[0].sections] == ["rising", "latest"]
    # So does undoing, which the file has no part in.
    undone = undo_version(database, fixed, outcome.version, actor="anna", now=LATER)
    assert isinstance(undone, Changed)
    assert [n.slug for n in in_force(database).newsletter] == ["weekly"]
    with pytest.raises(Conflict, match="first settings"):
        undo_version(database, fixed, seeded, actor="anna", now=LATER)


def test_a_file_that_lets_go_hands_over(database: Database, seeded: int) -> None:
    assert seeded
    other = {**FILE["newsletter"][0], "slug": "daily"}  # type: ignore[dict-item]
    both = FILE | {"newsletter": [FILE["newsletter"][0], other]}  # type: ignore[index]
    seed_settings(database, a_config(both), NOW)
    assert [n.slug for n in in_force(database).newsletter] == ["weekly", "daily"]
    seed_settings(database, a_config(FILE), NOW)
    assert [n.slug for n in in_force(database).newsletter] == ["weekly"]
    bare = {"publication": FILE["publication"]}
    before = version_in_force(database)
    seed_settings(database, a_config(bare), NOW)
    # Nothing changed, so there is no version of it; what the file fixes is noted.
    assert version_in_force(database) == before
    assert [n.slug for n in in_force(database).newsletter] == ["weekly"]
    seed_settings(database, a_config(bare | {"newsletter": [other]}), NOW)
    assert [n.slug for n in in_force(database).newsletter] == ["weekly", "daily"]


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({("reads", "counter", "path"): "/etc/passwd"}, "only the config file"),
        ({("reads", "counter", "password_file"): "/srv/keys.json"}, "only the config file"),
        ({("source", "site", "allow_private"): True}, "only the config file"),
        (
            {("source", "new"): {"slug": "new", "url": "http://10.0.0.1/", "allow_private": True}},
            "only the config file",
        ),
        ({("reads", "locked", "url"): "https://elsewhere.example/"}, "a password is sent there"),
    ],
)
def test_the_desk_reaches_no_files_and_networks_of_the_server(
    database: Database, first: int, edit: Callable[..., Outcome], edits: Edits, told: str
) -> None:
    locked = {
        "slug": "locked",
        "source": "site",
        "kind": "koko-analytics",
        "url": "https://paper.example/wp-json/",
        "username": "anna",
        "password_file": "/srv/password",
    }
    with database.write() as tx:
        document = tx.settings.get(first).document
        document["reads"].append(locked)
        base = tx.settings.append(document, "config file", NOW)
    with pytest.raises(UsageError, match=told):
        edit(edits, base)
    assert version_in_force(database) == base
