"""A DNS for installations of the bench, so that none asks the world: on the loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@contextmanager
def answering_dns(*, mail: bool = False) -> Iterator[int]:
    """The port of a server that knows every domain, and of none a mail host of its own.

    With ``mail`` each has one. Other questions fail at once: a DKIM key that nobody can look
    up stops no send, one that is said to be missing would.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, mail), name="dns", daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.sendto(b"", server.getsockname())
            thread.join()


def _serve(server: socket.socket, mail: bool) -> None:
    while True:
        question, peer = server.recvfrom(65_535)
        if not question:
            return
        try:
            asked = dns.message.from_wire(question)
        except dns.exception.DNSException:
            continue
        answer = dns.message.make_response(asked)
        if any(one.rdtype != dns.rdatatype.MX for one in asked.question):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif mail:
            name = asked.question[0].name
            host = f"10 mail.{name}"
            answer.answer.append(dns.rrset.from_text(name, 3600, "IN", "MX", host))
        server.sendto(answer.to_wire(), peer)
