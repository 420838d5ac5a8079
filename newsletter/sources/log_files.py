"""Log files as they lie there: growing, rotated, compressed, and read only once.

A file is known by its content's beginning, not by its name: rotation renames
it, and compression changes all its bytes but not what they unpack to.
"""

import glob
import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from newsletter.errors import SourceError
from newsletter.sources.model import LogPosition

HEAD_BYTES = 4096
_CHUNK_BYTES = 256 * 1024
# Servers cut requests at 8 KiB; a longer "line" is no log's.
_MAX_LINE_BYTES = 128 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


def find_log_files(path: str) -> list[Path]:
    """The log and its rotated parts, the oldest first: ``x.log``, ``x.log.1``, ``x.log-2025.gz``.

    ``path`` may hold * and ?, for logs that are named by their day. SourceError
    where nothing is there.
    """
    pattern = path if any(mark in path for mark in "*?[") else glob.escape(path)
    ends = ("", ".*", "-*")
    # Path.glob takes no absolute pattern.
    names = {name for end in ends for name in glob.glob(pattern + end)}  # noqa: PTH207
    found = []
    for name in names:
        with _told(name):
            if Path(name).is_file():
                found.append((Path(name).stat().st_mtime_ns, name))
    if not found:
        raise SourceError(
            f"{path}: there is no such log; give the path of the web server's access log",
            subject=path,
        )
    return [Path(name) for _, name in sorted(found)]


class LogFile:
    """One file, plain or gzip, opened to be read on from where it was left.

    ``position`` moves on as `lines` gives whole lines; ``problem`` says what
    broke in the middle. SourceError where the file can't be read at all.
    """

    def __init__(self, path: Path, known: Sequence[LogPosition]) -> None:
        self.path = path
        self.problem = ""
        with _told(path), path.open("rb") as file:
            self.is_packed = file.read(2) == _GZIP_MAGIC
        head = self._read_head()
        before = _recognise(head, known)
        self.known_as = before.head_hash if before else ""
        self.position = before.position if before else 0
        self._head = head

    @property
    def is_empty(self) -> bool:
        return not self._head

    @property
    def state(self) -> LogPosition:
        """What to remember: the longest head that it has now."""
        return LogPosition(_hash(self._head), len(self._head), self.position)

    def lines(self) -> Iterator[list[bytes]]:
        """Whole lines from ``position`` on, some hundred at a time, without their ends.

        A last line that has no end yet is left for the next time, unless the
        file is packed: such a file grows no more.
        """
        with _told(self.path), self._open() as file:
            rest = b""
            try:
                file.seek(self.position)
                while chunk := file.read(_CHUNK_BYTES):
                    *lines, rest = (rest + chunk).split(b"\n")
                    self.position += sum(map(len, lines)) + len(lines)
                    yield lines
                    if len(rest) > _MAX_LINE_BYTES:
                        self.position += len(rest)
                        rest = b""
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                self.problem = (
                    f"{self.path} is damaged ({error}): what could be unpacked was counted"
                )
                return
            if rest and self.is_packed:
                self.position += len(rest)
                yield [rest]

    def _open(self) -> BinaryIO:
        if self.is_packed:
            return cast(BinaryIO, gzip.open(self.path, "rb"))
        return self.path.open("rb")

    def _read_head(self) -> bytes:
        with _told(self.path), self._open() as file:
            try:
                return file.read(HEAD_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise SourceError(
                    f"{self.path} is damaged ({error}) and was left out", subject=str(self.path)
                ) from error


def _recognise(head: bytes, known: Sequence[LogPosition]) -> LogPosition | None:
    """The position of the file that begins with ``head``, by the longest head that fits."""
    hashes = {size: _hash(head[:size]) for size in {p.head_bytes for p in known}}
    fitting = [
        p for p in known if p.head_bytes <= len(head) and hashes[p.head_bytes] == p.head_hash
    ]
    return max(fitting, key=lambda p: p.head_bytes, default=None)


def _hash(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:32]


@contextmanager
def _told(path: Path | str) -> Iterator[None]:
    """An error of the system as a sentence that says what to do."""
    try:
        yield
    except PermissionError as error:
        raise SourceError(
            f"{path}: may not be read; let the service's user read it (on Debian: the group adm)",
            subject=str(path),
        ) from error
    except OSError as error:
        raise SourceError(
            f"{path}: can't be read ({error.strerror or error})", subject=str(path)
        ) from error
