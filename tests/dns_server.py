"""A DNS server on the loopback for tests: it answers from a zone, or misbehaves as told."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

# What a name may do instead of answering.
SERVFAIL, SILENCE, GARBAGE, TRUNCATED = "SERVFAIL", "SILENCE", "GARBAGE", "TRUNCATED"

Zone = Mapping[tuple[str, str], Sequence[str]]


class DnsServer:
    """Serves ``zone``, records in zone file notation by name and type, over UDP and TCP.

    A name with records of other types has none of this one; any other does not
    exist, save below a wildcard ``*.name``. ``faults`` makes a name misbehave;
    a TRUNCATED one answers whole by TCP only. `asked` counts the questions.
    """

    def __init__(self, zone: Zone, faults: Mapping[str, str] | None = None) -> None:
        self.zone = dict(zone)
        self.faults = dict(faults or {})
        self.asked: Counter[tuple[str, str, str]] = Counter()
        self._udp, self._tcp = _open_both()
        self.port: int = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=run) for run in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", ("127.0.0.1", self.port))
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            wire, peer = self._udp.recvfrom(65_535)
            if not wire:
                return
            answer = self._answer(wire, "udp")
            if answer is not None:
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            connection, _ = self._tcp.accept()
            with connection, connection.makefile("rb") as stream:
                size = stream.read(2)
                if not size:
                    return
                answer = self._answer(stream.read(struct.unpack("!H", size)[0]), "tcp")
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, wire: bytes, way: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind, way] += 1
        response = dns.message.make_response(query, recursion_available=True)
        fault = self.faults.get(name)
        if fault == SILENCE:
            return None
        if fault == GARBAGE:
            return b"\x00\xff" * 20
        if fault == SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif fault == TRUNCATED and way == "udp":
            response.flags |= dns.flags.TC
        else:
            self._fill(response, question.name, name, kind)
        return response.to_wire(max_size=65_535)

    def _fill(
        self, response: dns.message.Message, question: dns.name.Name, name: str, kind: str
    ) -> None:
        labels = name.split(".")
        above = [f"*.{'.'.join(labels[depth:])}" for depth in range(1, len(labels))]
        for at in (name, *above):
            for type_ in (kind, "CNAME"):
                if records := self.zone.get((at, type_)):
                    response.answer.append(dns.rrset.from_text(question, 60, "IN", type_, *records))
                    if type_ != kind:
                        target = dns.name.from_text(records[0])
                        self._fill(response, target, records[0].rstrip("."), kind)
                    return
            if any(known == at or known.endswith(f".{at}") for known, _ in self.zone):
                return
        response.set_rcode(dns.rcode.NXDOMAIN)


def _open_both() -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on one port: what is free for the one may be taken for the other."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()


@contextmanager
def dns_server(zone: Zone, faults: Mapping[str, str] | None = None) -> Iterator[DnsServer]:
    server = DnsServer(zone, faults)
    try:
        yield server
    finally:
        server.close()


def txt(text: str) -> str:
    """``text`` as one TXT record: strings of at most 255 octets (RFC 1035 section 3.3)."""
    parts = [text[at : at + 255] for at in range(0, len(text), 255)] or [""]
    return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)
