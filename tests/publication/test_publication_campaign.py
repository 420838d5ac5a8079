"""The tag on our mails' links, and its recognition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.campaign import carries_tag, tag_link
from newsletter.stories.canonical import canonical_url

TAG = "utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W32"


@pytest.mark.parametrize(
    ("url", "tagged"),
    [
        ("https://paper.example/x/", f"https://paper.example/x/?{TAG}"),
        ("https://paper.example/?p=1", f"https://paper.example/?p=1&{TAG}"),
        ("https://paper.example/x#c", f"https://paper.example/x?{TAG}#c"),
    ],
)
def test_the_tag_stands_in_the_query(url: str, tagged: str) -> None:
    assert tag_link(url, "newsletter", "weekly-2025-W32") == tagged
    assert carries_tag(tagged, "newsletter")
    assert not carries_tag(url, "newsletter")


def test_without_a_source_links_stay_as_they_are_and_nothing_is_ours() -> None:
    assert tag_link("https://paper.example/x/", "", "c") == "https://paper.example/x/"
    assert not carries_tag("https://paper.example/?utm_source=&utm_medium=email", "")


@given(
    st.from_regex(
        r"https://paper\.example/[a-z]{0,9}/?(\?[a-z]=[0-9])?(#[a-z]{1,4})?", fullmatch=True
    )
)
def test_a_tagged_link_is_still_the_same_story(url: str) -> None:
    tagged = tag_link(url, "newsletter", "weekly-2025-W32")
    assert canonical_url(tagged) == canonical_url(url)
    assert carries_tag(tagged, "newsletter")
    assert not carries_tag(tagged, "other")
