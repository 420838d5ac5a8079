"""A real WordPress of one's own: Debian's packages, a private MariaDB, loopback only.

WordPress's code stays where Debian put it; a folder of links and of our own
configuration makes a site of it. PHP's built-in server stands for Apache.
"""

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.real.paper import Paper, Post, plan_paper
from tests.real.pictures import draw_icon, save_picture
from tests.real.programs import (
    MissingProgram,
    ProgramFailed,
    answers_on,
    as_nobody,
    find_port,
    find_program,
    give_to_nobody,
    running_program,
    temporary_folder,
    wait_until,
)

CODE = Path("/usr/share/wordpress")
THEME = CODE / "wp-content/themes/twentytwentythree"
PHP_FILES = Path(__file__).with_name("php")
SCRIPT_SECONDS = 120
COMPLAINT = re.compile(r"PHP (?:Fatal|Parse|Warning|Notice|Deprecated)|WordPress database error")


@dataclass(frozen=True)
class WordPress:
    """A running site. ``url`` has no slash at its end; ``paper`` is what it holds."""

    url: str
    paper: Paper
    folder: Path

    def run_script(self, code: str) -> str:
        """Run PHP inside this WordPress, as an administrator; returns what it printed.

        For what an editor does in mid-test, such as ``wp_trash_post(12);``.
        """
        script = "require getcwd() . '/wp-load.php'; wp_set_current_user(1); " + code
        return _run_php(["-r", script], self.folder, self.url)

    def read_log(self) -> str:
        """What WordPress, PHP and its server have complained about so far; empty if nothing."""
        logs = [self.folder / "debug.log", self.folder / "php.log"]
        lines = [
            line
            for log in logs
            if log.exists()
            for line in log.read_text(errors="replace").splitlines()
            if COMPLAINT.search(line)
        ]
        return "\n".join(lines)


@contextmanager
def running_wordpress(now: datetime | None = None) -> Iterator[WordPress]:
    """Run a WordPress that holds the paper of ``plan_paper(now)``; some ten seconds to start."""
    _require_packages()
    paper = plan_paper(now or datetime.now(UTC))
    with temporary_folder("wordpress-") as folder:
        port = find_port()
        url = f"http://127.0.0.1:{port}"
        give_to_nobody(folder)
        _lay_out_site(folder)
        with _running_mariadb(folder):
            stored = _seed(paper, folder, url)
            command = [
                *_php_command(),
                *("-d", "opcache.enable_cli=1"),
                *("-S", f"127.0.0.1:{port}", "-t", str(folder / "site")),
                str(folder / "site/router.php"),
            ]
            log = folder / "php.log"
            with running_program(
                command,
                log=log,
                cwd=folder / "site",
                env=_environment(folder, url),
                rights=as_nobody(),
            ) as server:
                wait_until(lambda: answers_on(port), server, log)
                yield WordPress(url, _with_links(paper, stored), folder)


def _require_packages() -> None:
    for path, package in ((CODE, "wordpress"), (THEME, "wordpress-theme-twentytwentythree")):
        if not path.exists():
            raise MissingProgram(
                f"{path} is missing: install the Debian package {package} (`make packages` does)"
            )
    modules = subprocess.run(
        [find_program("php", "php-cli"), "-m"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for module in ("mysqli", "gd", "xml"):
        if module not in modules:
            package = {"mysqli": "php-mysql"}.get(module, f"php-{module}")
            raise MissingProgram(
                f"PHP's module {module} is missing: install the Debian package {package}"
                " (`make packages` does)"
            )


def _lay_out_site(folder: Path) -> None:
    """Links to Debian's code, but copies of the files that find the site by their own place."""
    site = folder / "site"
    for path in (site, site / "wp-content", site / "wp-content/uploads", folder / "pictures"):
        path.mkdir()
        give_to_nobody(path)
    for file in CODE.glob("*.php"):
        shutil.copy(file, site / file.name)
    for file in PHP_FILES.glob("*.php"):
        shutil.copy(file, site / file.name)
    (site / "wp-admin").symlink_to(CODE / "wp-admin")
    (site / "wp-includes").symlink_to(CODE / "wp-includes")
    (site / "wp-content/plugins").mkdir()
    (site / "wp-content/themes").symlink_to(CODE / "wp-content/themes")


@contextmanager
def _running_mariadb(folder: Path) -> Iterator[None]:
    """A database without a port: only those who may enter its folder reach its socket."""
    data = folder / "database"
    data.mkdir(mode=0o700)
    give_to_nobody(data)
    # Durability is worth nothing here; small files are quick to make.
    options = [
        f"--datadir={data}",
        "--innodb-log-file-size=4M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--innodb-doublewrite=0",
        "--innodb-buffer-pool-size=32M",
        "--skip-log-bin",
    ]
    log = folder / "mariadb.log"
    install = [
        find_program("mariadb-install-db", "mariadb-server-core"),
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        f"--tmpdir={data}",
        *options,
    ]
    _run(install, folder, "")
    first = folder / "first.sql"
    first.write_text("CREATE DATABASE wordpress CHARACTER SET utf8mb4;\n")
    server = [
        find_program("mariadbd", "mariadb-server-core"),
        "--no-defaults",
        *options,
        "--innodb-fast-shutdown=2",
        "--skip-networking",
        "--skip-name-resolve",
        "--performance-schema=off",
        f"--socket={data}/socket",
        f"--pid-file={data}/pid",
        f"--tmpdir={data}",
        f"--init-file={first}",
    ]
    with running_program(server, log=log, cwd=folder, rights=as_nobody()) as process:
        # It listens once the first file has been worked through.
        wait_until((data / "socket").exists, process, log)
        yield


def _seed(paper: Paper, folder: Path, url: str) -> dict[str, dict[str, Any]]:
    icon = folder / "pictures/icon.png"
    draw_icon().save(icon)
    plan = {
        "name": paper.name,
        "description": paper.description,
        "timezone": paper.timezone,
        "categories": paper.categories,
        "authors": [dataclasses.asdict(author) for author in paper.authors],
        "icon_file": str(icon),
        "posts": [_describe_post(post, folder / "pictures") for post in paper.posts],
    }
    answer = _run_php([str(folder / "site/seed.php")], folder, url, json.dumps(plan))
    stored: dict[str, dict[str, Any]] = json.loads(answer)
    return stored


def _describe_post(post: Post, pictures: Path) -> dict[str, Any]:
    file = ""
    if post.picture:
        path = pictures / f"{post.slug}.{post.picture.format}"
        save_picture(post.slug, post.picture, path)
        file = str(path)
    return {
        "slug": post.slug,
        "title": post.title,
        "author": post.author,
        "body": post.body,
        "published_gmt": post.published_at.strftime("%Y-%m-%d %H:%M:%S"),
        "categories": post.categories,
        "tags": post.tags,
        "status": post.status,
        "password": post.password,
        "sticky": post.sticky,
        "comments": post.comments,
        "picture_file": file,
        "picture_alt": post.picture.alt if post.picture else "",
        "picture_caption": post.picture.caption if post.picture else "",
    }


def _with_links(paper: Paper, stored: dict[str, dict[str, Any]]) -> Paper:
    posts = tuple(dataclasses.replace(post, **stored[post.slug]) for post in paper.posts)
    return dataclasses.replace(paper, posts=posts)


def _php_command() -> list[str]:
    # Whatever would be mailed goes nowhere.
    return [find_program("php", "php-cli"), "-d", "sendmail_path=/bin/true"]


def _environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "TEST_DB_SOCKET": str(folder / "database/socket"),
        "TEST_SITE_URL": url,
    }


def _run_php(arguments: list[str], folder: Path, url: str, given: str = "") -> str:
    return _run(
        [*_php_command(), *arguments],
        folder / "site",
        given,
        _environment(folder, url),
    )


def _run(command: list[str], cwd: Path, given: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        input=given,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
        **as_nobody(),
    )
    if done.returncode != 0:
        words = (done.stdout + done.stderr)[-2000:]
        raise ProgramFailed(f"{command!r} ended with status {done.returncode}: {words}")
    return done.stdout
