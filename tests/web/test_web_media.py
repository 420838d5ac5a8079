"""Pictures of mails, as browsers and mail programs' proxies ask for them."""

from pathlib import Path

import pytest

from tests.pictures.samples import quarters, saved
from tests.web.site import NOW, Site, open_site

JPEG = saved(quarters(60, 40), "JPEG")
PNG = saved(quarters(60, 40), "PNG")


@pytest.mark.parametrize(
    ("data", "suffix", "media_type"), [(JPEG, "jpg", "image/jpeg"), (PNG, "png", "image/png")]
)
def test_a_picture_is_served_for_good(
    site: Site, data: bytes, suffix: str, media_type: str
) -> None:
    name = site.context.pictures.put(data, suffix, NOW)
    answer = site.client.get(f"/media/{name}")
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    head = site.client.head(f"/media/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(data))
    again = site.client.get(f"/media/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = site.client.get(f"/media/{name}", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_below_a_path_too(tmp_path: Path, blank: Path) -> None:
    with open_site(tmp_path, blank, base_url="https://paper.example/news") as site:
        name = site.context.pictures.put(JPEG, "jpg", NOW)
        assert site.client.get(f"/news/media/{name}").content == JPEG


def test_nothing_else_is_served(site: Site) -> None:
    name = site.context.pictures.put(JPEG, "jpg", NOW)
    site.context.pictures.folder.joinpath("keys.json").write_text("secret")
    for path in (
        "keys.json", "..%2fkeys.json", "%2e%2e/keys.json", f"{name}%00", f"{name}/x", "0" * 40,
        f"{'0' * 40}.jpg", name.replace(".jpg", ".png"), "", f"..%2fpictures%2f{name}",
    ):  # fmt: skip
        answer = site.client.get(f"/media/{path}")
        assert answer.status_code == 404, path
        assert "secret" not in answer.text
        assert "immutable" not in answer.headers["Cache-Control"]
    assert site.client.post(f"/media/{name}").status_code == 405
