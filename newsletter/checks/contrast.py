"""How well one colour can be read on another, and on what it is read."""

from newsletter.publication.colour import ENOUGH, contrast
from newsletter.publication.design import house_design

# The card of the mail: what the accents are read on.
LIGHT_CARD, DARK_CARD = house_design().light.card, house_design().dark.card

__all__ = ["DARK_CARD", "ENOUGH", "LIGHT_CARD", "contrast"]
