"""Why a relay could not be used, said in one sentence with its mend."""

import smtplib
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta

from newsletter.delivery.model import Outcome, Phase, Relay, Reply
from newsletter.delivery.replies import read_reply
from newsletter.errors import RelayError, RelayRejectedLogin, RelayUnavailable, RenderError

_CORRECT = "(pause the issue, correct it, resume it)"
# What to do about a refusal that is about the message, by its reason.
_MENDS: Mapping[str, str] = {
    "too_big": f"take out some stories {_CORRECT}, or have its size limit raised",
    "content": f"take out what it objects to {_CORRECT}, or have its operator let it pass",
}


def explain_failure(relay: Relay, phase: Phase, error: Exception) -> RelayError:
    """Our error for what went wrong while ``relay`` was opened, at ``phase``.

    RelayUnavailable where it may be well again by itself.
    """
    name = name_relay(relay)
    if phase is Phase.AUTH:
        return _explain_login(relay, name, error)
    kind = RelayError if _needs_a_hand(error) else RelayUnavailable
    return kind(f"{name} {_complaint(error)}", subject=relay.slug)


def name_relay(relay: Relay) -> str:
    """How sentences call a relay."""
    return f"relay {relay.slug} ({relay.host}:{relay.port})"


def refuses_us(relay: Relay, sender: str, outcome: Outcome) -> RelayError:
    """Our error for a relay that takes no mail of ``sender`` as it is."""
    mend = _MENDS.get(
        outcome.reason, "send again when the relay's operator, its login or DNS is put right"
    )
    return RelayError(
        f"{name_relay(relay)} refuses to send for {sender}: {show_reply(outcome.reply)}; "
        f"the readers it concerns stay in the queue, so {mend}",
        subject=relay.slug,
    )


def destination_refuses_us(relay: Relay, group: str, outcome: Outcome) -> str:
    """A sentence for a destination that takes no mail of ours over ``relay``."""
    mend = _MENDS.get(outcome.reason, "mend what it says")
    return (
        f"{group} refuses our mail over {name_relay(relay)}: {show_reply(outcome.reply)}; "
        f"its readers wait in the queue for an hour: {mend}"
    )


def destination_takes_nothing(
    relay: Relay, group: str, reply: Reply, since: datetime, give_up_after: timedelta
) -> str:
    """A sentence for a destination that has put off all our mail over ``relay`` for long."""
    return (
        f"{group} has taken nothing over {name_relay(relay)} since {since:%Y-%m-%d %H:%M} UTC: "
        f"{show_reply(reply)}; its readers are tried again, each for {give_up_after} at most "
        "(delivery.give_up_after): where it goes on, ask its operator, or lower the rate"
    )


def destination_given_up(group: str, since: datetime) -> str:
    """A sentence for a destination whose readers are not tried any more."""
    return (
        f"{group} has taken nothing since {since:%Y-%m-%d %H:%M} UTC: its readers who wait for so "
        "long (delivery.give_up_after) are given up"
    )


def relay_given_up(relay: str, since: datetime) -> str:
    """A sentence for readers who are not tried any more, for a relay refuses all our mail."""
    return (
        f"relay {relay} has refused all our mail since {since:%Y-%m-%d %H:%M} UTC: the readers who "
        "have waited for so long (delivery.give_up_after) are given up"
    )


def mailing_not_built(error: RenderError) -> RenderError:
    """Our error for an issue of which no message can be written."""
    return RenderError(
        f"an issue can't be written: {error}; its readers stay in the queue, so mend it {_CORRECT}",
        subject=error.subject,
    )


def message_too_big(relay: Relay, sender: str, octets: int, most: int) -> RelayError:
    """Our error for a message of ``sender`` larger than what ``relay`` takes (RFC 1870)."""
    return RelayError(
        f"{name_relay(relay)} takes messages of up to {most:,} octets (SIZE), and one of {sender} "
        f"has {octets:,}; it was not offered, and the readers it concerns stay in the queue, so "
        f"{_MENDS['too_big']}",
        subject=relay.slug,
    )


def show_reply(reply: Reply) -> str:
    """A reply as it is quoted in a sentence."""
    return " ".join(part for part in (str(reply.code), reply.enhanced, reply.text) if part)


def _explain_login(relay: Relay, name: str, error: Exception) -> RelayError:
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return RelayRejectedLogin(
            f"{name} rejects the login of {relay.username!r}: {_quote(error)}; "
            f"correct username and password of the [[relay]] called {relay.slug}",
            subject=relay.slug,
        )
    if isinstance(error, UnicodeError):
        return RelayRejectedLogin(
            f"{name} can't be given a user name or password that is not ASCII; "
            f"change it for the [[relay]] called {relay.slug}",
            subject=relay.slug,
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return RelayError(
            f"{name} takes no login here; use its submission port (587 or 465), "
            "or leave username and password out",
            subject=relay.slug,
        )
    return RelayUnavailable(f"{name} {_complaint(error)}", subject=relay.slug)


def _needs_a_hand(error: Exception) -> bool:
    """Whether it stays as it is until somebody mends it: a refusal for good, or no TLS."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    broke_off = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
    return isinstance(error, ssl.SSLError) and not broke_off


def _complaint(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not valid for it ({error.verify_message.rstrip('.')}), "
            "so nothing was sent; set host to the name in the certificate, or have it renewed"
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"could not agree on TLS with us ({error.reason or error}); "
            'tls = "starttls" fits port 587, tls = "tls" port 465'
        )
    if isinstance(error, socket.gaierror):
        return f"was not found ({error.strerror}); check host, and that DNS answers"
    if isinstance(error, ConnectionRefusedError):
        return "refuses the connection; check host and port, and that the server runs"
    # smtplib tells of a reply that never came as of a connection that closed.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "does not answer in time; check host and port, and that no firewall is between"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"does not take us: {_quote(error)}; what it says is for its operator to mend"
    return f"broke off ({str(error) or type(error).__name__}); check host, port and tls"


def _quote(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return show_reply(read_reply(error.smtp_code, words))
