"""The filter language: what it reads, prints and says of a mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigError, SegmentError
from newsletter.subscribers.model import Filter
from newsletter.subscribers.segment_text import print_segment
from newsletter.subscribers.segments import (
    MAX_DEPTH,
    Scope,
    check_segments,
    parse_segment,
)
from tests.contracts.nouns import a_settings
from tests.subscribers.filters import filters

WHOLE = (
    'newsletter = weekly and department = "arts" and language = hy and signed_up >= 2026-01-01 '
    'and clicks(90d) = 0 and attribute.city = "Yerevan" and placement = article'
)


ANYWHERE = Scope()


def refusal(text: str, scope: Scope = ANYWHERE) -> str:
    with pytest.raises(SegmentError) as caught:
        parse_segment(text, scope)
    return str(caught.value)


@given(filters)
def test_what_is_printed_reads_back(tree: Filter) -> None:
    assert parse_segment(print_segment(tree)) == tree


_PIECES = st.sampled_from(
    [*'()",=<>!\\', "and", "or", "not", "in", "clicks(90d)", "attribute.x", "language", " ", "1d"]
)


@given(st.text() | st.lists(_PIECES | st.text(max_size=3)).map(" ".join))
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    told = ""
    try:
        tree = parse_segment(text)
    except SegmentError as error:
        told = str(error)
    else:
        assert parse_segment(print_segment(tree)) == tree
        return
    assert told.startswith("filter")
    assert told.isprintable()


def test_it_reads_as_people_write() -> None:
    assert parse_segment(WHOLE) == parse_segment(WHOLE.replace(" and ", "  AND\n"))
    assert print_segment(parse_segment("language not in (or, in, not)")) == (
        "not language in (or, in, not)"
    )
    assert parse_segment("language = hy or language = en and state = active") == parse_segment(
        "language = hy or (language = en and state = active)"
    )
    assert parse_segment("attribute.Member-City = 3") == parse_segment("attribute.member_city = 3")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "filter, character 1: it is empty; write a comparison such as language = hy"),
        ("langage = hy", "filter, character 1: “langage” is no field; there are newsletter, state"),
        ("language = hy and", "filter, character 18: it ends here; a field has to follow"),
        ("language < hy", "filter, character 10: language is not ordered; compare it by =, !="),
        ("(language = hy", "filter, character 15: it ends here; “)” has to follow"),
        ('language = "hy', "filter, character 12: this text has no end; close it by another"),
        ("state = gone", "filter, character 9: “gone” is no state; there is pending, active"),
        ("signed_up > 2026-02-31", "filter, character 13: there is no day 2026-02-31; write one"),
        ("signed_up > 90d", "filter, character 16: it ends here; “ago” has to follow"),
        ("clicks(90) = 0", "filter, character 8: “90” stands where a number of days such as 90d"),
        ("clicks(9d) in (1)", "filter, character 12: clicks has no lists; compare it by ="),
        ("clicks(99999d) = 0", "filter, character 8: write 1d to 3650d"),
        ("attribute = x", "filter, character 1: attribute needs a name: write attribute.city"),
        ('attribute.x > "a"', "filter, character 15: “a” stands where a number has to"),
        ("attribute.x = 1234567890123456", "filter, character 15: a number has at most 15 digits"),
        ('language = "a\0"', "filter, character 12: this text holds a character that can't be"),
        ("language = hy; drop", "filter, character 14: ; has no meaning here; put text in"),
        ("(" * (MAX_DEPTH + 1), "filter, character 21: more than 20 parentheses and nots are"),
        ("language = hy or " * 130, "filter: it has 2,210 characters; make it at most 2,000"),
        (f"language in ({'a,' * 200}a)", "filter, character 414: it compares with more than 200"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_mend(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)


def test_a_place_has_its_own_scope() -> None:
    scope = Scope(("weekly", "daily"), "anonymous")
    assert refusal("newsletter = monthly", scope) == (
        "filter, character 14: there is no newsletter “monthly”; there is weekly, daily"
    )
    assert refusal("clicks(9d) = 0", scope) == (
        "filter, character 1: clicks are not known by reader here: [tracking] clicks is "
        "“anonymous” and has to be “count”"
    )
    narrow = Scope(of_newsletter=True)
    assert "leave state out" in refusal("language = hy and state = active", narrow)


def test_the_segment_of_a_newsletter_is_checked_with_the_settings() -> None:
    settings = a_settings()
    weekly, daily = settings.newsletter
    narrowed = weekly.model_copy(update={"segment": "clicks(90d) > 0"})
    check_segments(settings, "config.toml")
    broken = settings.model_copy(update={"newsletter": (daily, narrowed)})
    with pytest.raises(ConfigError) as caught:
        check_segments(broken, "config.toml")
    assert str(caught.value).startswith(
        'config.toml: newsletter "weekly": segment: filter, character 1: clicks are not known'
    )
