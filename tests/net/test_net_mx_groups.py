"""Destination groups: known at once or learnt behind the caller's back."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clock import SystemClock
from newsletter.net.dns_answers import DnsAnswer, DnsStatus, MailExchange
from newsletter.net.mx_groups import MxGroups, name_group
from newsletter.net.resolver import Resolver
from tests.dns_server import SERVFAIL, DnsServer, dns_server
from tests.waiting import wait_until

ZONE = {
    ("gmail.example", "MX"): ["5 gmail-smtp-in.l.google.com.", "10 alt1.googlemail.com."],
    ("school.example", "MX"): ["1 aspmx.l.google.com."],
    ("post.example", "MX"): ["10 mx.post.example."],
    ("null.example", "MX"): ["0 ."],
    ("bare.example", "A"): ["192.0.2.1"],
}


class SteppedClock(SystemClock):
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with dns_server(ZONE, {"broken.example": SERVFAIL}) as running:
        yield running


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def groups(server: DnsServer, clock: SteppedClock) -> Iterator[MxGroups]:
    made = MxGroups(Resolver(["127.0.0.1"], server.port, timeout=0.5), clock)
    yield made
    made.close()


def test_domains_of_one_host_become_one_group(groups: MxGroups) -> None:
    assert groups.group_of("gmail.example") == "gmail.example"
    assert wait_until(lambda: groups.group_of("gmail.example") == "google.com")
    assert wait_until(lambda: groups.group_of("school.example") == "google.com")
    assert wait_until(lambda: groups.group_of("GMAIL.example") == "google.com")


def test_a_known_domain_is_not_asked_again_until_its_time_is_over(
    server: DnsServer, groups: MxGroups, clock: SteppedClock
) -> None:
    assert wait_until(lambda: groups.group_of("school.example") == "google.com")
    for _ in range(100):
        groups.group_of("school.example")
    assert server.asked["school.example", "MX", "udp"] == 1
    server.zone["school.example", "MX"] = ["1 mx.school.example."]
    clock.seconds = 3601.0
    # What was known holds until the new answer is there.
    assert groups.group_of("school.example") == "google.com"
    assert wait_until(lambda: groups.group_of("school.example") == "school.example")
    assert server.asked["school.example", "MX", "udp"] == 2


@pytest.mark.parametrize("domain", ["null.example", "bare.example", "nowhere.example"])
def test_a_domain_without_mail_host_is_a_group_of_its_own(
    server: DnsServer, groups: MxGroups, domain: str
) -> None:
    assert groups.group_of(domain) == domain
    assert wait_until(lambda: server.asked[domain, "MX", "udp"] == 1)
    # The line is served in order: when the next one is known, this one was.
    assert wait_until(lambda: groups.group_of("gmail.example") == "google.com")
    assert groups.group_of(domain) == domain
    assert server.asked[domain, "MX", "udp"] == 1


def test_silence_decides_nothing_and_is_asked_again_later(
    server: DnsServer, groups: MxGroups, clock: SteppedClock
) -> None:
    assert groups.group_of("broken.example") == "broken.example"
    assert wait_until(lambda: groups.group_of("gmail.example") == "google.com")
    asked = server.asked["broken.example", "MX", "udp"]
    assert groups.group_of("broken.example") == "broken.example"
    assert wait_until(lambda: groups.group_of("school.example") == "google.com")
    assert server.asked["broken.example", "MX", "udp"] == asked > 0
    del server.faults["broken.example"]
    server.zone["broken.example", "MX"] = ["1 x.mail.protection.outlook.com."]
    clock.seconds = 61.0
    assert wait_until(lambda: groups.group_of("broken.example") == "outlook.com")


def test_silence_does_not_take_back_what_was_known(
    server: DnsServer, groups: MxGroups, clock: SteppedClock
) -> None:
    assert wait_until(lambda: groups.group_of("gmail.example") == "google.com")
    server.faults["gmail.example"] = SERVFAIL
    clock.seconds = 3601.0
    groups.group_of("gmail.example")
    assert wait_until(lambda: groups.group_of("school.example") == "google.com")
    assert server.asked["gmail.example", "MX", "udp"] > 1
    assert groups.group_of("gmail.example") == "google.com"


class HeldResolver(Resolver):
    """Answers only when it is let go."""

    def __init__(self) -> None:
        super().__init__(["127.0.0.1"])
        self.let_go = threading.Event()
        self.asked: list[str] = []

    def mx(self, domain: str) -> DnsAnswer[MailExchange]:
        self.let_go.wait()
        self.asked.append(domain)
        return DnsAnswer(DnsStatus.FOUND, (MailExchange(1, f"mx.of-{domain}"),))


def test_the_caller_never_waits_for_dns(clock: SteppedClock) -> None:
    resolver = HeldResolver()
    groups = MxGroups(resolver, clock)
    # All of this returns while the lookup hangs; the line behind it is bounded.
    assert [groups.group_of(f"d{n}.example") for n in range(3_000)] == [
        f"d{n}.example" for n in range(3_000)
    ]
    assert resolver.asked == []
    resolver.let_go.set()
    assert wait_until(lambda: groups.group_of("d0.example") == "of-d0.example")
    assert wait_until(lambda: len(resolver.asked) >= 1_000)
    groups.close()
    assert len(resolver.asked) <= 1_001


def test_the_cache_is_bounded_and_keeps_what_is_asked_for(clock: SteppedClock) -> None:
    resolver = HeldResolver()
    resolver.let_go.set()
    groups = MxGroups(resolver, clock, size=10)
    assert wait_until(lambda: groups.group_of("busy.example") == "of-busy.example")
    for n in range(200):
        rare = f"d{n}.example"
        groups.group_of(rare)
        assert wait_until(lambda name=rare: name in resolver.asked)
        assert groups.group_of("busy.example") == "of-busy.example"
    assert groups.group_of("d0.example") == "d0.example"
    groups.close()
    assert resolver.asked.count("busy.example") == 1


def test_nothing_is_looked_up_after_the_end(clock: SteppedClock) -> None:
    resolver = HeldResolver()
    groups = MxGroups(resolver, clock)
    groups.close()
    assert groups.group_of("paper.example") == "paper.example"
    resolver.let_go.set()
    groups.close()
    assert resolver.asked == []


@pytest.mark.parametrize(
    ("hosts", "group"),
    [
        ([(10, "mx.mail.post.example")], "post.example"),
        ([(5, "gmail-smtp-in.l.google.com")], "google.com"),
        ([(10, "aspmx2.googlemail.com")], "google.com"),
        ([(10, "paper-example.mail.protection.outlook.com")], "outlook.com"),
        ([(10, "paper-example.g-v1.mx.microsoft")], "outlook.com"),
        ([(10, "mx.post.co.uk")], "post.co.uk"),
        ([(10, "post.co")], "post.co"),
        ([(10, "localhost")], "paper.example"),
        ([(10, "192.0.2.1")], "paper.example"),
        ([(0, "")], "paper.example"),
        ([], "paper.example"),
    ],
)
def test_a_group_is_named_after_the_owner_of_the_best_host(
    hosts: list[tuple[int, str]], group: str
) -> None:
    status = DnsStatus.FOUND if hosts else DnsStatus.NO_DATA
    answer = DnsAnswer(status, tuple(MailExchange(*host) for host in hosts))
    assert name_group("Paper.example", answer) == group


@given(st.lists(st.tuples(st.integers(0, 65_535), st.text(max_size=80)), max_size=4))
def test_any_answer_names_a_group(hosts: list[tuple[int, str]]) -> None:
    answer = DnsAnswer(DnsStatus.FOUND, tuple(MailExchange(*host) for host in hosts))
    assert name_group("paper.example", answer) != ""
