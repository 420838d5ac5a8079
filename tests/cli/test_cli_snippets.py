"""`newsletter config snippets`."""

from pathlib import Path

from tests.acceptance.command_line import write_config
from tests.cli.conftest import Call
from tests.workflows.under_way import FEED

_TWO = """
[[newsletter.placement]]
slug = "sidebar"
text = "{newsletter}, from {short_name} & friends:"
"""


def test_three_ways_for_each_placement(tmp_path: Path, call: Call) -> None:
    path = write_config(tmp_path, feed=FEED, port=9)
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    document = call(tmp_path, "config", "snippets", "--json").json
    assert [(one["way"], one["placement"]) for one in document["snippets"]] == [
        (way, placement)
        for placement in ("article", "footer")
        for way in ("element", "form", "frame")
    ]
    assert "WordPress" in document["wordpress"][0]
    assert set(document["ways"]) == {"element", "form", "frame"}
    printed = call(tmp_path, "config", "snippets").out
    for one in document["snippets"]:
        assert one["html"] in printed


def test_a_placements_own_words_are_text(tmp_path: Path, call: Call) -> None:
    path = write_config(tmp_path, feed=FEED, port=9)
    text = path.read_text(encoding="utf-8")
    at = text.index("[[newsletter.section]]")
    path.write_text(text[:at] + _TWO + text[at:], encoding="utf-8")
    snippets = call(tmp_path, "config", "snippets", "--json").json["snippets"]
    assert {one["placement"] for one in snippets} == {"sidebar"}
    for one in snippets:
        assert "from the Courier &amp; friends" in one["html"]


def test_words_that_name_nothing_known_stop_the_start(tmp_path: Path, call: Call) -> None:
    path = write_config(tmp_path, feed=FEED, port=9)
    text = path.read_text(encoding="utf-8")
    at = text.index("[[newsletter.section]]")
    path.write_text(text[:at] + _TWO.replace("short_name", "paper") + text[at:], encoding="utf-8")
    answer = call(tmp_path, "config", "snippets")
    assert answer.status == 2
    assert "{paper}" in answer.err
    assert "{short_name}" in answer.err
