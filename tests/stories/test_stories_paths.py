"""Stories by the paths that a web server writes down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.stories.canonical import canonical_url
from newsletter.stories.paths import StoryPaths

PATHS = StoryPaths(
    [
        ("mill", "https://paper.example/2025/mill/"),
        ("again", "https://paper.example/2025/mill/"),
        ("plain", "https://paper.example/?p=12"),
        ("hy", canonical_url("https://paper.example/լուր/")),
    ],
    "newsletter",
)
TAG = "utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W32"


@pytest.mark.parametrize(
    ("requested", "story"),
    [
        ("/2025/mill/", ("mill", False)),
        ("/2025/mill/?fbclid=1", ("mill", False)),
        (f"/2025/mill/?{TAG}", ("mill", True)),
        ("/2025/mill/?utm_source=newsletter&utm_medium=social", ("mill", False)),
        ("/2025/mill/?utm_source=other&utm_medium=email", ("mill", False)),
        ("/?p=12", ("plain", False)),
        (f"/?p=12&{TAG}", ("plain", True)),
        ("/%d5%AC%d5%b8%D6%82%d6%80/", ("hy", False)),
        ("/լուր/", ("hy", False)),
    ],
)
def test_a_path_is_its_story(requested: str, story: tuple[str, bool]) -> None:
    assert PATHS.find(requested) == story


@pytest.mark.parametrize(
    "requested", ["/", "/2025/mill", "/2025/mill/?page=2", "/?p=13", "//2025/mill/", "/%", "/\x00"]
)
def test_other_paths_are_none(requested: str) -> None:
    assert PATHS.find(requested) is None


@given(st.text(max_size=40))
def test_any_path_is_answered(text: str) -> None:
    assert PATHS.find("/never/" + text) is None
