"""`newsletter issue edit` as an editor uses it, on the demo's paper."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import Call


def test_an_issue_is_edited_by_commands(demo_house: Path, call: Call) -> None:
    house = demo_house
    issue = call(house, "issue", "list", "--newsletter", "weekly", "--json").json["issues"][-1]
    sent, mailed = issue["slot"], [i for i in issue["items"] if i["section"] == "latest"]
    slot = f"{sent}.x5"
    drafted = call(
        house,
        "issue",
        "draft",
        "--no-fetch",
        "--newsletter",
        "weekly",
        "--slot",
        slot,
        "--json",
    )
    assert drafted.status == 0, drafted.err

    def edit(*arguments: str) -> Any:
        answer = call(
            house,
            "issue",
            "edit",
            *arguments,
            "--newsletter",
            "weekly",
            "--slot",
            slot,
            "--json",
        )
        assert answer.status == 0, answer.err
        return answer.json

    def refused(*arguments: str) -> str:
        answer = call(house, "issue", "edit", *arguments, "--newsletter", "weekly", "--slot", slot)
        assert answer.status != 0
        assert "Traceback" not in answer.err
        return answer.err

    first, second = drafted.json["items"][:2]
    section = first["section"]
    assert second["section"] == section
    moved = edit("move", f"{section}/2", "1", "--as", "anna")
    assert moved["version"] == 2
    assert [item["story"] for item in moved["items"][:2]] == [second["story"], first["story"]]
    assert moved["items"][0]["pinned"]
    titled = edit("text", f"{section}/1", "headline", "Ours alone", "--version", "2")
    assert titled["items"][0]["changed"] == ["headline"]
    assert titled["items"][0]["site"]["headline"] == second["headline"]
    assert "anna" not in refused("text", f"{section}/1", "headline")
    assert edit("text", f"{section}/1", "headline", "--reset")["items"][0]["changed"] == []
    gone = edit("remove", f"{section}/1")
    assert second["story"] in gone["excluded"]
    assert "is in the issue already" in refused("add", first["url"], section)
    back = edit("add", second["url"], f"{section}/1")
    assert back["items"][0]["story"] == second["story"]
    ran = [one for one in mailed if one["story"] not in {i["story"] for i in back["items"]}]
    for one in ran[:1]:
        assert f"went out among the latest of {sent}" in refused("add", one["url"], "latest")
    swapped = edit("swap", f"{section}/1")
    assert swapped["items"][0]["story"] != second["story"]
    noted = edit("note", "A **quiet** week, [they say](https://paper.example/).")
    shown = call(
        house,
        "issue",
        "preview",
        "--newsletter",
        "weekly",
        "--slot",
        slot,
        "--out",
        "out",
        "--no-screenshots",
    )
    assert shown.status == 0, shown.err
    html = (house / "out" / "issue.html").read_text(encoding="utf-8")
    text = (house / "out" / "issue.txt").read_text(encoding="utf-8")
    assert "<strong" in html
    assert "**" not in html
    assert "A quiet week, they say.\nhttps://paper.example/\n" in text
    assert edit("undo")["note"] == ""
    assert edit("redo")["note"] == noted["note"]
    last = edit("subject", "Our own")
    anew = edit("refresh")
    assert (anew["subject"], anew["note"]) == ("Our own", noted["note"])
    assert edit("restore", "1")["version"] == anew["version"] + 1 > last["version"]
    told = edit("history")
    numbers = [one["version"] for one in told["versions"]]
    # The headline that was reset at once is one with its edit.
    assert numbers == [number for number in range(told["version"], 0, -1) if number != 3]
    assert told["versions"][-2]["by"] == "anna"
    assert told["versions"][-2]["told"].startswith("moved “")
    clash = refused("subject", "Late", "--version", str(told["version"] - 3), "--as", "vartan")
    assert "you would have “Late”" in clash
    assert "has no version 99" in refused("subject", "Late", "--version", "99")


def test_stories_are_found_with_what_speaks_for_them(demo_house: Path, call: Call) -> None:
    house = demo_house
    issue = call(house, "issue", "list", "--newsletter", "weekly", "--json").json["issues"][-1]
    item = issue["items"][0]
    word = item["headline"].split()[0]
    found = call(
        house,
        "issue",
        "edit",
        "search",
        word,
        "--newsletter",
        "weekly",
        "--slot",
        issue["slot"],
        "--json",
    ).json
    (mine,) = [one for one in found["stories"] if one["story_id"] == item["story"]]
    assert mine["place"] == f"{item['section']}/{item['position']}"
    assert mine["reasons"]
    read = call(
        house,
        "issue",
        "edit",
        "search",
        "--order",
        "most_read",
        "--newsletter",
        "weekly",
        "--slot",
        issue["slot"],
        "--json",
    ).json["stories"]
    counts = [one["reads"] or 0 for one in read]
    assert counts == sorted(counts, reverse=True)
