"""An issue through a real Postfix: its refusals, its delays, and its reports (RFC 3461)."""

import email
import email.policy
import smtplib
import subprocess
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import RelayError
from tests.acceptance.command_line import ENVIRONMENT, command, newsletter
from tests.acceptance.ready_house import make_house, read_report
from tests.delivery.sql_sending import MakeSending, local_relay
from tests.real.postfix import (
    BOUNCED_DOMAIN,
    BUSY_DOMAIN,
    NARROW_OCTETS,
    REFUSED_DOMAIN,
    Postfix,
)
from tests.real.sink import Arrived

pytest_plugins = ["tests.real.fixtures", "tests.delivery.sql_fixtures"]

GOOD = [f"reader{number}@readers.example" for number in range(12)]
BOUNCED = [f"gone{number}@{BOUNCED_DOMAIN}" for number in range(2)]
REFUSED = [f"nobody{number}@{REFUSED_DOMAIN}" for number in range(3)]
BUSY = [f"later{number}@{BUSY_DOMAIN}" for number in range(2)]
# "=" and "+" have to be written otherwise in ORCPT.
ODD = "anna+news=weekly@readers.example"


@dataclass(frozen=True)
class Sent:
    """An issue that was handed to Postfix, and what came out behind it."""

    folder: Path
    report: dict[str, Any]
    issues: dict[str, Arrived]
    notifications: list[Arrived]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory, postfix: Postfix) -> Sent:
    folder = tmp_path_factory.mktemp("house")
    readers = [*GOOD, ODD, *BOUNCED, *REFUSED, *BUSY]
    make_house(folder, postfix.port, readers)
    before = {message.recipients for message in postfix.messages()}
    # Not all has gone: some are to come back later.
    assert newsletter(folder, "issue", "send").status == 1
    report = read_report(folder)
    count = len(before)
    while True:
        count += 1
        new = [m for m in postfix.wait_for(count) if m.recipients not in before]
        issues = {m.recipients[0]: m for m in new if m.recipients[0] in readers}
        notifications = [message for message in new if not message.sender]
        if len(issues) == len(GOOD) + 1 and len(notifications) == len(BOUNCED):
            return Sent(folder, report, issues, notifications)


def read(message: Arrived) -> EmailMessage:
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def envelope_id(message: Arrived) -> str:
    (found,) = [p for p in message.mail_parameters if p.startswith("ENVID=")]
    return found.removeprefix("ENVID=")


def test_everybody_is_accounted_for(sent: Sent) -> None:
    report = sent.report
    readers = len(GOOD) + 1 + len(BOUNCED) + len(REFUSED) + len(BUSY)
    assert report["audience"] == readers
    states = {row["address"]: row for row in report["deliveries"]}
    for address in (*GOOD, ODD, *BOUNCED):
        assert states[address]["state"] == "accepted"
        assert "queued as" in states[address]["reply_text"]
    for address in REFUSED:
        assert states[address]["state"] == "refused"
        assert states[address]["reason"] == "unknown_user"
        assert (states[address]["reply_code"], states[address]["reply_enhanced"]) == (550, "5.1.1")
    for address in BUSY:
        assert states[address]["state"] == "deferred"
        assert states[address]["reply_code"] == 450
    assert report["accepted"] + report["refused"] + report["deferred"] == readers


def test_each_reader_got_one_message_that_asks_for_reports(sent: Sent) -> None:
    assert set(sent.issues) == {*GOOD, ODD}
    ids = set()
    for address, message in sent.issues.items():
        assert "RET=HDRS" in message.mail_parameters
        assert "NOTIFY=FAILURE,DELAY" in message.rcpt_parameters
        local, _, domain = address.partition("@")
        quoted = local.replace("+", "+2B").replace("=", "+3D")
        assert f"ORCPT=rfc822;{quoted}@{domain}" in message.rcpt_parameters
        # The return path names the same two: mailing and reader.
        assert envelope_id(message) in message.sender
        ids.add((envelope_id(message), read(message)["Message-ID"]))
    assert len(ids) == len(sent.issues)


def test_a_reader_who_is_refused_later_comes_back_as_a_report(sent: Sent) -> None:
    assert len(sent.notifications) == len(BOUNCED)
    for message in sent.notifications:
        report = read(message)
        assert report.get_content_type() == "multipart/report"
        words, status, original = list(report.iter_parts())
        assert words.get_content_type() == "text/plain"
        about, reader = status.get_payload()
        assert reader["Final-Recipient"].partition(";")[2].strip() in BOUNCED
        assert reader["Original-Recipient"] == reader["Final-Recipient"].replace("; ", ";")
        assert (reader["Action"], reader["Status"]) == ("failed", "5.1.1")
        # It went to the return path of that one message, and names it once more.
        (return_path,) = message.recipients
        assert about["Original-Envelope-Id"] in return_path
        # RET=HDRS: the issue itself does not travel back.
        assert original.get_content_type() == "text/rfc822-headers"
        headers = original.get_content()
        assert "Message-ID: <" in headers
        assert "List-Unsubscribe: <" in headers
        assert len(message.content) < 12_000


def test_the_report_is_told_of_the_reader_whom_it_is_about(sent: Sent) -> None:
    for message in sent.notifications:
        taken = subprocess.run(
            command("inbox", "take", *message.recipients),
            cwd=sent.folder,
            input=message.content,
            env=ENVIRONMENT,
            capture_output=True,
            timeout=120,
            check=True,
        )
        assert taken.stdout + taken.stderr
    rows = {row["address"]: row for row in read_report(sent.folder)["deliveries"]}
    for address, row in rows.items():
        assert (row["bounce"] is None) == (address not in BOUNCED)
    for address in BOUNCED:
        assert rows[address]["state"] == "accepted"
        told = rows[address]["bounce"]["report"]
        assert (told["action"], told["enhanced"]) == ("failed", "5.1.1")
        assert told["text"]
        assert address not in told["text"]


def test_messages_that_are_too_long_for_the_relay_cost_no_reader_anything(
    make_sending: MakeSending, postfix: Postfix
) -> None:
    sending = make_sending(20)
    before = len(postfix.messages())
    engine = sending.engine(local_relay(postfix.narrow_port))
    engine.run()
    failure = engine.failure
    engine.close()
    with pytest.raises(RelayError, match=rf"takes messages of up to {NARROW_OCTETS} octets"):
        raise failure or AssertionError("it took them")
    # It says so itself to SIZE, so that not even an envelope is offered.
    assert f"SIZE {NARROW_OCTETS}" in ask_what_is_offered(postfix.narrow_port)
    assert not sending.ledger.handed_over
    assert [one.reply.enhanced for one in sending.ledger.outcomes] == ["5.3.4"]
    assert sending.ledger.outcomes[0].reply.code == 0
    assert sending.counts().open == 20
    # Where it fits, all of them go.
    sending.run_to_the_end(local_relay(postfix.port))
    assert sending.counts().accepted == 20
    assert len(postfix.wait_for(before + 20)) >= before + 20


def ask_what_is_offered(port: int) -> str:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as connection:
        return connection.ehlo()[1].decode()
