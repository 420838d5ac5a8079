"""Processor time of making one picture ready for the mail, by what a site serves."""

import io
import time
from typing import Any

from PIL import Image

from newsletter.demo.pictures import draw_picture
from newsletter.pictures.prepare import prepare_picture

ROUNDS = 5


def measure() -> dict[str, Any]:
    """The best of five, in seconds of one core, and the bytes of the file for the lead."""
    drawn = Image.open(io.BytesIO(draw_picture("bench", "town", "dusk")))
    camera = drawn.resize((6000, 4000))
    grain = Image.effect_noise(camera.size, 60).convert("RGB")
    samples = {
        "jpeg_1200": _saved(drawn, "JPEG", quality=85),
        "webp_2048": _saved(drawn.resize((2048, 1365)), "WEBP", quality=85),
        "jpeg_24_megapixels": _saved(camera, "JPEG", quality=90),
        "png_24_megapixels": _saved(camera, "PNG", compress_level=1),
        "jpeg_24_megapixels_of_noise": _saved(grain, "JPEG", quality=80),
    }
    figures: dict[str, Any] = {}
    for name, data in samples.items():
        seconds = []
        for _ in range(ROUNDS):
            started = time.process_time()
            files = prepare_picture(data)
            seconds.append(time.process_time() - started)
        figures[f"{name}_cpu_seconds"] = round(min(seconds), 3)
        figures[f"{name}_lead_bytes"] = len(files["lead"].data)
    return figures


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()
