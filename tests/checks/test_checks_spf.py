"""SPF records as a receiver would read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.model import Level
from newsletter.checks.spf import check_spf, parse_spf, spf_targets
from newsletter.net.dns_answers import DnsAnswer, DnsStatus

DOMAIN = "paper.example"
SILENT: DnsAnswer[str] = DnsAnswer(DnsStatus.SILENT, why="no name server answered in time")
NO_NAME: DnsAnswer[str] = DnsAnswer(DnsStatus.NO_NAME)


def found(*values: str) -> DnsAnswer[str]:
    return DnsAnswer(DnsStatus.FOUND, values)


def said(answers: dict[str, DnsAnswer[str]]) -> list[str]:
    findings = check_spf(DOMAIN, answers, sender="a:smtp.paper.example")
    assert {finding.level for finding in findings} <= {Level.WARN, Level.INFO}
    return [f"{finding.level} {finding.told}" for finding in findings]


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all",
        "V=SPF1 A MX:mail.paper.example/24//64 -ALL",
        "v=spf1 a/24 mx//48 ?all",
        "v=spf1 exists:%{i}._spf.%{d2} ~all",
        "v=spf1  mx  unknown=what%{s}ever exp=why.%{d} -all ",
        "v=spf1 ptr:paper.example -all",
        "v=spf1 redirect=%{d}",
        "v=spf1 a:mail.paper.example. -all",
    ],
)
def test_a_good_record_is_fine(record: str) -> None:
    assert said({DOMAIN: found("other text", record)}) == []


@pytest.mark.parametrize(
    "term",
    [
        "ipv4:192.0.2.1",
        "ip4:192.0.2.256",
        "ip4:2001:db8::1",
        "ip4:192.0.2.1/33",
        "ip4:192.0.2.1/255.255.255.0",
        "ip4",
        "include",
        "include:",
        "include:localhost",
        "a:192.0.2.1",
        "a:",
        "a/33",
        "mx//129",
        "ptr/24",
        "all:paper.example",
        "exists:%{x}.paper.example",
        "a:100%.paper.example",
        "-redirect=paper.example",
        "redirect=",
        "exp=192.0.2.1",
        "a:" + "a" * 70_000 + "!",
        "a:" + ".a1" * 20_000 + "!",
        ",",
        "spf2.0/pra",
    ],
)
def test_a_term_that_receivers_cannot_read_is_named(term: str) -> None:
    (sentence,) = said({DOMAIN: found(f"v=spf1 {term} ~all")})
    assert f'"{term[:80]}" in {DOMAIN} is no term of SPF' in sentence


def test_no_record_tells_the_one_to_publish() -> None:
    for answer in (NO_NAME, DnsAnswer[str](DnsStatus.NO_DATA), found("v=spf10", "v=spf1-all")):
        (sentence,) = said({DOMAIN: answer})
        assert f"{DOMAIN} has no SPF record" in sentence
        assert '"v=spf1 a:smtp.paper.example ~all"' in sentence
    (finding,) = check_spf(DOMAIN, {DOMAIN: NO_NAME}, sender="")
    assert '"v=spf1 ip4:ADDRESS ~all"' in finding.told


def test_two_records_are_none() -> None:
    (sentence,) = said({DOMAIN: found("v=spf1 -all", "v=spf1 mx -all")})
    assert "2 SPF records" in sentence


def test_silence_is_told_and_asks_for_nothing() -> None:
    assert [text[:4] for text in said({DOMAIN: SILENT})] == ["info"]
    include = {DOMAIN: found("v=spf1 include:a.it ~all"), "a.it": SILENT}
    assert [text[:4] for text in said(include)] == ["info"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=spf1 +all", "lets everyone send"),
        ("v=spf1 mx all", "lets everyone send"),
        ("v=spf1 -all", "lets nobody send"),
    ],
)
def test_a_default_that_defeats_its_purpose_is_told(record: str, words: str) -> None:
    (sentence,) = said({DOMAIN: found(record)})
    assert words in sentence


def test_an_include_must_have_a_record_of_its_own() -> None:
    answers = {DOMAIN: found("v=spf1 include:a.it ~all"), "a.it": found("v=spf1 mx -all")}
    assert said(answers) == []
    (sentence,) = said({**answers, "a.it": NO_NAME})
    assert "it names a.it, which has no SPF record (the name does not exist)" in sentence
    (sentence,) = said({**answers, "a.it": found("v=spf1 include:b.it"), "b.it": found("x")})
    assert "b.it" in sentence


def test_a_circle_is_seen() -> None:
    (sentence,) = said(
        {DOMAIN: found("v=spf1 include:a.it ~all"), "a.it": found(f"v=spf1 include:{DOMAIN}")}
    )
    assert "leads back to itself" in sentence


def test_the_eleventh_lookup_is_one_too_many() -> None:
    def with_includes(count: int) -> dict[str, DnsAnswer[str]]:
        names = [f"s{n}.it" for n in range(count)]
        record = " ".join(["v=spf1", *(f"include:{name}" for name in names), "~all"])
        return {DOMAIN: found(record), **{name: found("v=spf1 a -all") for name in names}}

    # Each include is one, and the "a" in it another; addresses by number cost nothing.
    assert said(with_includes(5)) == []
    (sentence,) = said(with_includes(6))
    assert "more than 10 DNS lookups" in sentence
    numbers = " ".join(f"ip4:192.0.2.{n}" for n in range(50))
    assert said({DOMAIN: found(f"v=spf1 {numbers} ~all")}) == []


def test_a_redirect_counts_only_without_all() -> None:
    assert spf_targets(("v=spf1 redirect=A.it", "v=spf1 include:b.it -all redirect=c.it")) == (
        "a.it",
        "b.it",
    )
    assert said({DOMAIN: found("v=spf1 ~all redirect=gone.it")}) == []
    (sentence,) = said({DOMAIN: found("v=spf1 redirect=gone.it"), "gone.it": NO_NAME})
    assert "gone.it" in sentence


def test_a_second_redirect_is_a_fault() -> None:
    record = parse_spf("v=spf1 redirect=a.it redirect=b.it")
    assert record is not None
    assert record.unreadable == ("redirect",)


MECHANISMS = st.one_of(
    st.ip_addresses(v=4).map(lambda ip: f"ip4:{ip}"),
    st.ip_addresses(v=6).map(lambda ip: f"ip6:{ip}/64"),
    st.from_regex(r"(include|exists|a|mx|ptr):[a-z0-9_-]{1,9}\.[a-z]{2,9}", fullmatch=True),
    st.sampled_from(["a", "mx", "ptr", "a/24", "mx//64", "a/24//64"]),
)


@given(st.lists(st.tuples(st.sampled_from("+-~?"), MECHANISMS), max_size=8))
def test_any_record_by_the_grammar_is_read_whole(terms: list[tuple[str, str]]) -> None:
    record = parse_spf(" ".join(["v=spf1", *(sign + name for sign, name in terms), "-all"]))
    assert record is not None
    assert record.unreadable == ()
    assert [term.sign for term in record.terms] == [*(sign for sign, _ in terms), "-"]


@given(st.lists(st.text()))
def test_any_text_is_a_record_or_none(texts: list[str]) -> None:
    for text in texts:
        parse_spf(text)
        parse_spf(f"v=spf1 {text}")
    assert len(spf_targets(tuple(f"v=spf1 {text}" for text in texts))) <= sum(map(len, texts))


@given(st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from("abcd"), max_size=4)))
def test_any_web_of_includes_comes_to_an_end(web: dict[str, list[str]]) -> None:
    answers = {
        f"{name}.it": found("v=spf1 " + " ".join(f"include:{to}.it" for to in to_all))
        for name, to_all in web.items()
    }
    assert len(check_spf("a.it", answers, sender="")) <= 3
