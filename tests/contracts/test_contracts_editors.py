"""Editors, their sessions and links, and the log's lines about the paper."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.errors import NotFound
from newsletter.publication.editors import IDLE_TIME, Editor, Role, Session, Theme
from newsletter.storage.changes import Change, change_detail
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from tests.contracts.nouns import NOW

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LILIT = Editor("lilit", "lilit@paper.example", "Lilit", Role.ADMIN, NOW)
ARAM = Editor("aram", "aram@paper.example", "", Role.VIEWER, NOW, "hy", Theme.DARK)


def put(tx: Transaction, *editors: Editor) -> None:
    for editor in editors:
        assert tx.editors.add(editor, "test")


def test_editors_are_kept_as_they_are(database: Database) -> None:
    with database.write() as tx:
        put(tx, LILIT, ARAM)
        assert not tx.editors.add(replace(ARAM, public_id="other"), "test")
        assert tx.editors.all() == [LILIT, ARAM]
        assert tx.editors.find(ARAM.address) == ARAM
        assert tx.editors.find("nobody@paper.example") is None
        tx.editors.change_role("aram", Role.PUBLISHER, NOW, "lilit")
        described = replace(ARAM, name="Արամ", language=None, theme=Theme.LIGHT)
        tx.editors.describe(described, NOW, "aram")
        tx.editors.describe(described, NOW, "aram")
        assert tx.editors.get("aram") == replace(
            ARAM, name="Արամ", role=Role.PUBLISHER, language=None, theme=Theme.LIGHT
        )
        assert [(c.actor, c.act, c.detail) for c in tx.changes.of("editor", "aram")] == [
            ("test", "added", {"after": {"role": "viewer"}}),
            (
                *("lilit", "role changed"),
                {"before": {"role": "viewer"}, "after": {"role": "publisher"}},
            ),
            (
                *("aram", "described"),
                {
                    "before": {"name": "", "language": "hy", "theme": "dark"},
                    "after": {"name": "Արամ", "language": None, "theme": "light"},
                },
            ),
        ]


def test_of_who_is_removed_only_the_name_stays(database: Database) -> None:
    with database.write() as tx:
        put(tx, LILIT, ARAM)
        tx.editors.begin_session(Session("s", ARAM, NOW, NOW, NOW + DAY), "digest")
        tx.editors.make_link("aram", "link", NOW, NOW + DAY, asked=False)
        tx.editors.remove("aram", NOW, "lilit")
        assert tx.editors.all() == [LILIT]
        assert tx.editors.session("digest") is None
        assert tx.editors.use_link("link", NOW) is None
        gone = tx.editors.by_id("aram")
        assert gone is not None
        assert (gone.address, gone.removed_at) == ("", NOW)
        assert tx.editors.names() == {"lilit": "Lilit", "aram": "aram"}
        for act in (
            lambda: tx.editors.get("aram"),
            lambda: tx.editors.remove("aram", NOW, "lilit"),
            lambda: tx.editors.change_role("nobody", Role.ADMIN, NOW, "lilit"),
        ):
            with pytest.raises(NotFound):
                act()
        # Who comes back is somebody new.
        put(tx, replace(ARAM, public_id="aram2"))


def test_sessions_begin_and_end(database: Database) -> None:
    session = Session("one", LILIT, NOW, NOW, NOW + 30 * DAY, "Firefox")
    with database.write() as tx:
        put(tx, LILIT, ARAM)
        tx.editors.begin_session(session, "d1")
        tx.editors.begin_session(replace(session, public_id="two"), "d2")
        tx.editors.begin_session(replace(session, public_id="three", editor=ARAM), "d3")
        assert tx.editors.session("d1") == session
        assert tx.editors.session("nothing") is None
        tx.editors.note_seen("d2", NOW + MINUTE)
        assert [one.public_id for one in tx.editors.sessions("lilit")] == ["two", "one"]
        # Another's session is not ended by its id.
        assert tx.editors.end_sessions("lilit", only="three") == 0
        assert tx.editors.end_sessions("lilit", only="one") == 1
        assert tx.editors.end_session("d2")
        assert not tx.editors.end_session("d2")
        assert tx.editors.sessions("lilit") == []
        assert tx.editors.end_sessions("aram") == 1


def test_a_link_is_used_once(database: Database) -> None:
    with database.write() as tx:
        put(tx, LILIT)
        tx.editors.make_link("lilit", "a", NOW, NOW + MINUTE, asked=True, page="/desk/x")
        tx.editors.make_link("lilit", "b", NOW, NOW + MINUTE, asked=False)
        assert tx.editors.links_asked("lilit", NOW) == 1
        assert tx.editors.links_asked("lilit", NOW + MINUTE) == 0
        assert tx.editors.link_owner("a", NOW) == LILIT
        assert tx.editors.use_link("a", NOW) == (LILIT, "/desk/x")
        assert tx.editors.use_link("a", NOW) is None
        assert tx.editors.link_owner("a", NOW) is None
        assert tx.editors.use_link("b", NOW + MINUTE) is None


def test_of_many_who_press_one_link_at_once_one_comes_in(database: Database) -> None:
    with database.write() as tx:
        put(tx, LILIT)
        tx.editors.make_link("lilit", "a", NOW, NOW + MINUTE, asked=True)

    def press(_: int) -> bool:
        with database.write() as tx:
            return tx.editors.use_link("a", NOW) is not None

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(press, range(12))) == 1


def test_what_is_over_is_dropped(database: Database) -> None:
    with database.write() as tx:
        put(tx, LILIT)
        old = Session("old", LILIT, NOW, NOW, NOW + DAY)
        tx.editors.begin_session(old, "old")
        tx.editors.begin_session(replace(old, public_id="idle", ends_at=NOW + 30 * DAY), "idle")
        tx.editors.make_link("lilit", "a", NOW, NOW + MINUTE, asked=True)
        assert tx.editors.tidy(NOW) == 0
        assert tx.editors.tidy(NOW + DAY) == 1
        assert tx.editors.tidy(NOW + IDLE_TIME + DAY) == 2


def test_the_log_is_read_from_its_end_without_what_readers_do(database: Database) -> None:
    with database.write() as tx:
        for number in range(6):
            at = NOW + number * MINUTE
            kind = "subscription" if number % 3 == 0 else "issue"
            tx.changes.record(at, f"actor{number % 2}", kind, f"n{number}", "did")
        tx.changes.record_all([Change(NOW, "import", "suppression", "x", "lifted", {})])
        found = tx.changes.latest(2)
        assert [change.subject for _, change in found] == ["n5", "n4"]
        assert [c.subject for _, c in tx.changes.latest(9, before=found[-1][0])] == ["n2", "n1"]
        assert [c.subject for _, c in tx.changes.latest(9, actor="actor1")] == ["n5", "n1"]
        assert [c.subject for _, c in tx.changes.latest(9, kind="issue", subject="n4")] == ["n4"]
        assert tx.changes.latest(9, kind="subscription") == []


def test_the_log_of_the_paper_is_found_by_its_own_index(database: Database) -> None:
    with database.read() as tx:
        (index,) = [
            index
            for index in sa.inspect(tx.connection).get_indexes("change_log")
            if index["name"] == "ix_change_log_house"
        ]
        (condition,) = [v for k, v in index["dialect_options"].items() if k.endswith("_where")]
        assert "subscription" in str(condition)
        if tx.connection.dialect.name == "sqlite":
            plan = str(
                tx.connection.exec_driver_sql(
                    "EXPLAIN QUERY PLAN SELECT id FROM change_log WHERE kind NOT IN "
                    "('subscriber', 'subscription', 'suppression') ORDER BY id DESC LIMIT 50"
                ).all()
            )
            assert "ix_change_log_house" in plan


def test_a_change_is_told_by_what_differs() -> None:
    before = {"subject": "A", "note": "", "same": [1]}
    after = {"subject": "B", "same": [1], "new": None}
    assert change_detail(before, after) == {
        "before": {"subject": "A", "note": ""},
        "after": {"subject": "B"},
    }
    assert change_detail(before, before) == {"before": {}, "after": {}}
