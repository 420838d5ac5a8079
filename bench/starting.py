"""Warm start of `newsletter run` until its pages answer; meant to stay below 2 s."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import ENVIRONMENT

_CONFIG = """\
[web]
base_url = "http://127.0.0.1:{port}"
port = {port}
[[relay]]
slug = "none"
host = "127.0.0.1"
port = 2525
tls = "none"
[publication]
name = "The Araks Courier"
url = "https://paper.example"
"""


def measure() -> dict[str, Any]:
    """Wall seconds from the command to the first answer of /healthz; the second of two starts."""
    with TemporaryDirectory() as folder:
        port = _free_port()
        path = Path(folder) / "config.toml"
        path.write_text(_CONFIG.format(port=port), encoding="utf-8")
        _start(path, port)
        seconds = _start(path, port)
    return {"seconds": round(seconds, 3), "meant_below_seconds": 2}


def _start(config: Path, port: int) -> float:
    command = [sys.executable, "-m", "newsletter", "run", "--config", str(config)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - started > 60:
                raise SystemExit("newsletter run did not come up")
            time.sleep(0.01)
        return time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
