"""How often a reader wants a newsletter, and which of its editions an issue is of."""

from enum import StrEnum


class Cadence(StrEnum):
    """What a reader chose: each issue, or the best of a month."""

    EACH = "each"
    MONTHLY = "monthly"


class Edition(StrEnum):
    """What an issue is to its newsletter.

    Each goes its own way through slots, cool-down and what is new since the last one.
    """

    REGULAR = "regular"  # for who wants each issue
    MONTHLY = "monthly"  # the best of a month
    CATCH_UP = "catch_up"  # what was missed in a pause


# Whom the editions that are drafted by the clock go to.
CADENCE_OF: dict[Edition, Cadence] = {
    Edition.REGULAR: Cadence.EACH,
    Edition.MONTHLY: Cadence.MONTHLY,
}
