"""How well one colour can be read on another."""

# WCAG 2.2, success criterion 1.4.3: text of normal size.
ENOUGH = 4.5
# The card of templates/email/styles: what the accents are read on.
LIGHT_CARD, DARK_CARD = "#fffdf9", "#211d1a"


def contrast(first: str, second: str) -> float:
    """The contrast ratio, 1 to 21, of two colours as ``#rrggbb`` (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
