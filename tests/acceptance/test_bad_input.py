"""What goes wrong on a normal day: one clear sentence, and what was there stays."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult

from newsletter.clock import SystemClock
from tests.acceptance.command_line import (
    Answer,
    import_readers,
    must,
    newsletter,
    write_config,
)
from tests.acceptance.weekly_feed import weekly_feed


def the_sentence(answer: Answer, *, status: int) -> str:
    """The one line that a mistake is answered with."""
    assert answer.status == status, answer.err
    assert "Traceback" not in answer.err
    said = [line for line in answer.err.splitlines() if line.startswith("newsletter: ")]
    assert len(said) == 1, answer.err
    return said[0]


@pytest.fixture
def feed() -> Iterator[str]:
    with weekly_feed(SystemClock(), datetime.now(UTC) - timedelta(days=400)) as url:
        yield url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[web]\nprot = 8000", ['"prot"', '"port"', "config.toml"]),
        ("[publication]\nname = 3", ["publication", "name"]),
        ("[[newsletter]]\nslug = 'archive'", ["newsletter"]),
        ("[relay", ["TOML", "config.toml"]),
    ],
)
def test_wrong_config_is_named(tmp_path: Path, line: str, words: list[str]) -> None:
    (tmp_path / "config.toml").write_text(line, encoding="utf-8")
    sentence = the_sentence(newsletter(tmp_path, "stories", "list"), status=2)
    assert all(word in sentence for word in words), sentence


def test_unknown_environment_name_is_named(tmp_path: Path, feed: str) -> None:
    write_config(tmp_path, feed=feed, port=25)
    answer = newsletter(tmp_path, "config", "show", NEWSLETTER_RELAY__CATCHER__PASWORD="x")
    assert '"password"' in the_sentence(answer, status=2)


def test_missing_config_says_how_to_make_one(tmp_path: Path) -> None:
    assert "newsletter init" in the_sentence(newsletter(tmp_path, "run"), status=2)


def test_unreachable_site(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    sentence = the_sentence(newsletter(tmp_path, "init", "--site", url), status=1)
    assert "127.0.0.1" in sentence
    assert not (tmp_path / "config.toml").exists()


def test_init_never_writes_over_a_config(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("# mine", encoding="utf-8")
    the_sentence(newsletter(tmp_path, "init", "--site", "https://paper.example"), status=2)
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == "# mine"


def test_failing_source_keeps_what_was_there(tmp_path: Path, feed: str) -> None:
    path = write_config(tmp_path, feed=feed, port=25)
    must(tmp_path, "stories", "fetch")
    before = must(tmp_path, "stories", "list", "--json").json["stories"]
    dead = f"http://127.0.0.1:{free_port()}/feed/"
    path.write_text(path.read_text(encoding="utf-8").replace(feed, dead), encoding="utf-8")
    answer = newsletter(tmp_path, "stories", "fetch", "--json")
    assert answer.status == 1
    assert "127.0.0.1" in answer.json["sources"][0]["error"]
    after = must(tmp_path, "stories", "list", "--json").json
    assert after["stories"] == before
    assert after["sources"]["site"]["last_error"]


@pytest.mark.parametrize("address", ["a@@b", "reader", "reader@nowhere", "a b@reader.example", ""])
def test_bad_address(tmp_path: Path, feed: str, address: str) -> None:
    write_config(tmp_path, feed=feed, port=25)
    answer = newsletter(tmp_path, "subscribers", "add", address, "--consent", "by letter")
    the_sentence(answer, status=1)
    assert (
        must(tmp_path, "subscribers", "stats", "--json").json["newsletters"]["weekly"]["audience"]
        == 0
    )


def test_bad_rows_of_an_import_are_named_and_the_others_kept(tmp_path: Path, feed: str) -> None:
    write_config(tmp_path, feed=feed, port=25)
    rows = "email,name\nlilit@readers.example,Lilit\na@@b,Nobody\nani@readers.example,Ani\n"
    (tmp_path / "readers.csv").write_text(rows, encoding="utf-8")
    answer = newsletter(tmp_path, "subscribers", "import", "readers.csv", "--consent", "by letter")
    assert answer.status == 1
    assert "line 3" in answer.err
    assert "a@@b" in answer.err
    stats = must(tmp_path, "subscribers", "stats", "--json").json["newsletters"]["weekly"]
    assert stats["audience"] == 2


def prepare_issue(folder: Path, feed: str, port: int) -> None:
    write_config(folder, feed=feed, port=port)
    import_readers(folder, 3)
    must(folder, "issue", "draft")
    must(folder, "issue", "approve")


def test_relay_that_is_not_there(tmp_path: Path, feed: str) -> None:
    prepare_issue(tmp_path, feed, free_port())
    assert "catcher" in the_sentence(newsletter(tmp_path, "issue", "send"), status=1)
    report = must(tmp_path, "issue", "report", "--json").json
    assert (report["audience"], report["queued"], report["accepted"]) == (3, 3, 0)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.long
def test_relay_that_refuses_the_login(tmp_path: Path, feed: str) -> None:
    controller = Controller(
        Sink(),
        hostname="127.0.0.1",
        port=free_port(),
        auth_require_tls=False,
        auth_required=True,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )
    controller.start()
    try:
        prepare_issue(tmp_path, feed, controller.port)
        login = {
            "NEWSLETTER_RELAY__CATCHER__USERNAME": "courier",
            "NEWSLETTER_RELAY__CATCHER__PASSWORD": "wrong",
        }
        sentence = the_sentence(newsletter(tmp_path, "issue", "send", **login), status=1)
    finally:
        controller.stop()
    assert "catcher" in sentence
    assert "password" in sentence
    assert "wrong" not in sentence.replace("wrong password", "")
    report = must(tmp_path, "issue", "report", "--json").json
    assert (report["queued"], report["accepted"], report["refused"]) == (3, 0, 0)


def test_second_draft_of_a_slot(tmp_path: Path, feed: str) -> None:
    write_config(tmp_path, feed=feed, port=25)
    slot = must(tmp_path, "issue", "draft", "--json").json["slot"]
    sentence = the_sentence(newsletter(tmp_path, "issue", "draft"), status=1)
    assert slot in sentence
    must(tmp_path, "issue", "cancel")
    assert must(tmp_path, "issue", "draft", "--json").json["slot"] == slot


@pytest.mark.parametrize("slot", ["2026-13", "2026-W60", "next week", "2026-08-05"])
def test_impossible_slot(tmp_path: Path, feed: str, slot: str) -> None:
    write_config(tmp_path, feed=feed, port=25)
    assert slot in the_sentence(newsletter(tmp_path, "issue", "draft", "--slot", slot), status=2)


def test_no_story_makes_no_issue(tmp_path: Path) -> None:
    with weekly_feed(SystemClock(), datetime.now(UTC) + timedelta(days=900)) as feed:
        write_config(tmp_path, feed=feed, port=25)
        the_sentence(newsletter(tmp_path, "issue", "draft"), status=1)
        assert must(tmp_path, "issue", "list", "--json").json["issues"] == []


@pytest.mark.parametrize("act", ["resume", pytest.param("pause", marks=pytest.mark.long)])
def test_an_approved_issue_can_be_neither_resumed_nor_paused(
    tmp_path: Path, feed: str, act: str
) -> None:
    prepare_issue(tmp_path, feed, free_port())
    the_sentence(newsletter(tmp_path, "issue", act), status=1)
    assert must(tmp_path, "issue", "show", "--json").json["state"] == "approved"
