"""What hosts and SpamAssassin answer, and what that means; and that every key is told of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.write_reference import checks_reference
from newsletter.checks.model import MEANINGS, Finding, Key, Level, in_order, of_variants, warn
from newsletter.checks.spam import SpamRule, SpamVerdict, check_spam, read_verdict
from newsletter.checks.targets import (
    LinkAnswer,
    LinkState,
    MailLink,
    check_targets,
    find_links,
)
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

SITE = PUBLICATION.url


def links(count: int) -> tuple[MailLink, ...]:
    return tuple(
        MailLink(f"{SITE}/{n}", f"latest/{n} “Story {n}”" if n else "") for n in range(count)
    )


def judge(count: int, **states: str) -> list[tuple[str, str, str]]:
    answers = {
        f"{SITE}/{n.removeprefix('n')}": LinkAnswer(LinkState(state), "why")
        for n, state in states.items()
    }
    findings = check_targets(links(count), answers)
    assert all(one.mend and one.sentence.endswith(".") for one in findings)
    return [(one.level.value, one.key, one.item) for one in findings]


ALIVE = {f"n{n}": "alive" for n in range(5)}


def test_a_dead_link_stops_and_names_its_story() -> None:
    assert judge(5, **ALIVE) == []
    assert judge(5, **ALIVE | {"n3": "gone"}) == [("stop", "dead_link", "latest/3 “Story 3”")]
    assert judge(5, **ALIVE | {"n0": "gone"}) == [("stop", "dead_link", f"{SITE}/0")]
    assert judge(5, **ALIVE | {"n2": "no_host"})[0][:2] == ("stop", "dead_link")


def test_a_site_all_of_whose_pages_are_gone_is_not_believed() -> None:
    gone = dict.fromkeys(ALIVE, "gone")
    assert judge(5, **gone) == [("warn", "doubtful_link", f"{SITE.removeprefix('https://')}")]
    assert [one[0] for one in judge(2, n0="gone", n1="gone")] == ["stop", "stop"]


def test_a_machine_that_is_cut_off_from_dns_holds_nothing_up() -> None:
    assert [one[:2] for one in judge(5, **dict.fromkeys(ALIVE, "no_host"))] == [
        ("warn", "doubtful_link")
    ]
    assert judge(2, n0="no_host", n1="alive")[0][:2] == ("stop", "dead_link")


def test_doubt_is_told_once_a_host_and_holds_nothing_up() -> None:
    assert judge(5, **dict.fromkeys(ALIVE, "doubtful"))[0][:2] == ("warn", "doubtful_link")
    assert len(judge(5, **dict.fromkeys(ALIVE, "doubtful"))) == 1
    assert [one[:2] for one in judge(5, **dict.fromkeys(ALIVE, "closed"))] == [
        ("info", "links_not_asked")
    ]
    assert [one[:2] for one in judge(5)] == [("info", "links_not_asked")]


@pytest.mark.parametrize("clicks", ["off", "anonymous", "count"])
def test_links_are_asked_for_where_they_lead_and_without_our_tag(clicks: str) -> None:
    issue = sample_issue()
    rendered = render_issue(
        issue,
        PUBLICATION,
        NEWSLETTER,
        base_url=BASE_URL,
        templates=Templates(),
        utm_source="newsletter",
        clicks=clicks,  # type: ignore[arg-type]
    )
    found = find_links(issue, rendered, BASE_URL)
    assert {link.address for link in found if link.item} == {item.url for item in issue.items}
    others = {link.address for link in found if not link.item}
    assert others == {PUBLICATION.url, *PUBLICATION.social}
    # The stories' come first, for there may not be time for all.
    assert all(link.item for link in found[: len(issue.items)])


def test_a_long_address_in_the_note_is_asked_for_once_and_whole() -> None:
    long = "https://elsewhere.example/" + "a-very-long-address-" * 4 + "of-a-story"
    issue = sample_issue(note=f"We thank {long}. And https://other.example/Cup_(sport), too.")
    rendered = render_issue(
        issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    addresses = {link.address for link in find_links(issue, rendered, BASE_URL)}
    asked = {one for one in addresses if "elsewhere" in one or "other.example" in one}
    assert asked == {long, "https://other.example/Cup_(sport)"}


MARKED = b"""\
X-Spam-Checker-Version: SpamAssassin 4.0.1
X-Spam-Status: %s, score=%s required=5.0 tests=FREE_MONEY,
\tHTML_MESSAGE,NO_RELAYS autolearn=no version=4.0.1
X-Spam-Report:\x20
\t*  2.8 FREE_MONEY BODY: Offers money for
\t*      nothing at all
\t*  0.0 HTML_MESSAGE BODY: HTML included in message
\t* -0.5 NO_RELAYS Informational: message was not relayed via SMTP
Subject: X-Spam-Status: Yes, score=99

X-Spam-Status: Yes, score=98
"""


@pytest.mark.parametrize(
    ("score", "level"), [(b"-1.0", None), (b"2.0", None), (b"2.1", "warn"), (b"5.1", "stop")]
)
def test_a_verdict_is_read_and_judged(score: bytes, level: str | None) -> None:
    verdict = read_verdict(MARKED % (b"No", score))
    assert verdict is not None
    assert verdict.score == float(score)
    assert verdict.rules[0] == SpamRule("FREE_MONEY", 2.8, "BODY: Offers money for nothing at all")
    findings = check_spam(verdict)
    assert [one.level.value for one in findings] == ([level] if level else [])
    for one in findings:
        assert "FREE_MONEY 2.8 (BODY: Offers money for nothing at all)" in one.sentence
        assert "NO_RELAYS" not in one.sentence
        assert one.item == "FREE_MONEY"


@given(st.binary(max_size=200))
def test_what_is_no_verdict_is_none(words: bytes) -> None:
    verdict = read_verdict(words)
    assert verdict is None or isinstance(verdict, SpamVerdict)
    assert read_verdict(b"Subject: x\n\n" + words) is None


def test_every_key_is_told_of_in_the_docs() -> None:
    assert set(MEANINGS) == set(get_args(Key))
    levels: Mapping[str, str] = {key: meaning.levels for key, meaning in MEANINGS.items()}
    assert all(set(each.split(", ")) <= set(Level) for each in levels.values())
    assert all(f"| `{key}` |" in checks_reference() for key in get_args(Key))


def test_what_stops_comes_first_and_each_finding_once() -> None:
    info, warn, stop = (Finding(level, "size", "A sentence.") for level in list(Level)[::-1])
    assert in_order([info, warn], [stop, warn]) == (stop, warn, info)
    assert replace(warn, mend="Do.").told == "A sentence. Do."


def test_a_finding_names_its_variants_unless_it_is_of_all() -> None:
    everywhere, here = (
        warn("alt", "One.", "Mend.", "latest/1"),
        warn("size", "Two.", "Mend.", "HTML part"),
    )
    found = of_variants(
        {"en": (everywhere, here), "hy": (everywhere, everywhere), "en: Arts": (here, everywhere)}
    )
    assert [(one.key, one.variants) for one in found] == [("alt", ()), ("size", ("en", "en: Arts"))]
    assert [one.told for one in found] == [
        "One. Mend.",
        "In the variants “en” and “en: Arts”: Two. Mend.",
    ]
    assert of_variants({"en": (here,)}) == (here,)
    assert of_variants({}) == ()
