from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.model import OutcomeKind, Phase, Reply
from newsletter.delivery.replies import judge_reply, read_reply
from newsletter.delivery.reply_reasons import reason_of
from tests.delivery.samples import GIVE_UP, NOW

CODES = st.integers(min_value=400, max_value=599)


def judge(code: int, text: str, phase: Phase = Phase.RCPT, tried_for: timedelta = timedelta(0)):
    return judge_reply(read_reply(code, text), phase, 0, NOW - tried_for, NOW, GIVE_UP)


def test_a_reply_gives_its_enhanced_code_and_masks_addresses() -> None:
    reply = read_reply(550, "5.1.1 <lilit@reader.example>: Recipient\n5.1.1 address rejected")
    assert reply == Reply(550, "<l…@reader.example>: Recipient address rejected", "5.1.1")


@pytest.mark.parametrize(
    ("code", "text", "enhanced"),
    [
        (250, "2.0.0 Ok: queued as 4B2", "2.0.0"),
        (550, "4.1.1 not of its class", ""),
        (550, "no code", ""),
        (550, "5.7.1.2 an address of some kind", ""),
        (550, "5.07.001 padded", "5.7.1"),
        (450, "", ""),
    ],
)
def test_enhanced_codes_are_told_from_what_only_looks_like_one(
    code: int, text: str, enhanced: str
) -> None:
    assert read_reply(code, text).enhanced == enhanced


@given(CODES, st.text(max_size=2000))
def test_any_text_is_read_into_one_bounded_printable_line(code: int, text: str) -> None:
    reply = read_reply(code, text)
    assert len(reply.text) <= 500
    assert reply.text.isprintable()


# What servers write, after their documentation and the registries, and what it means.
MEANINGS = [
    (550, "5.1.1 <x@y.example>: Recipient address rejected: User unknown", "unknown_user"),
    (550, "5.1.1 The email account that you tried to reach does not exist.", "unknown_user"),
    (550, "No such user here", "unknown_user"),
    (550, "Requested action not taken: mailbox unavailable", "unknown_user"),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", "unknown_host"),
    (556, "5.1.10 Domain does not accept mail", "unknown_host"),
    (550, "5.1.2 Host unknown", "unknown_host"),
    (552, "5.2.2 The email account that you tried to reach is over quota", "mailbox_full"),
    (452, "4.2.2 Mailbox full", "mailbox_full"),
    (550, "Mailbox is full", "mailbox_full"),
    # As Gmail, Microsoft, Yahoo, Apple, GMX, Orange, Comcast, Postfix and Amazon ask for less.
    (421, "4.7.28 Our system has detected an unusual rate of unsolicited mail", "rate_limited"),
    (421, "4.7.0 Our system has detected an unusual rate of mail from you", "rate_limited"),
    (451, "4.7.500 Server busy. Please try again later from [192.0.2.1].", "rate_limited"),
    (451, "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP "
     "reputation.", "rate_limited"),
    (451, "4.7.652 The mail server has exceeded the maximum number of connections.",
     "rate_limited"),
    (421, "RP-001 The mail server IP connecting to us has exceeded the rate limit allowed.",
     "rate_limited"),
    (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume "
     "or user complaints", "rate_limited"),
    (450, "4.7.1 You are sending too much mail, slow down", "rate_limited"),
    (450, "Requested mail action not taken: Mail send limit exceeded", "rate_limited"),
    (421, "Service not available: Too many connections from this host", "rate_limited"),
    (421, "Trop de connexions, veuillez verifier votre configuration. OFR_104", "rate_limited"),
    (421, "4.1.0 Throttled - try again later", "rate_limited"),
    (450, "4.7.1 Error: exceeding rate of mail from 192.0.2.1", "rate_limited"),
    (450, "4.7.1 Error: too much mail from 192.0.2.1", "rate_limited"),
    (454, "Throttling failure: Maximum sending rate exceeded.", "rate_limited"),
    # One mailbox that many write to, not our pace; and it is not disabled.
    (450, "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
     "additional messages from being delivered.", "system"),
    (550, "5.2.1 The user you are trying to contact is receiving mail too quickly", "system"),
    (552, "5.3.4 Message size exceeds fixed limit", "too_big"),
    (550, "5.2.1 The email account that you tried to reach is disabled", "suspended"),
    (554, "5.7.1 Client host [192.0.2.1] blocked using zen.example", "blocked"),
    (550, "5.7.606 Access denied, banned sending IP", "blocked"),
    (550, "5.1.1 Mail from your network is listed on our blocklist", "blocked"),
    (550, "5.7.1 This message looks like spam", "spam"),
    (550, "5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy",
     "authentication"),
    (550, "5.7.515 Access denied, sending domain does not meet the level", "authentication"),
    (421, "4.7.27 Your email has been rate limited because SPF did not pass", "authentication"),
    (550, "5.7.25 The IP address sending this message does not have a PTR record",
     "authentication"),
    (421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail", "rate_limited"),
    (450, "4.7.28 unusual rate", "rate_limited"),
    (452, "4.5.3 Too many recipients", "rate_limited"),
    (451, "4.7.1 Greylisting in action, please come back later", "greylisted"),
    (450, "4.2.0 <x@y.example>: Recipient address rejected: Greylisted", "greylisted"),
    (450, "try later", "greylisted"),
    (554, "5.7.1 <x@y.example>: Relay access denied", "relay_denied"),
    (550, "5.7.1 Unable to relay", "relay_denied"),
    (550, "5.7.1 Denied by policy", "policy"),
    (550, "5.7.0 no", "policy"),
    (550, "5.4.4 Unable to route", "unknown_host"),
    (450, "4.4.1 No answer from host", "network"),
    (554, "5.4.7 Delivery expired", "expired"),
    (451, "4.3.0 Temporary system problem", "system"),
    (452, "4.3.1 Insufficient system storage", "system"),
    (554, "5.6.0 Message contains a virus", "content"),
    (550, "5.6.7 Non-ASCII addresses not permitted", "non_ascii_address"),
    # Microsoft's answer for a mailbox that is not in its directory.
    (550, "5.4.1 Recipient address rejected: Access denied.", "unknown_user"),
    (554, "5.7.1 <x@y.example>: Recipient address rejected: Access denied", "policy"),
    (554, "Transaction failed", "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "reason"), MEANINGS)
def test_replies_mean(code: int, text: str, reason: str) -> None:
    assert reason_of(read_reply(code, text), Phase.RCPT) == reason


def test_the_words_of_an_address_are_no_reason() -> None:
    text = "5.1.1 <spam-blocklist-quota@dmarc.example>: does not exist"
    assert reason_of(read_reply(550, text), Phase.RCPT) == "unknown_user"


def test_after_the_dot_a_bare_550_says_nothing_of_the_reader() -> None:
    assert reason_of(read_reply(550, "rejected"), Phase.DOT) == "unknown"


@pytest.mark.parametrize(
    "text",
    ["5.7.26 DMARC", "5.7.1 blocked by RBL", "5.7.1 looks like spam", "5.7.1 Relay access denied",
     "5.7.0 policy", "5.7.28 rate"],
)  # fmt: skip
def test_refusals_that_blame_us_say_so(text: str) -> None:
    outcome = judge(550, text, Phase.DOT)
    assert (outcome.kind, outcome.sender_fault) == (OutcomeKind.REFUSED, True)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (552, "5.3.4 Message too big for us"),
        (552, "Message exceeds the size limit"),
        (550, "5.2.3 too long for this mailbox"),
        (554, "5.6.0 Message contains a virus"),
        (550, "content rejected"),
        (554, "5.3.5 System config error"),
        (554, "5.4.6 Too many hops"),
        (550, "5.4.1 No answer from host"),
        (554, "5.4.7 Delivery expired"),
        (550, "5.7.0 Greylisted"),
        (554, "Transaction failed"),
        (550, "rejected"),
    ],
)
@pytest.mark.parametrize("phase", [Phase.DATA, Phase.DOT])
def test_what_refuses_the_message_says_nothing_of_the_reader(
    code: int, text: str, phase: Phase
) -> None:
    outcome = judge(code, text, phase)
    assert (outcome.kind, outcome.sender_fault) == (OutcomeKind.REFUSED, True)


@pytest.mark.parametrize(
    "text", ["5.1.1 User unknown", "5.1.2 Host unknown", "5.2.2 Mailbox full", "5.2.1 disabled"]
)
@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.DOT])
def test_what_is_said_of_the_reader_is_theirs_at_any_time(text: str, phase: Phase) -> None:
    outcome = judge(550, text, phase)
    assert (outcome.kind, outcome.sender_fault) == (OutcomeKind.REFUSED, False)


def test_a_recipient_refused_without_a_reason_is_not_our_fault() -> None:
    outcome = judge(554, "Transaction failed")
    assert (outcome.reason, outcome.sender_fault) == ("unknown", False)


def test_an_unknown_user_is_refused_and_not_our_fault() -> None:
    outcome = judge(550, "5.1.1 User unknown")
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, "unknown_user")
    assert not outcome.sender_fault
    assert outcome.retry_at is None


def test_only_a_2xx_to_the_dot_is_acceptance() -> None:
    assert judge(250, "2.0.0 Ok", Phase.DOT).kind is OutcomeKind.ACCEPTED
    for phase in set(Phase) - {Phase.DOT}:
        assert judge(250, "2.0.0 Ok", phase).kind is OutcomeKind.REQUEUED


def test_no_reply_is_in_doubt_only_after_the_dot() -> None:
    for phase in Phase:
        outcome = judge_reply(Reply(0, "closed"), phase, 0, None, NOW, GIVE_UP)
        expected = OutcomeKind.UNCERTAIN if phase is Phase.DOT else OutcomeKind.REQUEUED
        assert outcome.kind is expected


@given(st.integers(400, 499), st.sampled_from(Phase), st.text(max_size=40), st.integers(1, 50))
def test_a_4xx_is_later_never_now_and_ends_with_the_time_for_trying(
    code: int, phase: Phase, text: str, attempts: int
) -> None:
    reply = read_reply(code, text)
    outcome = judge_reply(reply, phase, attempts, NOW, NOW, GIVE_UP)
    late = judge_reply(reply, phase, attempts, NOW - GIVE_UP, NOW, GIVE_UP)
    if code == 421:
        assert outcome.kind is late.kind is OutcomeKind.REQUEUED
        return
    assert outcome.kind is OutcomeKind.DEFERRED
    assert outcome.retry_at is not None
    assert outcome.retry_at > NOW
    assert (late.kind, late.reason) == (OutcomeKind.REFUSED, "expired")


@pytest.mark.parametrize("text", ["5.7.1 Sender denied", "5.1.8 Bad sender", "no", "5.7.0 Log in"])
@pytest.mark.parametrize("code", [550, 553, 554, 501, 530])
def test_a_refusal_at_mail_never_touches_the_reader(code: int, text: str) -> None:
    outcome = judge(code, text, Phase.MAIL)
    assert (outcome.kind, outcome.sender_fault) == (OutcomeKind.REQUEUED, True)


def test_a_message_too_big_for_the_relay_is_refused_at_mail() -> None:
    outcome = judge(552, "5.3.4 Message size exceeds fixed limit", Phase.MAIL)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, "too_big")


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.DOT])
def test_a_missing_login_never_touches_the_reader(phase: Phase) -> None:
    outcome = judge(530, "5.7.0 Authentication required", phase)
    assert (outcome.kind, outcome.sender_fault) == (OutcomeKind.REQUEUED, True)
