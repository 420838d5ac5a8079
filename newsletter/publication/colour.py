"""How well one colour can be read on another, and how to mend one that can't.

Colours are ``#rrggbb``. Contrast is that of WCAG 2.2 ("contrast ratio"), lightness
and chroma are those of Oklab (https://bottosson.github.io/posts/oklab/), in which
equal steps look equal and a colour that is made darker keeps its hue.
"""

from collections.abc import Iterable

# WCAG 2.2, success criterion 1.4.3: text of normal size.
ENOUGH = 4.5

_STEPS = 200  # from black to white; the eye sees no single one
_HALVINGS = 12

_Triple = tuple[float, float, float]


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def invert(colour: str) -> str:
    """What a mail program that turns all colours over makes of it."""
    return "#" + "".join(f"{255 - part:02x}" for part in _octets(colour))


def least_contrast(colour: str, grounds: Iterable[str]) -> float:
    """The contrast on that of ``grounds`` on which ``colour`` is hardest to read."""
    return min(contrast(colour, ground) for ground in grounds)


def make_readable(colour: str, grounds: Iterable[str]) -> str:
    """``colour``, as much darker or lighter as text in it needs to be read on all ``grounds``.

    Its hue stays, and its chroma as far as the screen can show it. The grounds are
    all light or all dark; where even black or white does not do, that is the answer.
    """
    grounds, colour = tuple(grounds), colour.lower()
    if least_contrast(colour, grounds) >= ENOUGH:
        return colour
    down = sum(map(_luminance, grounds)) / len(grounds) > _MIDDLE
    lightness, a, b = _to_oklab(colour)
    for step in range(_STEPS + 1):
        share = step / _STEPS
        tried = lightness * (1 - share) if down else lightness + (1 - lightness) * share
        found = _from_oklab(tried, a, b)
        if least_contrast(found, grounds) >= ENOUGH:
            return found
    return found


# The luminance of a ground on which black and white are read equally well.
_MIDDLE = 0.179


def _octets(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> _Triple:
    red, green, blue = (_expand(part / 255) for part in _octets(colour))
    return red, green, blue


def _expand(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _compress(channel: float) -> float:
    return channel * 12.92 if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)


def _to_oklab(colour: str) -> _Triple:
    red, green, blue = _linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> str:
    """The colour, with as much of its chroma as the screen can show at that lightness."""
    low, high = 0.0, 1.0
    if _is_shown(_mix(lightness, a, b)):
        low = 1.0
    for _ in range(_HALVINGS if low < 1 else 0):
        middle = (low + high) / 2
        if _is_shown(_mix(lightness, a * middle, b * middle)):
            low = middle
        else:
            high = middle
    channels = _mix(lightness, a * low, b * low)
    return "#" + "".join(f"{_octet(channel):02x}" for channel in channels)


def _mix(lightness: float, a: float, b: float) -> _Triple:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _is_shown(channels: _Triple) -> bool:
    return all(-1e-4 <= channel <= 1 + 1e-4 for channel in channels)


def _octet(channel: float) -> int:
    return round(255 * _compress(min(1.0, max(0.0, channel))))
