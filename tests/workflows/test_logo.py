"""The paper's logo: fetched, made to fit, kept, and shown on where its site is away."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.net.fetcher import Fetcher
from newsletter.publication.model import Pictures, Settings
from newsletter.stories.model import Picture
from newsletter.workflows.illustrate import find_missing, show_logo
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import write_config
from tests.contracts.nouns import an_issue
from tests.pictures.samples import quarters, saved
from tests.web_pages import Site, site

__all__ = ["site"]


def wordmark(width: int, height: int, margin: int) -> bytes:
    """Dark letters' worth of ink on nothing, with an empty margin around it."""
    image = Image.new("RGBA", (width + 2 * margin, height + 2 * margin), (0, 0, 0, 0))
    image.paste((30, 26, 23, 255), (margin, margin, margin + width, margin + height))
    image.paste((0, 0, 0, 0), (margin + width // 3, margin, margin + width // 2, margin + height))
    return saved(image, "PNG")


@contextmanager
def opened(folder: Path, site: Site) -> Iterator[tuple[Installation, Settings]]:
    config = load_config(write_config(folder, feed=site.url("/feed"), port=25), {})
    with (
        open_installation(config, SystemClock()) as installation,
        Fetcher("newsletter/0", seconds_between=0) as fetcher,
    ):
        settings = installation.settings()
        publication = settings.publication.model_copy(update={"logo": site.url("/logo.png")})
        yield (
            replace(installation, fetcher=fetcher),
            settings.model_copy(update={"publication": publication}),
        )


def test_a_logo_is_fetched_fitted_and_kept(site: Site, tmp_path: Path) -> None:
    site.page("/logo.png", wordmark(3000, 300, margin=200))
    with opened(tmp_path, site) as (installation, settings):
        logo, notices = show_logo(installation, settings)
        assert logo is not None
        assert notices == ()
        (file,) = logo.files
        assert (file.slot, file.width, file.height) == ("logo", 960, 96)
        path = installation.pictures.find(file.name)
        assert path is not None
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            assert image.size == (960, 96)
            assert image.has_transparency_data
        # Its site is away: the one that was fetched is shown on, and it is said.
        site.pages.clear()
        again, notices = show_logo(installation, settings)
        assert again == logo
        assert "the one fetched before is shown" in notices[0]
        issue = an_issue(logo=logo)
        assert find_missing(installation, issue) == ()
        path.unlink()
        assert "1 of" in find_missing(installation, issue)[0].sentence
        assert show_logo(installation, settings)[0] is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (saved(Image.new("RGBA", (400, 80), (0, 0, 0, 0)), "PNG"), "transparent all over"),
        (saved(Image.new("RGB", (400, 9), "red"), "PNG"), "400 x 9 pixels"),
        (saved(quarters(), "PNG")[:200], "broken"),
    ],
)
def test_what_is_no_logo_is_told(data: bytes, why: str, site: Site, tmp_path: Path) -> None:
    site.page("/logo.png", data)
    with opened(tmp_path, site) as (installation, settings):
        logo, (notice,) = show_logo(installation, settings)
    assert logo is None
    assert notice.startswith("The logo can't be had, so the name is set in type: ")
    assert why in notice
    assert notice.endswith(".")
    assert not notice.endswith("..")


def test_the_site_may_serve_it_or_there_is_none(site: Site, tmp_path: Path) -> None:
    with opened(tmp_path, site) as (installation, settings):
        by_site = settings.model_copy(update={"pictures": Pictures(served_by="site")})
        assert show_logo(installation, by_site) == (Picture(site.url("/logo.png")), ())
        bare = settings.publication.model_copy(update={"logo": None})
        without = settings.model_copy(update={"publication": bare})
        assert show_logo(installation, without) == (None, ())
