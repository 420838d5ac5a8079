"""Files at the desk, and imports that are to be taken back, in both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.errors import NotFound
from newsletter.storage.database import Database
from newsletter.subscribers.model import (
    ReaderUpload,
    SubscriberImport,
    UploadKind,
    UploadState,
)
from tests.contracts.nouns import NOW

UPLOAD = ReaderUpload(
    *("u1", UploadKind.READERS, "Ընթերցողներ.csv", 120, "weekly", "editor1"),
    *(UploadState.CHECKING, NOW, NOW),
    consent="Paper slips",
)


def test_an_upload_goes_its_way_and_no_other(database: Database) -> None:
    with database.write() as tx:
        tx.uploads.add(UPLOAD)
        tx.uploads.add(replace(UPLOAD, public_id="u2", state=UploadState.WANTED))
    with database.read() as tx:
        assert tx.uploads.get("u1") == UPLOAD
        assert [one.public_id for one in tx.uploads.latest(9)] == ["u2", "u1"]
        assert tx.uploads.waiting() == UPLOAD
    later = NOW + timedelta(days=1)
    with database.write() as tx:
        assert not tx.uploads.move("u1", [UploadState.CHECKED], UploadState.WANTED, later)
        told = {"counts": {"added": 3}}
        assert tx.uploads.move("u1", [UploadState.CHECKING], UploadState.CHECKED, later, told=told)
        tx.uploads.note("u1", {"rows": 3})
        assert not tx.uploads.drop("u2", [UploadState.CHECKED])
    with database.read() as tx:
        moved = tx.uploads.get("u1")
        assert (moved.state, moved.told, moved.rows) == (UploadState.CHECKED, told, 3)
        assert (waiting := tx.uploads.waiting()) is not None
        assert waiting.public_id == "u2"
        assert tx.uploads.before(later) == []
        assert tx.uploads.before(later + timedelta(seconds=1)) == ["u1"]
    with database.write() as tx:
        assert tx.uploads.drop("u1", [UploadState.CHECKED])
    with database.read() as tx, pytest.raises(NotFound):
        tx.uploads.get("u1")


def test_an_import_is_to_be_taken_back_once(database: Database) -> None:
    begun = SubscriberImport("i1", "weekly", "digest", "a.csv", "plain CSV", "slips", "me", NOW)
    with database.write() as tx:
        tx.imports.start(begun)
        assert tx.imports.undo_wanted() is None
        assert tx.imports.want_undo("i1", "editor1")
        assert not tx.imports.want_undo("i1", "editor2")
    with database.read() as tx:
        wanted = tx.imports.undo_wanted()
        assert wanted == replace(begun, undo_wanted_by="editor1")
        assert tx.imports.all(1) == [wanted]
    with database.write() as tx:
        tx.import_undo.begin_undo("i1", NOW)
        tx.imports.end_undo("i1")
        assert tx.imports.undo_wanted() is None
        assert not tx.imports.want_undo("i1", "editor1")
