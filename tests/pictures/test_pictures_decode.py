"""What sites serve as pictures becomes upright RGB in sRGB, or a sentence."""

import struct
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from PIL import Image, ImageChops

from newsletter.pictures import decode
from newsletter.pictures.decode import MAX_PIXELS, NotAPicture, decode_picture
from tests.pictures.samples import (
    BLUE,
    GREEN,
    GREY,
    RED,
    claiming,
    close,
    noise,
    profile_with_channels_changed,
    quarters,
    saved,
)

COVER = (1184, 790)
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"quality": 90}),
    "progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "webp": ("WEBP", {"quality": 90}),
    "avif": ("AVIF", {"quality": 90}),
}


def decoded(data: bytes) -> Image.Image | str:
    """The picture, or why there is none; any other error is a fault."""
    try:
        return decode_picture(data, COVER)
    except NotAPicture as error:
        return str(error)


def corners(image: Image.Image) -> list[Any]:
    """The middles of the four quarters, in reading order."""
    width, height = image.size
    return [
        image.getpixel((width * x // 4, height * y // 4))
        for x, y in ((1, 1), (3, 1), (1, 3), (3, 3))
    ]


def shows_quarters(image: Image.Image, *wanted: tuple[int, ...]) -> bool:
    return all(close(found, colour) for found, colour in zip(corners(image), wanted, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_each_format_of_the_web(form: str) -> None:
    name, options = FORMS[form]
    image = decode_picture(saved(quarters(), name, **options), COVER)
    assert (image.mode, image.size) == ("RGB", (600, 400))
    assert shows_quarters(image, RED, GREEN, BLUE, GREY)


@pytest.mark.parametrize(
    ("mode", "form"),
    [("P", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("RGBA", "WEBP")],
)
def test_each_way_of_telling_colours(mode: str, form: str) -> None:
    made = quarters().quantize(8) if mode == "P" else quarters().convert(mode)
    image = decode_picture(saved(made, form), COVER)
    assert shows_quarters(image.convert("RGB"), RED, GREEN, BLUE, GREY)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_greys(mode: str) -> None:
    grey = Image.linear_gradient("L")
    if mode == "I;16":
        data = b"".join(struct.pack("<H", value * 257) for value in grey.tobytes())
        made = Image.frombytes("I;16", grey.size, data)
    else:
        made = grey.convert(mode)
    image = decode_picture(saved(made, "PNG"), COVER).convert("RGB")
    assert close(image.getpixel((20, 2)), (0, 0, 0))
    assert close(image.getpixel((20, 253)), (255, 255, 255))
    if mode != "1":
        assert close(image.getpixel((20, 128)), (128, 128, 128))


def test_what_is_behind_stays_to_be_seen() -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (300, 0, 600, 400))
    for form, made in (("PNG", image), ("PNG", image.quantize(8)), ("GIF", image)):
        decoded = decode_picture(saved(made, form), COVER)
        assert decoded.mode == "RGBA"
        assert decoded.getpixel((450, 100))[3] == 0  # type: ignore[index]
        assert decoded.getpixel((150, 100))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "AVIF", "PNG"])
def test_of_an_animation_the_first_frame(form: str) -> None:
    frames = [Image.new("RGB", (300, 200), colour) for colour in (GREEN, RED, BLUE)]
    data = saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    assert close(decode_picture(data, COVER).getpixel((150, 100)), GREEN)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [(3, (GREY, BLUE, GREEN, RED)), (6, (BLUE, RED, GREY, GREEN)), (8, (GREEN, GREY, RED, BLUE))],
)
def test_exif_turns_it(form: str, orientation: int, wanted: tuple[Any, ...]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode_picture(saved(quarters(), form, exif=exif), COVER)
    assert image.size == ((400, 600) if orientation in (6, 8) else (600, 400))
    assert shows_quarters(image, *wanted)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_profile_is_applied(form: str) -> None:
    data = saved(quarters(), form, icc_profile=profile_with_channels_changed())
    top_left, top_right, *_ = corners(decode_picture(data, COVER))
    assert top_left[1] > top_left[0] + 60
    assert top_right[0] > top_right[1] + 60


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_a_broken_profile_changes_nothing(mode: str) -> None:
    whole = profile_with_channels_changed()
    for profile in (b"none", whole[:200], whole.replace(b"RGB ", b"CMYK")):
        data = saved(Image.new(mode, (200, 200)), "JPEG", icc_profile=profile)
        assert decode_picture(data, COVER).mode == "RGB"


def test_nothing_but_pixels_is_left() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the writer lives"
    data = saved(quarters(), "JPEG", exif=exif, comment=b"a secret", dpi=(300, 300))
    assert decode_picture(data, COVER).info == {}


@pytest.mark.parametrize("form", FORMS)
def test_a_large_one_is_shrunk_as_it_covers_the_slot(form: str) -> None:
    name, options = FORMS[form]
    image = decode_picture(saved(quarters(3000, 4000), name, **options), COVER)
    assert image.width == COVER[0]
    assert image.height == pytest.approx(COVER[0] * 4 / 3, abs=1)
    assert shows_quarters(image, RED, GREEN, BLUE, GREY)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_half_a_picture_is_none(form: str, share: float) -> None:
    """It is refused; where all pixels came before the cut, it is whole."""
    name, options = FORMS[form]
    data = saved(noise(160, 130), name, **options)
    found = decoded(data[: int(len(data) * share)])
    if isinstance(found, str):
        assert found.startswith("it is")
    else:
        assert ImageChops.difference(found, decode_picture(data, COVER)).getbbox() is None


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60)
@given(data=st.data())
def test_damage_gives_a_picture_or_a_sentence(form: str, data: st.DataObject) -> None:
    name, options = FORMS[form]
    file = bytearray(saved(quarters(160, 130), name, **options))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    found = decoded(bytes(file))
    assert found.startswith("it ") if isinstance(found, str) else found.mode in ("RGB", "RGBA")


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        decode_picture(data, COVER)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?>\n<!-- logo -->\n<svg width='10'></svg>", "SVG"),
        (b"<!DOCTYPE html><title>Log in</title>", "web page"),
        (b"\n<html><body>404</body></html>", "web page"),
        (b"%PDF-1.7 text", "no JPEG"),
        (saved(quarters(), "TIFF"), "no JPEG"),
        (saved(quarters(), "BMP"), "no JPEG"),
        (saved(quarters(), "ICO"), "no JPEG"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, says: str) -> None:
    with pytest.raises(NotAPicture, match=says):
        decode_picture(data, COVER)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        pytest.fail("its pixels were decoded")

    monkeypatch.setattr(decode.ImageOps, "exif_transpose", never)
    side = int(MAX_PIXELS**0.5) + 1
    for width, height in ((side, side), (12_000, 12_000), (40_000, 40_000), (2**31 - 1, 1)):
        with pytest.raises(NotAPicture, match="million"):
            decode_picture(claiming(width, height), COVER)


def test_a_real_file_above_the_limit_is_refused_and_one_below_is_not() -> None:
    flat = Image.new("1", (10_000, 5_001))
    with pytest.raises(NotAPicture, match="50 million pixels; 50 million are the limit"):
        decode_picture(saved(flat, "PNG"), COVER)
    assert decode_picture(saved(flat.crop((0, 0, 10_000, 4_999)), "PNG"), COVER).height == 790
