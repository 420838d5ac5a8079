"""What the drivers report, in sentences a person can act on.

SQLite's result codes: https://www.sqlite.org/rescode.html. PostgreSQL's
SQLSTATEs: appendix A of its manual.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from newsletter.errors import Conflict, NewsletterError, StorageError, UnfitText

_MIGRATE = "stop the service, make a backup and run `newsletter migrate`"
_UNFIT = "a text that was given holds a character that no text has; write it anew, in UTF-8"
_FULL = "free some space and try again; what was stored before is unharmed"


@contextmanager
def told_plainly(url: URL) -> Iterator[None]:
    """Let every driver error inside leave as StorageError, Conflict or UnfitText."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise StorageError(
            f"{name_of(url)}: every connection has been busy for too long; the service asks more "
            "of this database than it can give",
            subject=name_of(url),
        ) from error
    except sa.exc.DBAPIError as error:
        raise translate(url, error.orig) from error
    except sqlite3.Error as error:
        raise translate(url, error) from error
    except UnicodeEncodeError as error:
        raise UnfitText(_UNFIT) from error


def name_of(url: URL) -> str:
    """The file, or the server's address without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def translate(url: URL, error: BaseException | None) -> NewsletterError:
    """Our error for what a driver raised."""
    if isinstance(error, sqlite3.Error):
        return _translate_sqlite(Path(name_of(url)), error)
    return _translate_postgresql(name_of(url), error)


def busy(url: URL) -> StorageError:
    """Our error where somebody kept an SQLite file locked."""
    return StorageError(_SQLITE["SQLITE_BUSY"].format(path=name_of(url)), subject=name_of(url))


def check_folder(path: Path) -> None:
    """StorageError where the folder of an SQLite file is missing or can't be used."""
    folder = path.parent
    if not folder.is_dir():
        raise StorageError(
            f"{path}: there is no folder {folder} to keep the database in; create it, or change "
            "[database] url",
            subject=str(path),
        )
    if path.is_dir():
        raise StorageError(
            f"{path} is a folder; let [database] url name a file in it", subject=str(path)
        )
    # WAL needs two more files beside the database, so the folder counts as well.
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(
            f"{path}: the folder {folder} can't be written to; give the service's user the right "
            "to, or change [database] url",
            subject=str(path),
        )
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise StorageError(
            f"{path} can't be read and written; give the service's user the right to",
            subject=str(path),
        )


def _translate_sqlite(path: Path, error: sqlite3.Error) -> NewsletterError:
    # Errors that the module itself raises, such as a wrong thread, carry no code.
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_CONSTRAINT"):
        return _conflict(str(path), error)
    if "no such table" in str(error) or "no such column" in str(error):
        return StorageError(f"{path} is not at this version: {_MIGRATE}", subject=str(path))
    if code.startswith("SQLITE_CANTOPEN"):
        try:
            check_folder(path)
        except StorageError as found:
            return found
    sentence = next(
        (sentence for start, sentence in _SQLITE.items() if code.startswith(start)),
        "{path}: the database failed ({words})",
    )
    return StorageError(sentence.format(path=path, words=error), subject=str(path))


# By the start of the code: the longer codes first.
_SQLITE = {
    "SQLITE_FULL": f"{{path}}: the disk is full; {_FULL}",
    # The shared memory beside the database could not grow: in practice a full disk.
    "SQLITE_IOERR_SHM": f"{{path}}: the disk is full or can't be written; {_FULL}",
    "SQLITE_IOERR_WRITE": f"{{path}}: the disk is full or can't be written; {_FULL}",
    "SQLITE_IOERR": "{path}: the disk reports an error; look at the system's log, and have a "
    "backup at hand",
    "SQLITE_BUSY": "{path}: another program kept the database locked for too long; end it and "
    "try again",
    "SQLITE_LOCKED": "{path}: another program kept the database locked for too long; end it and "
    "try again",
    "SQLITE_READONLY": "{path} can't be written here; give the service's user the right to write "
    "to the file and its folder",
    "SQLITE_CANTOPEN": "{path} can't be opened; see that the file belongs to the service's user",
    "SQLITE_NOTADB": "{path} is no SQLite database; let [database] url name another file",
    "SQLITE_CORRUPT": "{path} is damaged; put the last backup in its place",
}


def _translate_postgresql(server: str, error: BaseException | None) -> NewsletterError:
    # psycopg's errors carry it; the driver itself is not loaded where SQLite is used.
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("23"):
        return _conflict(server, error)
    if not state and type(error).__name__ == "DataError":
        # The driver's own, of a text with NUL: SQLite looks such a one up and finds nothing.
        return UnfitText(_UNFIT)
    words = str(error).strip().partition("\n")[0]
    if state:
        sentence = next(
            (known for start, known in _POSTGRESQL.items() if state.startswith(start)),
            "{server}: the database failed ({words})",
        )
    elif "FATAL:" in words:
        # What it says before it has let us in comes without a state.
        words = words.partition("FATAL:")[2].strip()
        sentence = "{server} does not let us in ({words}); check [database] url"
    else:
        sentence = (
            "{server} can't be reached ({words}); see that PostgreSQL runs there, and check "
            "[database] url"
        )
    return StorageError(sentence.format(server=server, words=words), subject=server)


_POSTGRESQL = {
    "42P01": f"{{server}} is not at this version: {_MIGRATE}",
    "42703": f"{{server}} is not at this version: {_MIGRATE}",
    "42501": "{server}: the user of [database] url lacks a right it needs; let it own the database",
    "53100": f"{{server}}: the server's disk is full; {_FULL}",
    "53300": "{server} takes no more connections; raise its max_connections",
    "57P": "{server} is shutting down or starting; try again in a moment",
    "55P03": "{server}: another program kept a lock for too long; end it and try again",
    "40": "{server}: two changes were in each other's way; try again",
    "25006": "{server} only lets us read; connect to the primary server",
}


def _conflict(subject: str, error: BaseException | None) -> Conflict:
    first_line = str(error).strip().partition("\n")[0]
    return Conflict(f"this contradicts what is stored already ({first_line})", subject=subject)
