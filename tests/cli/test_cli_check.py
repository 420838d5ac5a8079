"""`newsletter check` with a DNS of its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.delivery.model import RelayState
from newsletter.storage.ledger import SqlLedger
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import Answer, must, newsletter, write_config
from tests.dns_server import SILENCE, DnsServer, dns_server, txt

ZONE = {
    ("paper.example", "MX"): ["10 mail.paper.example."],
    ("paper.example", "TXT"): [txt("v=spf1 mx ~all")],
    ("mail.paper.example", "A"): ["192.0.2.1"],
    ("_dmarc.paper.example", "TXT"): [txt("v=DMARC1; p=none")],
}
DNS = ("spf ", "dkim ", "dmarc ", "mx ", "ptr ", "dns")


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with dns_server(ZONE) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: DnsServer) -> Path:
    """A paper whose relay and source nobody serves: DNS is looked at all the same."""
    path = write_config(tmp_path, feed="http://127.0.0.1:9/feed/", port=9)
    dns = f'\n[dns]\nnameservers = ["127.0.0.1"]\nport = {server.port}\n'
    path.write_text(path.read_text(encoding="utf-8") + dns, encoding="utf-8")
    return tmp_path


def levels(answer: Answer) -> dict[str, str]:
    return {
        one["what"]: one["level"] for one in answer.json["checks"] if one["what"].startswith(DNS)
    }


def test_each_record_of_the_sender_has_its_line(folder: Path) -> None:
    assert levels(newsletter(folder, "check", "--json")) == {
        "mx paper.example": "ok",
        "spf paper.example": "ok",
        "dmarc paper.example": "ok",
        "dkim paper.example": "warn",
    }


def test_a_key_is_followed_from_its_making_to_its_publication(
    folder: Path, server: DnsServer
) -> None:
    made = must(folder, "dkim", "keygen", "--selector", "s1", "--json").json["records"][0]
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write('[dkim]\nselectors = ["s1"]\n')
    before = newsletter(folder, "check", "--json")
    assert before.status == 1
    assert levels(before)[f"dkim {made['name']}"] == "stop"
    (sentence,) = [
        one["sentence"] for one in before.json["checks"] if one["what"] == f"dkim {made['name']}"
    ]
    assert made["value"] in sentence
    server.zone[made["name"], "TXT"] = [txt(made["value"])]
    assert levels(newsletter(folder, "check", "--json"))[f"dkim {made['name']}"] == "ok"


def test_where_dns_is_silent_nothing_fails_for_it(folder: Path, server: DnsServer) -> None:
    names = [name for name, _ in ZONE] + ["_dmarc.example"]
    server.faults = dict.fromkeys(names, SILENCE)
    lines = newsletter(folder, "check").out.splitlines()
    assert [line[:32] for line in lines if line.split()[1].startswith("dns")] == [
        "info  dns: DNS does not answer ("
    ]


def test_a_name_server_is_given_by_its_number(folder: Path) -> None:
    answer = newsletter(folder, "check", NEWSLETTER_DNS__NAMESERVERS='["dns.paper.example"]')
    assert answer.status == 2
    assert '"dns.paper.example" is not a numeric address' in answer.err


def test_a_relay_that_is_paused_is_shown_with_its_reason(folder: Path) -> None:
    with open_installation(load_config(folder / "config.toml", {}), SystemClock()) as installation:
        now = installation.clock.now()
        ledger = SqlLedger(installation.database)
        state = RelayState(now + timedelta(minutes=5), "it refuses to send for us", 1)
        ledger.set_relay_state("catcher", state, now)
        ledger.close()
    checks = newsletter(folder, "check", "--json").json["checks"]
    (shown,) = [one for one in checks if one["what"] == "sending over catcher"]
    assert shown["level"] == "warn"
    assert "it refuses to send for us" in shown["sentence"]
    with open_installation(load_config(folder / "config.toml", {}), SystemClock()) as installation:
        ledger = SqlLedger(installation.database)
        ledger.set_relay_state("catcher", replace(state, paused_until=now), now)
        ledger.close()
    checks = newsletter(folder, "check", "--json").json["checks"]
    assert [one for one in checks if one["what"] == "sending over catcher"] == []


def test_a_desk_that_nobody_may_enter_or_anybody_may_overhear_is_told(folder: Path) -> None:
    def told(**environment: str) -> list[tuple[str, str]]:
        checks = newsletter(folder, "check", "--json", **environment).json["checks"]
        return [(one["level"], one["sentence"]) for one in checks if one["what"] == "desk"]

    (nobody,) = told()
    assert nobody[0] == "warn"
    assert "newsletter editors add" in nobody[1]
    must(folder, "editors", "add", "lilit@paper.example")
    assert told() == []


def test_two_approvals_that_nobody_can_give_are_told(folder: Path) -> None:
    config = folder / "config.toml"

    def told() -> list[str]:
        checks = newsletter(folder, "check", "--json").json["checks"]
        return [one["sentence"] for one in checks if "two approvals" in one["sentence"]]

    must(folder, "editors", "add", "lilit@paper.example")
    assert told() == []
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[[newsletter]]", '[[newsletter]]\napproval = "two"', 1))
    (sentence,) = told()
    assert "--role publisher" in sentence
    must(folder, "editors", "add", "aram@paper.example", "--role", "editor")
    assert len(told()) == 1
    must(folder, "editors", "add", "anna@paper.example", "--role", "publisher")
    assert told() == []
