"""Pictures as papers publish them, and as nobody should."""

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw

RED, GREEN, BLUE, GREY = (200, 30, 40), (30, 160, 60), (40, 60, 190), (120, 120, 120)


def quarters(width: int = 600, height: int = 400) -> Image.Image:
    """Red, green, blue and grey: every turn and every mixed-up channel shows."""
    image = Image.new("RGB", (width, height), GREY)
    pencil = ImageDraw.Draw(image)
    pencil.rectangle([0, 0, width // 2 - 1, height // 2 - 1], fill=RED)
    pencil.rectangle([width // 2, 0, width, height // 2 - 1], fill=GREEN)
    pencil.rectangle([0, height // 2, width // 2 - 1, height], fill=BLUE)
    return image


def noise(width: int, height: int, seed: int = 7) -> Image.Image:
    """A photo at the worst: no pixel tells of its neighbour."""
    return Image.frombytes(
        "RGB", (width, height), random.Random(seed).randbytes(width * height * 3)
    )


def portrait(width: int, height: int, face: tuple[int, int], side: int) -> Image.Image:
    """Somebody in a dark suit before a bright wall; the face is an oval around ``face``."""
    image = Image.new("RGB", (width, height), (214, 216, 220))
    pencil = ImageDraw.Draw(image)
    across, down = face
    reach = side // 2
    pencil.rectangle([across - side, down + reach, across + side, height], fill=(38, 40, 52))
    pencil.ellipse(
        [across - reach * 0.8, down - reach, across + reach * 0.8, down + reach],
        fill=(224, 172, 140),
    )
    pencil.pieslice(
        [across - reach * 0.85, down - reach * 1.1, across + reach * 0.85, down + reach * 0.6],
        180, 360, fill=(60, 40, 30),
    )  # fmt: skip
    for eye in (-1, 1):
        at = across + eye * reach * 0.35
        pencil.ellipse(
            [at - reach * 0.1, down - reach * 0.05, at + reach * 0.1, down + reach * 0.15],
            fill=(30, 25, 25),
        )
    pencil.line(
        [across - reach * 0.3, down + reach * 0.55, across + reach * 0.3, down + reach * 0.55],
        fill=(150, 60, 60), width=max(1, side // 20),
    )  # fmt: skip
    return image


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """The picture as a file of that format."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def close(found: Any, wanted: tuple[int, ...], off: int = 12) -> bool:
    """Whether a pixel has that colour, as far as a lossy format keeps it."""
    return len(found) == len(wanted) and all(
        abs(one - other) <= off for one, other in zip(found, wanted, strict=True)
    )


def claiming(width: int, height: int) -> bytes:
    """A PNG of some bytes that says it has so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def profile_with_channels_changed() -> bytes:
    """A colour profile like sRGB's, whose red is green and whose green is red (ICC.1, 7.2)."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139)

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def point(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    words = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 78
    tags = {
        b"desc": words + b"\0" * (-len(words) % 4), b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": point((0.9642, 1.0, 0.8249)), b"rXYZ": point(green), b"gXYZ": point(red),
        b"bXYZ": point(blue), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    place = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", place + len(bodies), len(body))
        bodies += body
    size = place + len(bodies)
    head = struct.pack(">I", size) + b"none" + bytes((2, 0x40, 0, 0)) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2025, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += b"".join(map(number, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + table + bodies
