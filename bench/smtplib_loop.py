"""The loop that most senders in Python are: smtplib, one connection a thread, kept open.

`python -m bench.smtplib_loop PORT MESSAGES THREADS LETTER [--build]` sends and
prints what it cost, imports not counted. LETTER is a file of `bench.letter`.
With ``--build`` each message is made by EmailMessage, as one does who gives
every reader a link of their own; without, the same ready bytes go out again
and again.
"""

import argparse
import json
import smtplib
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from pathlib import Path

from bench.children import Stopwatch, peak_rss_mb
from bench.letter import Letter, read_letter
from newsletter.rendering.model import ReaderSlot


def build_message(letter: Letter, address: str, token: str) -> EmailMessage:
    """One reader's message with the headers that a newsletter needs."""
    domain = letter.from_address.rpartition("@")[2]
    link = f"{letter.base_url}/unsubscribe/{token}"
    message = EmailMessage()
    message["From"] = formataddr((letter.from_name, letter.from_address))
    message["To"] = address
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{token}@{domain}>"
    message["List-Id"] = f"<weekly.{domain}>"
    message["List-Unsubscribe"] = f"<{link}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Precedence"] = "bulk"
    text, html = letter.text, letter.html
    for slot in ReaderSlot:
        text, html = text.replace(slot, token), html.replace(slot, token)
    # Both parts quoted-printable, as ours are, so that the messages are of one size.
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def send_share(port: int, first: int, count: int, letter: Letter, *, build: bool) -> int:
    """Send ``count`` messages over one connection; how many were taken."""
    domain = letter.from_address.rpartition("@")[2]
    ready = letter.sample
    with smtplib.SMTP("127.0.0.1", port, local_hostname="bench.example") as smtp:
        for number in range(first, first + count):
            token = f"a.{number:016d}.{'m' * 32}"
            sender = f"bounces+{number:016d}@{domain}"
            address = f"reader{number}@reader.example"
            if build:
                smtp.send_message(build_message(letter, address, token), sender, [address])
            else:
                smtp.sendmail(sender, [address], ready)
    return count


def main() -> None:
    """Send, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.smtplib_loop", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("letter", type=Path)
    parser.add_argument("--build", action="store_true")
    arguments = parser.parse_args()
    letter = read_letter(arguments.letter)
    shares = [
        range(arguments.messages)[number :: arguments.threads]
        for number in range(arguments.threads)
    ]
    with ThreadPoolExecutor(arguments.threads) as pool:
        watch = Stopwatch()
        sending = [
            pool.submit(
                send_share,
                arguments.port,
                number * arguments.messages,
                len(share),
                letter,
                build=arguments.build,
            )
            for number, share in enumerate(shares)
        ]
        sent = sum(future.result() for future in sending)
        usage = watch.read()
    print(json.dumps({"sent": sent, "rss_mb_peak": peak_rss_mb(), **usage.figures()}))


if __name__ == "__main__":
    main()
