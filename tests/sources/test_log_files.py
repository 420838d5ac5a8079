"""Log files: growing, rotated, compressed, and never counted twice."""

import gzip
import os
from pathlib import Path

import pytest

from newsletter.errors import SourceError
from newsletter.sources.log_files import LogFile, find_log_files
from newsletter.sources.model import LogPosition


class Reader:
    """Reads files as the workflow does: what was read is known the next time."""

    def __init__(self) -> None:
        self.known: dict[str, LogPosition] = {}

    def read(self, path: Path) -> list[bytes]:
        file = LogFile(path, list(self.known.values()))
        lines = [line for some in file.lines() for line in some]
        self.known.pop(file.known_as, None)
        self.known[file.state.head_hash] = file.state
        self.problem = file.problem
        return lines


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_a_growing_file_is_read_on_from_where_it_was_left(tmp_path: Path, reader: Reader) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"one\ntwo\nthr")
    assert reader.read(log) == [b"one", b"two"]
    assert reader.read(log) == []
    with log.open("ab") as file:
        file.write(b"ee\nfour\n")
    assert reader.read(log) == [b"three", b"four"]
    assert len(reader.known) == 1


def test_rotation_and_compression_change_the_name_and_nothing_else(
    tmp_path: Path, reader: Reader
) -> None:
    log, rotated = tmp_path / "access.log", tmp_path / "access.log.1"
    log.write_bytes(b"one\n" * 2000)
    assert len(reader.read(log)) == 2000
    with log.open("ab") as file:
        file.write(b"last of the day\n")
    log.rename(rotated)
    log.write_bytes(b"first of the next\n")
    assert reader.read(rotated) == [b"last of the day"]
    assert reader.read(log) == [b"first of the next"]
    packed = tmp_path / "access.log.2.gz"
    packed.write_bytes(gzip.compress(rotated.read_bytes() + b"late\n"))
    assert reader.read(packed) == [b"late"]
    assert reader.read(packed) == []


def test_a_file_truncated_in_place_begins_anew(tmp_path: Path, reader: Reader) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"monday\n")
    reader.read(log)
    log.write_bytes(b"tuesday\n")
    assert reader.read(log) == [b"tuesday"]


def test_a_head_that_grew_is_still_the_same_file(tmp_path: Path, reader: Reader) -> None:
    log = tmp_path / "access.log"
    content = b""
    for number in range(900):
        content += b"line %d\n" % number
        log.write_bytes(content)
        if number % 100 == 0:
            reader.read(log)
    assert len(reader.read(log)) == 99
    assert len(reader.known) == 1


def test_the_last_line_of_a_packed_file_needs_no_end(tmp_path: Path, reader: Reader) -> None:
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(b"one\ntwo"))
    assert reader.read(packed) == [b"one", b"two"]
    assert reader.read(packed) == []


def test_a_damaged_packed_file_gives_what_can_be_unpacked(tmp_path: Path, reader: Reader) -> None:
    packed = tmp_path / "x.gz"
    whole = gzip.compress(os.urandom(300_000).hex().encode() + b"\n" + b"one\n" * 200_000)
    packed.write_bytes(whole[: len(whole) - 200])
    lines = reader.read(packed)
    assert lines
    assert "damaged" in reader.problem
    packed.write_bytes(whole)
    assert len(lines) + len(reader.read(packed)) == 200_001


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, reader: Reader) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 1_000_000 + b"\nwhole\n")
    assert reader.read(log)[-1] == b"whole"


def test_the_log_and_its_parts_come_the_oldest_first(tmp_path: Path) -> None:
    names = ["access.log", "access.log.1", "access.log.2.gz", "access.log-20250801", "error.log"]
    for age, name in enumerate(names):
        (tmp_path / name).write_bytes(b"x\n")
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "access.log.d").mkdir()
    found = find_log_files(str(tmp_path / "access.log"))
    assert [path.name for path in found] == names[3::-1]
    assert [p.name for p in find_log_files(str(tmp_path / "e*.log"))] == ["error.log"]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.log: there is no such log"):
        find_log_files(str(tmp_path / "none.log"))
    with pytest.raises(SourceError, match="can't be read"):
        LogFile(tmp_path / "none.log", [])
