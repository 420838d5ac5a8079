"""`newsletter dkim keygen`, as a person calls it."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli.ending import run_to_status
from newsletter.cli.main import build_app
from newsletter.delivery.dkim_keys import Algorithm, key_folder, read_key
from tests.acceptance.command_line import Answer, write_config

Keygen = Callable[..., Answer]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_config(tmp_path, feed="http://127.0.0.1:9/feed", port=9, migrated=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def keygen(folder: Path, capsys: pytest.CaptureFixture[str]) -> Keygen:
    """The command in this process, which saves the time that its modules take to load."""

    def call(*arguments: str) -> Answer:
        command = ["dkim", "keygen", *arguments]
        with pytest.raises(SystemExit) as ended:
            sys.exit(run_to_status(lambda: build_app("dkim")(command, standalone_mode=False)))
        return Answer(int(ended.value.code or 0), *capsys.readouterr())

    return call


def name_keys(folder: Path, line: str) -> None:
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[publication]", f"[dkim]\n{line}\n[publication]"), "utf-8")


def test_it_makes_a_key_says_what_dns_needs_and_overwrites_nothing(
    folder: Path, keygen: Keygen
) -> None:
    answer = keygen("--selector", "s1")
    key = read_key(key_folder(folder / "data"), "s1").published("paper.example")
    assert f"{key.name}. IN TXT (" in answer.out
    strings = re.findall(r'^  "(.*)"$', answer.out, re.MULTILINE)
    assert len(strings) == 2
    assert max(map(len, strings)) <= 255
    assert "".join(strings) == key.record
    assert 'selectors = ["s1"]' in answer.out
    assert "PRIVATE" not in answer.out + answer.err

    again = keygen("--selector", "s1")
    assert again.status == 1
    assert re.fullmatch(r"newsletter: .*s1\.pem.*\n", again.err)
    assert read_key(key_folder(folder / "data"), "s1").published("paper.example") == key
    # Nothing but the key: the installation was not opened.
    assert [path.name for path in (folder / "data").iterdir()] == ["dkim"]


def test_a_key_may_be_named_before_it_is_made_and_the_second_goes_beside_it(
    folder: Path, keygen: Keygen
) -> None:
    name_keys(folder, 'selectors = ["s1"]\ndomain = "paper.example"')
    keygen("--selector", "s1")
    document = keygen("--ed25519", "--json").json
    assert document["algorithm"] == "ed25519-sha256"
    assert re.fullmatch(r"s\d{8}e", document["selector"])
    key = read_key(key_folder(folder / "data"), document["selector"])
    assert key.algorithm is Algorithm.ED25519
    (record,) = document["records"]
    assert record["name"] == f"{document['selector']}._domainkey.paper.example"
    assert record["strings"] == [record["value"]] == [key.published("paper.example").record]
    assert any(f'selectors = ["s1", "{document["selector"]}"]' in step for step in document["next"])


def test_a_new_key_takes_the_place_of_the_old_one_which_is_kept_for_a_while(
    folder: Path, keygen: Keygen
) -> None:
    name_keys(folder, 'selectors = ["s1"]')
    keygen("--selector", "s1")
    steps = keygen("--selector", "s2", "--json").json["next"]
    assert any('selectors = ["s2"]' in step for step in steps)
    assert any(step.startswith("Keep") and "s1" in step for step in steps)


def test_a_wrong_selector_or_no_known_domain_is_one_line(folder: Path, keygen: Keygen) -> None:
    wrong = keygen("--selector", "../s1")
    (folder / "config.toml").write_text('data_dir = "data"\n', "utf-8")
    nameless = keygen()
    for answer in (wrong, nameless):
        assert answer.status == 2
        assert re.search(r"^newsletter: .+\n\Z", answer.err, re.MULTILINE)
    assert not key_folder(folder / "data").exists()
