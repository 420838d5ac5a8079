"""`newsletter issue draft` as an editor uses it: explained, with pins and exclusions."""

import shutil
from pathlib import Path

from tests.acceptance.command_line import Answer, newsletter


def run(folder: Path, *arguments: str) -> Answer:
    named = ["--newsletter", "weekly"] if arguments[0] == "issue" else []
    return newsletter(folder, *arguments, *named, "--config", "config.toml")


def test_of_the_demos_issue_there_is_nothing_to_say(demo_house: Path) -> None:
    done = run(demo_house, "issue", "check", "--no-fetch", "--json")
    findings = done.json["findings"]
    assert findings == []
    assert done.status == 0


def draft(demo_house: Path, extra: int, *arguments: str) -> Answer:
    sent = run(demo_house, "issue", "list", "--json").json["issues"][-1]["slot"]
    return run(demo_house, "issue", "draft", "--no-fetch", "--slot", f"{sent}.x{extra}", *arguments)


def test_the_table_says_why_and_who_lost(demo_house: Path) -> None:
    done = draft(demo_house, 1, "--explain")
    assert done.status == 0, done.err
    table = " ".join(done.out.split())
    assert "Score" in table
    assert "reads in the last 30 days" in table
    assert "ran in" in table


def test_a_pin_comes_first_and_what_is_excluded_not_at_all(demo_house: Path) -> None:
    first = draft(demo_house, 2, "--json").json
    assert first["items"][0]["score"] > 0
    top = [item for item in first["items"] if item["section"] == first["items"][0]["section"]]
    section, last, gone = top[0]["section"], top[-1], top[0]
    second = draft(
        demo_house, 3, "--json", "--pin", f"{section}={last['url']}", "--exclude", gone["story"]
    )
    assert second.status == 0, second.err
    items = second.json["items"]
    assert items[0]["story"] == last["story"]
    assert items[0]["reasons"][0] == "Pinned by an editor."
    assert gone["story"] not in [item["story"] for item in items]


def test_an_editor_writes_into_the_draft(demo_house: Path, tmp_path: Path) -> None:
    words = ("--note", "A quiet week.", "--block", "quote=“We wait.”", "--block-source", "Ani")
    done = draft(demo_house, 4, "--json", *words)
    assert done.status == 0, done.err
    issue = done.json
    assert issue["note"] == "A quiet week."
    assert issue["block"] == {"kind": "quote", "text": "We wait.", "source": "Ani"}
    out = str(tmp_path / "out")
    run(demo_house, "issue", "preview", "--slot", issue["slot"], "--out", out, "--no-screenshots")
    for name in ("issue.html", "issue.txt"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "“We wait.”" in text
        assert "A quiet week." in text


def test_the_same_database_and_instant_give_the_same_issue_byte_for_byte(
    demo_house: Path, tmp_path: Path
) -> None:
    """Its id and preview link too, and what is rendered of it."""
    sent = run(demo_house, "issue", "list", "--json").json["issues"][-1]
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        shutil.copytree(demo_house, folder)
        named = ("--slot", f"{sent['slot']}.x9", "--now", sent["send_at"])
        done = run(folder, "issue", "draft", "--no-fetch", "--json", *named)
        assert done.status == 0, done.err
        shown = run(folder, "issue", "preview", *named, "--out", "shown", "--no-screenshots")
        assert shown.status == 0, shown.err
        files = {file.name: file.read_bytes() for file in (folder / "shown").iterdir()}
        assert any(name.endswith(".html") for name in files)
        made.append((done.out, files))
    assert made[0] == made[1]
