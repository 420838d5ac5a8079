"""The worker, from the queue to a relay: what it begins, what it tells, how fast it goes."""

import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.issues.model import IssueState
from newsletter.storage.ledger import SqlLedger
from newsletter.workflows.deliver import deliver, work
from newsletter.workflows.publish import move_issue
from tests.acceptance.command_line import must, newsletter
from tests.acceptance.ready_house import make_house
from tests.delivery.smtp_servers import Faults, scripted_server, server_context, smtp_server
from tests.dns_server import dns_server, txt
from tests.workflows.sending import ISSUE, Sending, opened

DESK = "desk@paper.example"
WAVES = '[newsletter.waves]\nstaff = ["@paper.example"]\ncanary = 0.25\nwait = "1 minute"'


def work_until(sending: Sending, done: Callable[[], bool], seconds: float = 20) -> None:
    """Let the worker work until ``done``, or for so many of our seconds."""
    end = time.monotonic() + seconds
    work(sending.installation, lambda: done() or time.monotonic() > end)
    assert done()


@pytest.mark.long
def test_the_worker_begins_one_wave_after_the_other(tmp_path: Path) -> None:
    faults, at = Faults(), []
    with smtp_server(faults) as port, opened(tmp_path, WAVES, port=port) as sending:
        faults.on_message = lambda _: at.append(sending.clock.now())
        sending.start(23)
        work_until(sending, lambda: len(faults.messages) == 23)
        domains = [recipient.partition("@")[2] for _, recipient, _ in faults.messages]
        assert domains[:3] == ["paper.example"] * 3
        assert [line[1:] for line in sending.lines()] == [(3, "done"), (5, "done"), (15, "done")]
    # The canary's wait is kept.
    assert (at[8] - at[7]).total_seconds() >= 60


def notices_to_the_desk(faults: Faults) -> list[str]:
    return [
        content.decode("utf-8", "replace").replace("=\r\n", "").replace("\r\n", " ")
        for _, recipient, content in faults.messages
        if recipient == DESK
    ]


def second_relay(port: int) -> str:
    """A table for another relay, used only where the first can't be."""
    return (
        f'[[relay]]\nslug = "other"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nweight = 0\n'
    )


def test_editors_are_told_of_a_relay_that_lets_nobody_in(tmp_path: Path) -> None:
    faults = Faults()
    with (
        scripted_server(b"554 5.7.1 no service for you\r\n") as refusing,
        smtp_server(faults) as port,
        opened(tmp_path, delivery=second_relay(port), port=refusing) as sending,
    ):
        sending.start(5)
        work_until(sending, lambda: bool(notices_to_the_desk(faults)) and len(faults.messages) == 6)
    (notice,) = notices_to_the_desk(faults)
    assert "relay catcher" in notice
    assert "554 5.7.1 no service for you" in notice


@pytest.mark.parametrize("refuses", ["certificate", "STARTTLS"])
def test_editors_are_told_of_a_relay_that_is_not_secure(tmp_path: Path, refuses: str) -> None:
    faults, unsafe = Faults(), Faults()
    options: dict[str, Any] = {}
    tls = "starttls"
    if refuses == "certificate":
        options, tls = {"ssl_context": server_context("wrong")}, "tls"
    with (
        smtp_server(unsafe, **options) as refusing,
        smtp_server(faults) as port,
        opened(
            tmp_path, delivery=second_relay(port), port=refusing, changes={'"none"': f'"{tls}"'}
        ) as sending,
    ):
        sending.start(5)
        work_until(sending, lambda: bool(notices_to_the_desk(faults)) and len(faults.messages) == 6)
    assert not unsafe.reached
    (notice,) = notices_to_the_desk(faults)
    assert refuses in notice


@pytest.mark.long
def test_a_breaker_is_shown_where_its_notice_can_not_go_out(tmp_path: Path) -> None:
    with scripted_server(b"554 5.7.1 no service for you\r\n") as refusing:
        with opened(tmp_path, port=refusing) as sending:
            sending.start(5)

            def is_paused() -> bool:
                with sending.installation.database.read() as tx:
                    return bool(tx.relay_uses.states())

            assert not is_paused()
            work_until(sending, is_paused)
        now = ("--now", sending.clock.now().isoformat())
        shown = must(tmp_path, "issue", "show", *now)
        paused = must(tmp_path, "issue", "show", "--json", *now).json["paused_relays"]
    (line,) = [line for line in (shown.out + shown.err).splitlines() if "relay catcher is" in line]
    assert "is paused until 2025-08-" in line
    assert "554 5.7.1 no service for you" in line
    assert [relay["relay"] for relay in paused] == ["catcher"]
    assert "554 5.7.1" in paused[0]["reason"]


def test_an_issue_that_can_not_go_is_shown_as_held_up(tmp_path: Path) -> None:
    with (
        smtp_server(Faults(), data_size_limit=900) as small,
        opened(tmp_path, port=small) as sending,
    ):
        sending.start(5)

        def is_held() -> bool:
            with sending.installation.database.read() as tx:
                return bool(tx.mailings.holds(sending.clock.now()))

        assert not is_held()
        work_until(sending, is_held)
        now = ("--now", sending.clock.now().isoformat())
        listed = must(tmp_path, "issue", "list", *now)
        shown = must(tmp_path, "issue", "show", *now)
        (document,) = must(tmp_path, "issue", "list", "--json", *now).json["issues"]
        held = must(tmp_path, "issue", "show", "--json", *now).json["held_up"]
        later = ("--now", (sending.clock.now() + timedelta(hours=2)).isoformat())
        assert must(tmp_path, "issue", "show", "--json", *later).json["held_up"] is None
    assert "sending, held up" in listed.out
    assert "up to 900 octets (SIZE)" in listed.err
    assert "it is held up, and tried again at 2025-08-" in shown.out + shown.err
    assert document["state"] == "sending"
    assert document["held_up"] == held
    assert "up to 900 octets (SIZE)" in held["because"]


class Unwilling(Faults):
    """Takes nothing for one domain."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.endswith("@slow.example"):
            self.fired["RCPT"] += 1
            server.loop.call_soon(server.transport.close)
            return "421 4.7.28 unusual rate of mail"
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.mark.long
def test_editors_are_told_of_a_destination_that_takes_nothing_and_of_its_end(
    tmp_path: Path,
) -> None:
    faults, told_after = Unwilling(), {}
    soon_over = '[delivery]\ngive_up_after = "6 hours"'
    with smtp_server(faults) as port, opened(tmp_path, delivery=soon_over, port=port) as sending:
        sending.start(40, domains=["reader.example", "slow.example"])
        begun = sending.clock.now()
        with closing(SqlLedger(sending.installation.database)) as ledger:
            # By hand, again and again, in as many processes.
            while len(told_after) < 2 and sending.clock.now() - begun < timedelta(hours=12):
                deliver(sending.installation, ledger)
                told = len(notices_to_the_desk(faults))
                if told:
                    told_after.setdefault(told, sending.clock.now() - begun)
                soon = sending.clock.now() + timedelta(minutes=5)
                sending.clock.set(max(ledger.next_due(soon) or soon, soon))
        assert sending.state is IssueState.SENT
        with sending.installation.database.read() as tx:
            counts = tx.mailings.counts(ISSUE.public_id)
    assert (counts.accepted, counts.refused, counts.total) == (21, 19, 40)
    first, last = notices_to_the_desk(faults)
    assert "slow.example has taken nothing over relay catcher" in first
    assert "421 4.7.28 unusual rate of mail" in first
    assert "none is lost: they wait" in first
    assert "are given up" in last
    assert "they wait" not in last
    assert told_after[1] <= timedelta(minutes=15)
    assert timedelta(hours=6) < told_after[2] < timedelta(hours=7)


def test_an_issue_does_not_begin_with_a_key_that_dns_does_not_show(tmp_path: Path) -> None:
    faults = Faults()
    with dns_server({("paper.example", "A"): ["192.0.2.1"]}) as server, smtp_server(faults) as port:
        dns = f'[dns]\nnameservers = ["127.0.0.1"]\nport = {server.port}\n'
        make_house(tmp_path, port, ["lilit@reader.example"], settings=dns)
        made = must(tmp_path, "dkim", "keygen", "--selector", "s1", "--json").json["records"][0]
        with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
            config.write('[dkim]\nselectors = ["s1"]\n')
        refused = newsletter(tmp_path, "issue", "send")
        assert refused.status == 1
        assert made["name"] in refused.err
        assert must(tmp_path, "issue", "show", "--json").json["state"] == "approved"
        assert not faults.reached
        server.zone[made["name"], "TXT"] = [txt(made["value"])]
        must(tmp_path, "issue", "send")
    assert faults.recipients() == ["lilit@reader.example"]


class Counting(Faults):
    """Counts the messages to each of its owners' domains that are under way at a time."""

    def __init__(self, owners: dict[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.owners = owners
        self.under_way: Counter[str] = Counter()
        # By owner, of the messages that began after so many had arrived.
        self.most: Counter[str] = Counter()
        self.most_at_all = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        owner = self.owners[address.partition("@")[2]]
        self.under_way[owner] += 1
        if len(self.messages) >= 10:
            self.most[owner] = max(self.most[owner], self.under_way[owner])
            self.most_at_all = max(self.most_at_all, self.under_way.total())
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        self.under_way[self.owners[envelope.rcpt_tos[0].partition("@")[2]]] -= 1
        return answer


class Refusing(Faults):
    """Refuses every reader as a recipient, and takes what editors are told."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == DESK:
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 OK"
        return await super().handle_RCPT(server, session, envelope, address, options)


def test_the_brake_bites_where_recipients_are_refused(tmp_path: Path) -> None:
    faults = Refusing({"RCPT": lambda _: "550 5.1.1 no such user"})
    with smtp_server(faults) as port, opened(tmp_path, port=port) as sending:
        sending.start(300)
        work_until(sending, lambda: bool(notices_to_the_desk(faults)))
        assert sending.state is IssueState.PAUSED
    # One above 5 % of them, those settled with it, and what each connection had on offer.
    assert 16 <= faults.fired["RCPT"] <= 16 + 2 + 3
    assert re.search(r"1[678] of the first 300 readers", notices_to_the_desk(faults)[0])


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "451 4.3.0 later"])
def test_a_pause_by_hand_bites_where_recipients_are_refused(tmp_path: Path, reply: str) -> None:
    refusing, paused_at = Refusing(), []
    refusing.answers["RCPT"] = lambda _: reply
    off = "[delivery]\nbrake_share = 1"
    with smtp_server(refusing) as port, opened(tmp_path, delivery=off, port=port) as sending:

        def pause_after_a_while() -> bool:
            if not paused_at and refusing.fired["RCPT"] >= 40:
                move_issue(sending.installation, ISSUE, IssueState.PAUSED, actor="anna")
                paused_at.append(refusing.fired["RCPT"])
            return bool(paused_at) and sending.claim() == []

        sending.start(300)
        end = time.monotonic() + 3
        work(sending.installation, lambda: pause_after_a_while() and time.monotonic() > end)
        (at,) = paused_at
        assert at <= refusing.fired["RCPT"] <= at + 3


@pytest.mark.parametrize(
    ("reply", "reason"), [("550 5.1.1 no", "unknown_user"), ("552 5.2.2 full", "mailbox_full")]
)
def test_editors_are_told_of_an_issue_that_reached_nobody(
    tmp_path: Path, reply: str, reason: str
) -> None:
    faults = Refusing({"RCPT": lambda _: reply})
    with smtp_server(faults) as port, opened(tmp_path, port=port) as sending:
        sending.start(2)
        work_until(sending, lambda: bool(notices_to_the_desk(faults)))
        assert sending.state is IssueState.SENT
    (notice,) = notices_to_the_desk(faults)
    assert "reached nobody: all 2 readers to whom it went were refused." in notice
    assert f"The reasons are: {reason} 2." in notice


def test_editors_are_told_in_their_language_that_nobody_got_it(tmp_path: Path) -> None:
    faults = Refusing({"RCPT": lambda _: "550 5.1.1 no"})
    changes = {"[publication]": '[publication]\nlanguage = "hy"'}
    with smtp_server(faults) as port, opened(tmp_path, port=port, changes=changes) as sending:
        sending.start(2)
        work_until(sending, lambda: any(to == DESK for _, to, _ in faults.messages))
    (mail,) = (content for _, to, content in faults.messages if to == DESK)
    read = message_from_bytes(mail, policy=policy.default)
    body = read.get_body(("plain",))
    assert body is not None
    told = " ".join(body.get_content().split())
    assert str(read["Subject"]).startswith("Ոչ ոք չստացավ՝ ")
    assert "ոչ մեկին չի հասել" in told
    assert "unknown_user 2" in told
    assert not re.search("reached|refused|reasons|See what", told)


def test_who_sends_by_hand_is_told_by_the_exit_status_that_nobody_got_it(tmp_path: Path) -> None:
    faults = Faults({"RCPT": lambda _: "550 5.1.1 no such user"})
    with smtp_server(faults) as port:
        make_house(tmp_path, port, ["a@reader.example", "b@reader.example"])
        sent = newsletter(tmp_path, "issue", "send")
    assert sent.status == 1
    assert "0 accepted, 2 refused" in sent.out


def test_a_canary_that_is_refused_as_a_whole_holds_the_rest_back(tmp_path: Path) -> None:
    waves = '[newsletter.waves]\ncanary = 0.1\nwait = "0 minutes"'
    faults = Refusing({"RCPT": lambda _: "550 5.1.1 no such user"})
    with smtp_server(faults) as port, opened(tmp_path, waves, port=port) as sending:
        sending.start(40)
        work_until(sending, lambda: bool(notices_to_the_desk(faults)))
        assert sending.state is IssueState.PAUSED
        assert [line[1:] for line in sending.lines()] == [(4, "done"), (36, "waits")]
        sending.resume()
        assert sending.release() == ["the rest"]
    assert faults.fired["RCPT"] == 4


def test_a_destination_gets_no_more_at_the_same_time_than_is_set(tmp_path: Path) -> None:
    owners = {"paper.example": "paper", "busy.example": "busy", "other.example": "other"}
    faults = Counting(owners, delay=0.02)
    limit = "[delivery]\ndomain_connections = 1\n"
    with smtp_server(faults) as port, opened(tmp_path, delivery=limit, port=port) as sending:
        sending.start(60, domains=("busy.example", "other.example"))
        work_until(sending, lambda: len(faults.messages) == 60)
    assert faults.most["busy"] == faults.most["other"] == 1
    # The connections are used, by one of each.
    assert faults.most_at_all == 2


@pytest.mark.parametrize("grouped", [True, False])
def test_domains_behind_one_mail_host_are_one_destination(tmp_path: Path, grouped: bool) -> None:
    owners = {"paper.example": "paper", "gmail.example": "big", "work.example": "big"}
    faults = Counting(owners, delay=0.02)
    zone = {
        (domain, "MX"): [f"10 {domain[:4]}.mx.google.example."]
        for domain in ("gmail.example", "work.example")
    }
    # A relay on this very machine would group nothing: it has a queue of its own.
    elsewhere = {'host = "127.0.0.1"': 'host = "127.0.0.2"'}
    with dns_server(zone) as server, smtp_server(faults, hostname="127.0.0.2") as port:
        tables = (
            f"[delivery]\ndomain_connections = 1\ngroup_by_mx = {str(grouped).lower()}\n"
            f'[dns]\nnameservers = ["127.0.0.1"]\nport = {server.port}\n'
        )
        with opened(tmp_path, delivery=tables, port=port, changes=elsewhere) as sending:
            sending.start(60, domains=("gmail.example", "work.example"))
            work_until(sending, lambda: len(faults.messages) == 60)
    assert faults.most["big"] == (1 if grouped else 2)
