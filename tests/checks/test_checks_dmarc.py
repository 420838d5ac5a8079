"""DMARC: where a policy is found, what it says, and what aligns with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.dmarc import (
    check_dmarc,
    dmarc_names,
    find_organisation,
    parse_dmarc,
    walk_names,
)
from newsletter.net.dns_answers import DnsAnswer, DnsStatus

NO_NAME: DnsAnswer[str] = DnsAnswer(DnsStatus.NO_NAME)
SILENT: DnsAnswer[str] = DnsAnswer(DnsStatus.SILENT, why="no name server answered in time")
FROM = "news.paper.example"


def found(*values: str) -> DnsAnswer[str]:
    return DnsAnswer(DnsStatus.FOUND, values)


def answers(*domains: str, **records: str | DnsAnswer[str]) -> dict[str, DnsAnswer[str]]:
    """No record anywhere on the way of ``domains``, save those given, "." written as "__"."""
    known = {name: NO_NAME for domain in (FROM, *domains) for name in dmarc_names(domain)}
    for domain, record in records.items():
        answer = found(record) if isinstance(record, str) else record
        known[f"_dmarc.{domain.replace('__', '.')}"] = answer
    return known


def said(
    known: dict[str, DnsAnswer[str]], path: str = FROM, keys: tuple[str, ...] = ()
) -> list[str]:
    return [f"{one.level} {one.told}" for one in check_dmarc(FROM, path, keys, known)]


def test_the_walk_takes_at_most_eight_steps() -> None:
    assert walk_names("a.mail.paper.example") == (
        "a.mail.paper.example",
        "mail.paper.example",
        "paper.example",
        "example",
    )
    # The long name of RFC 9989 section 4.10: after the first, seven labels are left.
    assert walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )


@given(st.lists(st.from_regex(r"[a-z0-9-]{1,5}", fullmatch=True), min_size=1, max_size=20))
def test_any_walk_ends_at_the_top(labels: list[str]) -> None:
    domain = ".".join(labels)
    names = walk_names(domain)
    assert (names[0], names[-1]) == (domain, labels[-1])
    assert len(names) == min(len(labels), 8)
    assert all(domain.endswith(name) for name in names)


@pytest.mark.parametrize(
    ("domain", "records", "organisation"),
    [
        ("a.mail.it.com", {"mail__it__com": "v=DMARC1", "it__com": "v=DMARC1"}, "it.com"),
        ("a.mail.it.com", {"com": "v=DMARC1; psd=y"}, "it.com"),
        (
            "a.mail.it.com",
            {"mail__it__com": "v=DMARC1; psd=n", "it__com": "v=DMARC1"},
            "mail.it.com",
        ),
        ("a.mail.it.com", {}, "a.mail.it.com"),
        ("com", {"com": "v=DMARC1; psd=y"}, "com"),
        ("it.com", {"com": "v=DMARC1; psd=y"}, "it.com"),
    ],
)
def test_the_organisation_is_found_by_the_walk(
    domain: str, records: dict[str, str], organisation: str
) -> None:
    assert find_organisation(domain, answers(domain, **records)) == organisation


@pytest.mark.parametrize(
    "records",
    [
        {"news__paper__example": "v=DMARC1; p=none"},
        {"paper__example": "v = DMARC1 ;p=reject; sp=quarantine; x=unknown"},
        {"example": "v=DMARC1; p=reject; psd=y"},
        {
            "news__paper__example": found(
                "some text", "v=DMARC1; p=NONE; rua=mailto:a@paper.example"
            )
        },
    ],
)
def test_a_policy_of_its_own_or_from_above_is_fine(records: dict[str, str]) -> None:
    assert said(answers(**records)) == []


def test_no_policy_tells_the_record_to_publish() -> None:
    for records in (
        {},
        {"news__paper__example": "v=DMARC2; p=none"},
        {"news__paper__example": "V=dmarc1; p=none"},
        {"news__paper__example": "p=none; v=DMARC1"},
    ):
        (sentence,) = said(answers(**records))
        assert sentence.startswith(f"warn {FROM} has no DMARC record")
        assert f"_dmarc.{FROM}" in sentence
        assert '"v=DMARC1; p=none; rua=' in sentence


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=DMARC1; rua=mailto:a@paper.example", "has no policy"),
        ("v=DMARC1; p=block", '"p=block"'),
        ("v=DMARC1; p; sp=none", "has no policy"),
    ],
)
def test_a_policy_that_cannot_be_read_is_told(record: str, words: str) -> None:
    (sentence,) = said(answers(news__paper__example=record))
    assert sentence.startswith("warn")
    assert words in sentence


def test_two_records_are_none() -> None:
    two = found("v=DMARC1; p=none", "v=DMARC1; p=reject")
    (sentence,) = said(answers(news__paper__example=two, paper__example="v=DMARC1; p=none"))
    assert "2 DMARC records" in sentence


def test_pct_is_told_to_be_of_no_use_any_more() -> None:
    (sentence,) = said(answers(news__paper__example="v=DMARC1; p=reject; pct=50"))
    assert sentence.startswith("info")
    assert "pct" in sentence


def test_silence_is_told_and_asks_for_nothing() -> None:
    assert [text[:4] for text in said(answers(news__paper__example=SILENT))] == ["info"]
    assert [text[:4] for text in said(answers(paper__example=SILENT))] == ["info"]
    assert [text[:4] for text in said({})] == ["info"]


PATH = "bounces.paper.example"
ELSEWHERE = "mail.elsewhere.it"
POLICY = {"paper__example": "v=DMARC1; p=none"}


def test_a_return_path_of_the_same_organisation_aligns() -> None:
    assert said(answers(PATH, **POLICY), PATH) == []
    # Below a public suffix without a policy of its own, neighbours are strangers.
    (sentence,) = said(answers(PATH, news__paper__example="v=DMARC1; p=none"), PATH)
    assert sentence.startswith("warn Neither SPF of bounces.paper.example")


def test_a_strict_policy_wants_the_same_domain() -> None:
    strict = answers(PATH, paper__example="v=DMARC1; p=none; aspf=s; adkim=s")
    assert [text[:4] for text in said(strict, PATH)] == ["warn"]
    assert [text[:4] for text in said(strict, PATH, ("paper.example",))] == ["warn"]
    assert [text[:4] for text in said(strict, PATH, (FROM,))] == ["info"]
    assert said(strict, FROM, (FROM,)) == []


def test_one_of_spf_and_dkim_has_to_align() -> None:
    known = answers(ELSEWHERE, "elsewhere.it", **POLICY)
    assert [text[:4] for text in said(known, ELSEWHERE)] == ["warn"]
    (sentence,) = said(known, ELSEWHERE, ("paper.example",))
    assert sentence.startswith("info SPF of mail.elsewhere.it does not count")
    (sentence,) = said(known, FROM, ("elsewhere.it",))
    assert sentence.startswith("warn Our signatures of elsewhere.it do not count")
    assert [text[:4] for text in said(known, ELSEWHERE, ("elsewhere.it",))] == ["warn"]


def test_where_dns_is_silent_on_the_way_nothing_is_held_against_a_domain() -> None:
    known = answers(ELSEWHERE, **POLICY, elsewhere__it=SILENT)
    assert said(known, ELSEWHERE) == []


@given(st.text())
def test_any_text_is_a_record_or_none(text: str) -> None:
    assert parse_dmarc(text) is None or "DMARC1" in text
    record = parse_dmarc(f"v=DMARC1; p=none; {text}")
    assert record is not None
    assert record.policy == "none"
