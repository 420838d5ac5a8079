"""Which picture stands for a story."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.model import SourcePicture
from newsletter.sources.pictures import Candidate, choose_picture, find_picture

BASE = "https://paper.example/story/"


def test_the_widest_of_the_best_kind_is_chosen() -> None:
    chosen = choose_picture(
        [
            Candidate("thumb.jpg", 2, width=4000),
            Candidate("small.jpg", 0, width=600, height=400),
            Candidate("big.jpg", 0, width=1600, height=1000, caption="<p>A &amp; B</p>"),
            Candidate("film.mp4", 0, media_type="video/mp4", width=9000),
        ],
        BASE,
    )
    assert chosen == SourcePicture(f"{BASE}big.jpg", 1600, 1000, caption="A & B")


@pytest.mark.parametrize(
    "candidate",
    [
        Candidate("https://secure.gravatar.com/avatar/1?s=96", 0, media_type="image"),
        Candidate("pixel.gif", 0, width=1, height=1),
        Candidate("sound.mp3", 1),
        Candidate("sound", 1, media_type="audio/mpeg"),
        Candidate("drawing.svg", 0, media_type="image/svg+xml"),
        Candidate("", 0),
        Candidate("javascript:alert(1)", 2),
        Candidate("http://[", 2),
    ],
)
def test_what_is_no_picture_of_the_story(candidate: Candidate) -> None:
    assert choose_picture([candidate], BASE) is None


def test_the_first_real_picture_of_the_text_with_its_caption() -> None:
    html = """<p><img src="/smilies/a.gif"><img src="p.gif" width="1" height="1"></p>
      <figure><a href="x"><img src="data:image/gif;base64,R0" data-src="oven.jpg" alt=" An  oven "
      width="600" height="400"></a><figcaption>The oven (photo Ani)</figcaption></figure>
      <figure><img src="other.jpg"><figcaption>Another</figcaption></figure>"""
    assert find_picture(html, BASE) == SourcePicture(
        f"{BASE}oven.jpg", 600, 400, alt="An oven", caption="The oven (photo Ani)"
    )


def test_of_a_srcset_the_smallest_that_is_wide_enough() -> None:
    html = """<img src="a.jpg" width="600" height="300" srcset="a-300.jpg 300w, a-2048.jpg 2048w,
      a-1200,c.jpg 1200w, a-1536.jpg 1536w">"""
    assert find_picture(html, BASE) == SourcePicture(f"{BASE}a-1200,c.jpg", 1200, 600)
    only_small = '<img src="a.jpg" srcset="a-300.jpg 300w, a-600.jpg 600w">'
    assert find_picture(only_small, BASE) == SourcePicture(f"{BASE}a-600.jpg", 600)


@given(st.text(alphabet="<img src='=\"a.jpg>/w 0:,", max_size=80))
def test_any_markup_gives_a_picture_or_none(markup: str) -> None:
    found = find_picture(markup, BASE)
    assert found is None or found.url.startswith("http")
