"""The signed time stamp in the sign-up form: it was shown by us, a moment ago, to a person."""

from datetime import UTC, datetime, timedelta

from newsletter.errors import TokenError
from newsletter.tokens import Keyring, Purpose

# A person needs longer than a second to type an address; a program does not.
_SHORTEST = timedelta(seconds=1)
_LONGEST = timedelta(hours=24)


def make_stamp(keyring: Keyring, newsletter: str, now: datetime) -> str:
    """A stamp for the form of ``newsletter``, shown at ``now``."""
    return keyring.sign(Purpose.FORM, newsletter, str(int(now.timestamp())))


def is_fresh(keyring: Keyring, stamp: str, newsletter: str, now: datetime) -> bool:
    """Whether ``stamp`` is ours, of this form, and neither too young nor too old."""
    try:
        slug, shown = keyring.verify(Purpose.FORM, stamp)
    except TokenError:
        return False
    age = now - datetime.fromtimestamp(int(shown), UTC)
    return slug == newsletter and _SHORTEST <= age <= _LONGEST
