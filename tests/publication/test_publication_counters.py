"""Which counter ranks, and what a [[reads]] table needs."""

from typing import Any

import pytest
from pydantic import ValidationError

from newsletter.publication.model import Settings
from tests.contracts.nouns import a_settings

URL = "https://paper.example/wp-json/"


def reads(slug: str, source: str = "site", kind: str = "beacon", **more: Any) -> dict[str, Any]:
    return {"slug": slug, "source": source, "kind": kind, **more}


def test_the_first_counter_of_each_source_ranks() -> None:
    settings = a_settings(reads=[reads("a"), reads("b"), reads("c", "wire")])
    assert settings.primary_counters(("site", "wire")) == {"site": "a", "wire": "c"}
    assert settings.primary_counters(("wire",)) == {"wire": "c"}
    assert settings.primary_counters(()) == {}


def test_the_one_that_is_marked_ranks() -> None:
    settings = a_settings(reads=[reads("a"), reads("b", primary=True), reads("c", "wire")])
    assert settings.primary_counters(("site", "wire")) == {"site": "b", "wire": "c"}


@pytest.mark.parametrize(
    ("counters", "words"),
    [
        ([reads("a", primary=True), reads("b", primary=True)], "has two primary counters"),
        ([reads("a", kind="koko-analytics")], "needs the key url"),
        ([reads("a", kind="page")], "needs the key selector"),
        ([reads("a", kind="guess")], "kind"),
        ([reads("a", kind="koko-analytics", url=URL, password="x")], "password"),
    ],
)
def test_what_a_counter_needs(counters: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        a_settings(reads=counters)


@pytest.mark.parametrize("source", ["a b", "a&b", "ü", 'a"b'])
def test_the_campaigns_source_needs_no_escapes(source: str) -> None:
    with pytest.raises(ValidationError, match="utm_source"):
        a_settings(tracking={"utm_source": source})
    assert isinstance(a_settings(tracking={"utm_source": ""}), Settings)
