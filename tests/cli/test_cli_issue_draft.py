"""`newsletter issue draft` as an editor uses it: explained, with pins and exclusions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    named = ["--newsletter", "weekly"] if arguments[0] == "issue" else []
    command = [sys.executable, "-m", "newsletter", *arguments, *named, "--config", "config.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's installation, whose first issue is sent."""
    folder = tmp_path_factory.mktemp("house")
    command = [sys.executable, "-m", "newsletter", "demo", "--no-serve", "--subscribers", "3"]
    subprocess.run([*command, "--dir", str(folder)], check=True, capture_output=True)
    return folder


def test_of_the_demos_issue_there_is_nothing_to_say(house: Path) -> None:
    done = run(house, "issue", "check", "--no-fetch", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert findings == []
    assert done.returncode == 0


def draft(house: Path, extra: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    sent = json.loads(run(house, "issue", "list", "--json").stdout)["issues"][-1]["slot"]
    return run(house, "issue", "draft", "--no-fetch", "--slot", f"{sent}.x{extra}", *arguments)


def test_the_table_says_why_and_who_lost(house: Path) -> None:
    done = draft(house, 1, "--explain")
    assert done.returncode == 0, done.stderr
    table = " ".join(done.stdout.split())
    assert "Score" in table
    assert "reads in the last 30 days" in table
    assert "ran in" in table


def test_a_pin_comes_first_and_what_is_excluded_not_at_all(house: Path) -> None:
    first = json.loads(draft(house, 2, "--json").stdout)
    assert first["items"][0]["score"] > 0
    top = [item for item in first["items"] if item["section"] == first["items"][0]["section"]]
    section, last, gone = top[0]["section"], top[-1], top[0]
    second = draft(
        house, 3, "--json", "--pin", f"{section}={last['url']}", "--exclude", gone["story"]
    )
    assert second.returncode == 0, second.stderr
    items = json.loads(second.stdout)["items"]
    assert items[0]["story"] == last["story"]
    assert items[0]["reasons"][0] == "Pinned by an editor."
    assert gone["story"] not in [item["story"] for item in items]


def test_an_editor_writes_into_the_draft(house: Path, tmp_path: Path) -> None:
    words = ("--note", "A quiet week.", "--block", "quote=“We wait.”", "--block-source", "Ani")
    done = draft(house, 4, "--json", *words)
    assert done.returncode == 0, done.stderr
    issue = json.loads(done.stdout)
    assert issue["note"] == "A quiet week."
    assert issue["block"] == {"kind": "quote", "text": "We wait.", "source": "Ani"}
    out = str(tmp_path / "out")
    run(house, "issue", "preview", "--slot", issue["slot"], "--out", out)
    for name in ("issue.html", "issue.txt"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "“We wait.”" in text
        assert "A quiet week." in text


def test_the_same_database_and_instant_give_the_same_issue_byte_for_byte(
    house: Path, tmp_path: Path
) -> None:
    """Its id and preview link too, and what is rendered of it."""
    sent = json.loads(run(house, "issue", "list", "--json").stdout)["issues"][-1]
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        shutil.copytree(house, folder)
        named = ("--slot", f"{sent['slot']}.x9", "--now", sent["send_at"])
        done = run(folder, "issue", "draft", "--no-fetch", "--json", *named)
        assert done.returncode == 0, done.stderr
        shown = run(folder, "issue", "preview", *named, "--out", "shown")
        assert shown.returncode == 0, shown.stderr
        files = {file.name: file.read_bytes() for file in (folder / "shown").iterdir()}
        assert any(name.endswith(".html") for name in files)
        made.append((done.stdout, files))
    assert made[0] == made[1]
