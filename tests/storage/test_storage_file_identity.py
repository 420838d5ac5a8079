"""A file and its copies."""

import shutil
from pathlib import Path

import pytest

from newsletter.storage.file_identity import identify_file, is_same_file


def test_a_file_stays_itself_whatever_is_written_to_it_and_wherever_it_is_moved(
    tmp_path: Path,
) -> None:
    file = tmp_path / "one"
    file.write_text("before")
    before = identify_file(file)
    file.write_text("after, and longer")
    moved = file.rename(tmp_path / "two")
    assert is_same_file(before, identify_file(moved))
    (tmp_path / "link").symlink_to(moved)
    assert is_same_file(before, identify_file(tmp_path / "link"))


def test_a_copy_is_another_file_also_under_the_old_name(tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_text("text")
    before = identify_file(file)
    copy = shutil.copy2(file, tmp_path / "copy")
    assert not is_same_file(before, identify_file(copy))
    copy.replace(file)
    assert not is_same_file(before, identify_file(file))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("12:1700000000.000000001", "12:1700000000.000000001", True),
        # Two fresh volumes number their files alike.
        ("12:1700000000.000000001", "12:1700000000.000000002", False),
        ("12:1700000000.000000001", "13:1700000000.000000001", False),
        # Through another mount the birth may be unknown.
        ("12", "12:1700000000.000000001", True),
        ("12:1700000000.000000001", "12", True),
        ("12", "13", False),
    ],
)
def test_inode_and_birth(one: str, other: str, same: bool) -> None:
    assert is_same_file(one, other) is same
