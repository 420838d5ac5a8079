"""`newsletter migrate` where nothing is yet, and where a folder can't be made."""

from collections.abc import Callable
from pathlib import Path

from tests.acceptance.command_line import Answer, write_config

Call = Callable[..., Answer]


def test_it_makes_the_folder_as_every_other_command_does(tmp_path: Path, call: Call) -> None:
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525, migrated=False)
    answer = call(tmp_path, "migrate")
    assert (answer.status, answer.out) == (0, "the database was brought to this version\n")
    assert (tmp_path / "data" / "newsletter.sqlite").is_file()
    assert call(tmp_path, "migrate").out == "nothing to do\n"


def test_a_folder_that_cant_be_made_is_said(tmp_path: Path, call: Call) -> None:
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525, migrated=False)
    (tmp_path / "data").write_text("no folder", encoding="utf-8")
    answer = call(tmp_path, "migrate")
    assert answer.status == 2
    assert "data_dir" in answer.err
    assert "name a folder that may be written" in answer.err
