"""The files that we keep of pictures: by content, below data_dir, never changed."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from newsletter.errors import StorageError

_NAME = re.compile(r"[0-9a-f]{40}\.(?:jpg|png)")
_PART = ".part"
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


class PictureStore:
    """Files by name, which is the beginning of their SHA-256 and a suffix.

    A file's time is when it was last put or asked for by a draft, so that what
    nothing uses can be told by its age.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, suffix: str, now: datetime) -> str:
        """Keep ``data``; its name. StorageError where the disk does not take it."""
        name = f"{hashlib.sha256(data).hexdigest()[:40]}.{suffix}"
        if self.touch(name, now):
            return name
        target = self.folder / name
        # Whoever is last of two puts the same bytes in place; half a file is never seen.
        part = target.with_suffix(f".{os.getpid()}-{id(data):x}{_PART}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            _date(part, now)
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise StorageError(
                f"{target}: a picture can't be kept there ({error.strerror}); free space, or let "
                "data_dir be written",
                subject=str(self.folder),
            ) from error
        return name

    def touch(self, name: str, now: datetime) -> bool:
        """Whether the file is there and ours; it counts as used at ``now``."""
        try:
            _date(self.folder / name, now)
        except OSError:  # it is made anew then, and `put` says what is in the way
            return False
        return True

    def find(self, name: str) -> Path | None:
        """The file of that name; None for any other text, wherever it would lead."""
        if not _NAME.fullmatch(name):
            return None
        path = self.folder / name
        return path if path.is_file() else None

    def unused_since(self, moment: datetime) -> Iterator[str]:
        """Names of files that no draft has touched since ``moment``, half-written ones too."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            ours = _NAME.fullmatch(path.name) or path.name.endswith(_PART)
            if ours and path.stat().st_mtime < moment.timestamp():
                yield path.name

    def remove(self, name: str) -> None:
        """Remove a file that is there no more after this."""
        (self.folder / name).unlink(missing_ok=True)


def _date(path: Path, now: datetime) -> None:
    os.utime(path, (now.timestamp(), now.timestamp()))
