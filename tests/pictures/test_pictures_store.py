"""Files by their content: written whole or not at all, found by name and nothing else."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.errors import StorageError
from newsletter.pictures.store import PictureStore

NOW = datetime(2025, 8, 7, 12, tzinfo=UTC)


def test_a_file_is_named_by_its_content(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    name = store.put(b"a picture", "jpg", NOW)
    assert name == hashlib.sha256(b"a picture").hexdigest()[:40] + ".jpg"
    assert store.put(b"a picture", "jpg", NOW) == name
    path = store.find(name)
    assert path is not None
    assert path.read_bytes() == b"a picture"
    assert [file.name for file in store.folder.iterdir()] == [name]


def test_no_name_leads_elsewhere(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    name = store.put(b"a picture", "jpg", NOW)
    (tmp_path / "keys.json").write_text("secret")
    (store.folder / "keys.json").write_text("secret")
    for other in (
        "../keys.json", "keys.json", f"../pictures/{name}", f"/{name}", name.upper(), f"{name}\n",
        f"{name}/", "", ".", name.replace(".jpg", ".png"), name.replace(".jpg", ""), "a" * 40,
    ):  # fmt: skip
        assert store.find(other) is None, other


def test_what_no_draft_has_touched_is_told_by_its_age(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    assert list(store.unused_since(NOW)) == []
    old, young = store.put(b"old", "jpg", NOW), store.put(b"young", "png", NOW)
    (store.folder / "notes.txt").write_text("not ours")
    later = NOW + timedelta(days=1)
    assert sorted(store.unused_since(later)) == sorted((old, young))
    assert store.touch(young, later)
    assert list(store.unused_since(later)) == [old]
    store.remove(old)
    store.remove(old)
    assert not store.touch(old, later)


def test_a_disk_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match=r"pictures/[0-9a-f]{40}\.jpg: a picture can't be kept"):
        PictureStore(tmp_path / "pictures").put(b"a picture", "jpg", NOW)
