"""What the mail shows: at most 150 KB, of the slot's size, with the subject in it."""

import io

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from PIL import Image, ImageDraw

from newsletter.pictures.crop import find_window
from newsletter.pictures.decode import NotAPicture
from newsletter.pictures.encode import MAX_FILE_BYTES, EncodedPicture
from newsletter.pictures.model import CARD, LEAD, SLOTS
from newsletter.pictures.prepare import prepare_picture
from tests.pictures.samples import noise, portrait, profile_with_channels_changed, quarters, saved


def opened(file: EncodedPicture) -> Image.Image:
    image = Image.open(io.BytesIO(file.data))
    image.load()
    assert image.size == (file.width, file.height)
    assert image.format == {"jpg": "JPEG", "png": "PNG"}[file.suffix]
    return image


def test_each_slot_has_a_file_of_twice_its_size() -> None:
    files = prepare_picture(saved(quarters(3000, 2000), "WEBP"))
    assert set(files) == {slot.name for slot in SLOTS}
    for slot in SLOTS:
        file = files[slot.name]
        assert (file.width, file.height, file.suffix) == (*slot.pixels, "jpg")
        assert opened(file).mode == "RGB"
    assert LEAD.pixels == (1184, 790)
    assert CARD.pixels == (720, 480)


@settings(max_examples=25)
@given(st.integers(120, 1500), st.integers(120, 1500))
def test_nothing_is_enlarged_or_distorted(width: int, height: int) -> None:
    files = prepare_picture(saved(quarters(width, height), "PNG"))
    for slot in SLOTS:
        file = files[slot.name]
        assert file.width <= min(width, slot.pixels[0])
        assert file.height <= min(height, slot.pixels[1])
        assert file.width / file.height == pytest.approx(slot.width / slot.height, rel=0.02)


def test_noise_comes_below_the_limit_by_quality_and_then_by_size() -> None:
    files = prepare_picture(saved(noise(2400, 1600), "JPEG", quality=95))
    for file in files.values():
        assert 20_000 < len(file.data) <= MAX_FILE_BYTES
        opened(file)
    assert files["lead"].width < LEAD.pixels[0]
    milder = Image.blend(noise(1184, 790), quarters(1184, 790), 0.9)
    file = prepare_picture(saved(milder, "PNG"))["lead"]
    assert len(file.data) <= MAX_FILE_BYTES
    assert (file.width, file.height) == LEAD.pixels


def test_no_metadata_leaves_the_house() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the writer lives"
    profile = profile_with_channels_changed()
    told = saved(quarters(), "JPEG", exif=exif, comment=b"a secret", icc_profile=profile)
    for file in prepare_picture(told).values():
        image = opened(file)
        assert not {"exif", "comment", "icc_profile", "xmp", "photoshop"} & set(image.info)
        assert b"secret" not in file.data
        assert b"writer" not in file.data


def test_what_is_behind_shows_through_a_png_only_where_it_does() -> None:
    logo = Image.new("RGBA", (800, 534), (0, 0, 0, 0))
    ImageDraw.Draw(logo).ellipse([150, 100, 650, 450], fill=(140, 29, 47, 255))
    for file in prepare_picture(saved(logo, "PNG")).values():
        assert file.suffix == "png"
        assert opened(file).convert("RGBA").getpixel((3, 3))[3] == 0  # type: ignore[index]

    opaque = quarters().convert("RGBA")
    assert {file.suffix for file in prepare_picture(saved(opaque, "PNG")).values()} == {"jpg"}

    opaque.putpixel((0, 0), (0, 0, 0, 0))  # a rounded corner
    rounded = prepare_picture(saved(opaque, "PNG"))["lead"]
    assert rounded.suffix == "jpg"


def test_a_logo_is_shown_whole() -> None:
    logo = Image.new("RGBA", (400, 1200), (0, 0, 0, 0))
    ImageDraw.Draw(logo).rectangle([50, 10, 350, 1190], fill=(140, 29, 47, 255))
    for file in prepare_picture(saved(logo, "PNG")).values():
        assert file.width / file.height == pytest.approx(1.5, rel=0.01)
        left, upper, right, lower = (
            opened(file).convert("RGBA").getchannel("A").getbbox() or (0,) * 4
        )
        assert (lower - upper) / file.height > 0.97
        assert (right - left) / (lower - upper) == pytest.approx(300 / 1180, rel=0.06)


def test_a_large_png_that_is_a_photo_becomes_a_jpeg_on_white() -> None:
    photo = noise(1500, 1000).convert("RGBA")
    photo.paste((0, 0, 0, 0), (0, 0, 400, 1000))
    file = prepare_picture(saved(photo, "PNG"))["lead"]
    assert file.suffix == "jpg"
    assert len(file.data) <= MAX_FILE_BYTES
    corner = opened(file).getpixel((5, file.height // 2))
    assert min(corner) > 240  # type: ignore[arg-type, type-var]


def test_the_same_bytes_give_the_same_files() -> None:
    data = saved(noise(700, 500), "JPEG")
    assert prepare_picture(data) == prepare_picture(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (saved(Image.new("RGB", (1, 1)), "GIF"), "only 1 x 1"),
        (saved(quarters(600, 90), "PNG"), "only 600 x 90"),
        (saved(Image.new("RGBA", (400, 300)), "PNG"), "transparent all over"),
    ],
)
def test_ornaments_are_no_pictures(data: bytes, says: str) -> None:
    with pytest.raises(NotAPicture, match=says):
        prepare_picture(data)


@settings(max_examples=40)
@given(
    width=st.integers(400, 900),
    tall=st.floats(1.0, 2.2),
    across=st.floats(0.3, 0.7),
    down=st.floats(0.15, 0.45),
)
def test_the_face_of_a_portrait_stays(width: int, tall: float, across: float, down: float) -> None:
    height, side = round(width * tall), width // 3
    face = (round(width * across), max(round(height * down), round(side * 0.6)))
    window = find_window(portrait(width, height, face, side), LEAD.pixels)
    assert window[0] == 0
    assert window[2] == width
    assert window[1] <= face[1] - side * 0.3
    assert window[3] >= face[1] + side * 0.4


@settings(max_examples=40)
@given(long=st.floats(1.6, 3.5), across=st.floats(0.1, 0.9))
def test_whoever_stands_at_the_side_stays(long: float, across: float) -> None:
    height = 500
    width, side = round(height * long), 180
    face = (min(max(round(width * across), side), width - side), 190)
    window = find_window(portrait(width, height, face, side), LEAD.pixels)
    assert window[0] <= face[0] - side * 0.4
    assert window[2] >= face[0] + side * 0.4


@given(st.integers(1, 500), st.integers(1, 500), st.sampled_from(("L", "RGB", "RGBA")))
@settings(max_examples=60)
def test_a_window_is_within_its_picture(width: int, height: int, mode: str) -> None:
    image = Image.new("RGBA" if mode == "RGBA" else "RGB", (width, height), (9, 9, 9))
    left, upper, right, lower = find_window(image, LEAD.pixels)
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    assert (left, right) == (0, width) or (upper, lower) == (0, height)
