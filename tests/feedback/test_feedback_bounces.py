"""Delivery status notifications, as mail servers write them and as nobody should."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.bounces import read_bounce
from newsletter.feedback.model import BounceAction, BounceReport

# The shape of Postfix 3.7's own; tests/real has one that it wrote.
POSTFIX = """\
From: MAILER-DAEMON@relay.example (Mail Delivery System)
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B1/relay.example"

--B1/relay.example
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.
Action: delivered

--B1/relay.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
Original-Envelope-Id: abc

Final-Recipient: rfc822; anna@reader.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.reader.example
Diagnostic-Code: smtp; 550 5.1.1 <anna@reader.example>: Recipient address
    rejected: User unknown

--B1/relay.example
Content-Type: text/rfc822-headers

Action: relayed
"""


def test_a_report_says_what_became_of_the_message() -> None:
    expected = BounceReport(
        BounceAction.FAILED,
        550,
        "5.1.1",
        "<a…@reader.example>: Recipient address rejected: User unknown",
    )
    for newline in ("\n", "\r\n", "\r"):
        assert read_bounce(POSTFIX.replace("\n", newline).encode()) == expected
    worldly = POSTFIX.replace("message/delivery-status", "message/global-delivery-status")
    assert read_bounce(worldly.encode()) == expected


def test_what_a_report_leaves_out_is_empty() -> None:
    bare = "Content-Type: message/delivery-status\n\nReporting-MTA: x\n\nAction: DELAYED (busy)\n"
    assert read_bounce(bare.encode()) == BounceReport(BounceAction.DELAYED)
    with_status = bare + "Status: 4.4.1 (no answer)\nDiagnostic-Code: X-local; gone fishing\n"
    assert read_bounce(with_status.encode()) == BounceReport(
        BounceAction.DELAYED, 0, "4.4.1", "gone fishing"
    )


def test_what_is_no_report_is_none() -> None:
    vacation = "Auto-Submitted: auto-replied\nSubject: Away\n\nI am away. Action: failed\n"
    assert read_bounce(vacation.encode()) is None
    assert read_bounce(POSTFIX.replace("Action: failed", "Action: pondered").encode()) is None
    assert read_bounce(b"Content-Type: message/delivery-status") is None


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(POSTFIX.encode().split(b"\n")))))
def test_no_message_breaks_it_and_no_words_are_long(lines: list[bytes]) -> None:
    report = read_bounce(b"\n".join(lines))
    assert report is None or len(report.text) <= 500


def test_deep_and_large_messages_are_read_to_a_bound() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) * 2 for n in range(9_000)
    )
    assert read_bounce(nested) is None
    padding = "X-Field: " + "x" * 70 + "\n"
    late = POSTFIX.replace("Action: failed", padding * 1_000 + "Action: failed")
    assert read_bounce(late.encode()) is None
