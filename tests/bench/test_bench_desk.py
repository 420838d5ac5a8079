"""The bench of the desk in small: it comes to every page that an admin may see."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.command_line import ENVIRONMENT

ROOT = Path(__file__).parents[2]
# They are of a link that came by mail, of a file that somebody brought, or for nobody signed in.
ELSEWHERE = {
    *(
        "/act/{token}",
        "/act/{token}/checks",
        "/act/{token}/pressed",
        "/sign-in",
        "/sign-in/sent",
        "/sign-in/{token}",
    ),
    *(f"/readers/imports/{{upload}}{part}" for part in ("", "/state", "/refused")),
    # Of a count that is older than half an hour.
    "/issues/{issue}/review/readers",
}


@pytest.mark.long
def test_the_bench_in_small() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "desk", "--scale", "0.0001", "--json"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    figures = json.loads(done.stdout)
    assert figures["readers"] == 100
    assert set(figures["routes_without_a_page"]) <= ELSEWHERE
    assert "/desk/" in figures["pages"]
    assert all(page["kb"] < 100 for page in figures["pages"].values())
