"""`newsletter config show`: every key in force, and where it comes from."""

from pathlib import Path
from typing import Any

import pytest

from docs.write_reference import rows_of
from newsletter.config import Bootstrap, load_config
from newsletter.publication.model import Settings
from newsletter.workflows.change_settings import Changed, change_settings
from newsletter.workflows.editors import add_editor
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.cli.conftest import Call
from tests.contracts.nouns import NOW
from tests.dns_server import dns_server
from tests.workflows.under_way import FEED

_PASSWORD = "a-password-that-nobody-sees"


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    assert call  # it clears the environment
    path = write_config(tmp_path, feed=FEED, port=9)
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("[[relay]]", '[[relay]]\nusername = "anna"', 1)
        + '[[source]]\nslug = "ghost"\nkind = "ghost"\n'
        'url = "https://paper.example/ghost/api/content/?key=0123456789"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("NEWSLETTER_RELAY__CATCHER__PASSWORD", _PASSWORD)
    monkeypatch.setenv("NEWSLETTER_PUBLICATION__SHORT_NAME", "the Envoy")
    return path


def keys(answer: Any) -> dict[str, dict[str, Any]]:
    return {key["key"]: key for key in answer.json["keys"]}


def test_each_key_tells_its_origin_and_secrets_are_not_shown(paper: Path, call: Call) -> None:
    answer = call(paper.parent, "config", "show", "--json")
    shown = keys(answer)
    for key, origin, where in (
        ("publication.name", "file", "config.toml"),
        ("publication.short_name", "environment", "NEWSLETTER_PUBLICATION__SHORT_NAME"),
        ("relay.catcher.password", "environment", "NEWSLETTER_RELAY__CATCHER__PASSWORD"),
        ("relay.catcher.host", "file", "config.toml"),
        ("relay.catcher.weight", "default", ""),
        ("newsletter.weekly.max_variants", "default", ""),
    ):
        assert (shown[key]["origin"], shown[key]["where"]) == (origin, where), key
        assert shown[key]["fixed"] == bool(where)
    assert shown["publication.short_name"]["value"] == "the Envoy"
    assert shown["relay.catcher.password"]["value"] == "(set)"
    printed = call(paper.parent, "config", "show").out
    assert "publication.short_name = 'the Envoy'   (environment: NEWSLETTER_PUB" in printed
    for text in (answer.out, printed):
        assert _PASSWORD not in text
        assert "0123456789" not in text
    tables = {name for name, _, _ in (*rows_of(Bootstrap), *rows_of(Settings)) if "." not in name}
    plain = {
        name
        for name, _, _ in (*rows_of(Bootstrap), *rows_of(Settings))
        if name.split(".")[0] not in ("relay", "source", "reads", "newsletter")
    }
    assert plain | tables <= {*shown}


def test_what_the_desk_set_tells_who_and_when(paper: Path, call: Call) -> None:
    clock = MovingClock(NOW)
    with open_installation(load_config(paper, {}), clock) as installation:
        anna = add_editor(
            installation.database, address="a@paper.example", name="Anna", actor="test", now=NOW
        )
        for path, value in (
            (("delivery", "brake_after"), 50),
            (("newsletter", "weekly", "consent"), "Yes"),
            (("delivery", "brake_after"), 60),
        ):
            with installation.database.read() as tx:
                latest = tx.settings.latest()
            assert latest is not None
            clock.set(clock.now().replace(minute=clock.now().minute + 1))
            assert isinstance(
                change_settings(
                    installation.database,
                    installation.fixed,
                    {path: value},
                    base=latest.version,
                    actor=anna.public_id,
                    now=clock.now(),
                ),
                Changed,
            )
    # From now on the file has the paper's site no more.
    paper.write_text(
        paper.read_text(encoding="utf-8").replace('url = "https://paper.example"\n', "", 1),
        encoding="utf-8",
    )
    shown = keys(call(paper.parent, "config", "show", "--json"))
    brake, site = shown["delivery.brake_after"], shown["publication.url"]
    assert (brake["value"], brake["origin"], brake["by"]) == (60, "desk", "Anna")
    assert brake["at"].startswith("2025-08-05T12:03")
    assert shown["newsletter.weekly.consent"]["at"].startswith("2025-08-05T12:02")
    assert (site["origin"], site["value"]) == ("former file", "https://paper.example")
    assert "(desk: Anna, 2025-08-05 12:03 UTC)" in call(paper.parent, "config", "show").out


_REPORTS = (
    ("config", "show"),
    ("config", "snippets"),
    ("check",),
    ("stories", "list"),
    ("reads", "snippet"),
    ("issue", "list", "--newsletter", "daily"),
    ("subscribers", "count", "cadence = monthly"),
    ("subscribers", "stats"),
    ("editors", "list"),
    ("adopt",),
)


def test_who_only_looks_changes_nothing(
    paper: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEWSLETTER_PUBLICATION__SHORT_NAME")
    before = stored(paper)
    monkeypatch.setenv("NEWSLETTER_PUBLICATION__SHORT_NAME", "the Envoy")
    with paper.open("a", encoding="utf-8") as file:
        file.write(_DAILY)
    with dns_server({}) as dns:
        monkeypatch.setenv("NEWSLETTER_DNS__NAMESERVERS", '["127.0.0.1"]')
        monkeypatch.setenv("NEWSLETTER_DNS__PORT", str(dns.port))
        for report in _REPORTS:
            answer = call(paper.parent, *report, "--json")
            assert not answer.err.startswith("newsletter: "), report
            assert answer.status in (0, 1), report
    shown = keys(call(paper.parent, "config", "show", "--json"))
    assert shown["publication.short_name"]["value"] == "the Envoy"
    assert shown["newsletter.daily.name"]["origin"] == "file"
    assert stored(paper, adopts=False) == before
    monkeypatch.delenv("NEWSLETTER_PUBLICATION__SHORT_NAME")
    short = keys(call(paper.parent, "config", "show", "--json"))["publication.short_name"]
    assert (short["value"], short["origin"]) == ("the Courier", "file")
    # What works at the paper goes by what the service goes by.
    assert stored(paper)["newsletter"][1]["slug"] == "daily"


_DAILY = """
[[newsletter]]
slug = "daily"
name = "The Courier Daily"
draft_at = "daily 08:00"
send_at = "daily 12:00"
[newsletter.from]
name = "The Courier"
address = "daily@paper.example"
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest"
"""


def stored(paper: Path, *, adopts: bool = True) -> dict[str, Any]:
    config, clock = load_config(paper, {}), MovingClock(NOW)
    with (
        open_installation(config, clock, adopts=adopts) as installation,
        installation.database.read() as tx,
    ):
        latest = tx.settings.latest()
    assert latest is not None
    return latest.document
