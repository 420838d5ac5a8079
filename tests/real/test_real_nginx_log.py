"""An access log that a real nginx writes, rotates and compresses while we read it."""

import gzip
import http.client
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.command_line import Answer, newsletter
from tests.cli.counted_paper import Paper, counter
from tests.real.programs import (
    answers_on,
    find_port,
    find_program,
    running_program,
    temporary_folder,
    wait_until,
)
from tests.sources.test_access_log import FIREFOX

_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
  access_log {folder}/access.log combined;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/pages;
    default_type text/html;
    rewrite ^/old$ /1 permanent;
  }}
}}
"""


class Nginx:
    """A running nginx that serves the files ``1`` and ``2``."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self.log = folder / "access.log"
        self._port = port
        self._pid = pid

    def ask(self, path: str, method: str = "GET", agent: str = FIREFOX, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.request(method, path, headers={"User-Agent": agent, **headers})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def rotate(self) -> Path:
        """As logrotate does: rename, and tell nginx to open its log anew."""
        rotated = self.log.with_name("access.log.1")
        self.log.rename(rotated)
        os.kill(self._pid, signal.SIGUSR1)
        return rotated


@contextmanager
def running_nginx() -> Iterator[Nginx]:
    program = find_program("nginx", "nginx-light")
    with temporary_folder("nginx-") as folder:
        port = find_port()
        (folder / "pages").mkdir()
        for name in ("1", "2", "style.css"):
            (folder / "pages" / name).write_text(f"<p>{name}", encoding="ascii")
        config, said = folder / "nginx.conf", folder / "said.log"
        config.write_text(_CONFIG.format(folder=folder, port=port), encoding="ascii")
        command = [program, "-c", str(config), "-p", str(folder)]
        with running_program(command, log=said, cwd=folder) as process:
            wait_until(lambda: answers_on(port), process, said)
            yield Nginx(folder, port, int((folder / "nginx.pid").read_text(encoding="ascii")))


@pytest.fixture
def call() -> Callable[..., Answer]:
    return newsletter


def test_what_nginx_writes_is_counted_once(tmp_path: Path, call: Callable[..., Answer]) -> None:
    with running_nginx() as nginx:
        desk = Paper(tmp_path, call, counter("server", "access-log", f'path = "{nginx.log}"'))
        tag = "/1?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W31"
        assert nginx.ask("/1") == 200
        assert nginx.ask(tag, agent=FIREFOX.replace("128", "129")) == 200
        assert nginx.ask("/1", "HEAD", agent="Mozilla/5.0 (other) Firefox/1") == 200
        assert nginx.ask("/old", agent="Mozilla/5.0 (other) Firefox/2") == 301
        assert nginx.ask("/style.css") == 200
        assert nginx.ask("/none") == 404
        assert nginx.ask("/1", agent="curl/7.88.1") == 200
        assert nginx.ask("/1", agent='Mozilla/5.0 "quoted" \\ Firefox/3') == 200
        assert nginx.ask("/1", **{"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}) in (
            200,
            304,
        )
        (report,) = desk.report("sync", now="2026-01-01T00:00:00Z")
        assert (report["rows"], report["matched"], report["problems"]) == (9, 3, [])
        assert "1 of bots, 1 repeats; 1 reads came from our mails" in report["note"]

        assert nginx.ask("/2") == 200
        rotated = nginx.rotate()
        wait_for(
            lambda: nginx.ask("/2", agent=FIREFOX.replace("128", "130")) and nginx.log.exists()
        )
        (report,) = desk.report("sync", now="2026-01-01T01:00:00Z")
        assert report["matched"] == 2

        packed = rotated.with_name("access.log.2.gz")
        packed.write_bytes(gzip.compress(rotated.read_bytes()))
        rotated.unlink()
        (report,) = desk.report("sync", now="2026-01-01T02:00:00Z")
        assert (report["rows"], report["matched"]) == (0, 0)


def wait_for(is_so: Callable[[], object]) -> None:
    """Until nginx has taken the signal, which it does between two requests."""
    for _ in range(1000):
        if is_so():
            return
    raise AssertionError("nginx opened no new log")
