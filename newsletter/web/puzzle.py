"""The puzzle that a visitor's machine solves before it is believed: ALTCHA's, version 2.

A SHA-256 has to be found by trying. It costs a browser a moment, a program that
signs up thousands of addresses as many moments, and us one hash to look it over.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha import Payload, create_challenge, verify_solution

from newsletter.tokens import Keyring
from newsletter.workflows.sign_up import Proof

# Half of them are tried on average: a tenth of a second, in an attack a second or two.
_NUMBERS = 30_000
_NUMBERS_IN_AN_ATTACK = 300_000
_LASTS = timedelta(hours=1)
_MOST_CHARACTERS = 2_000
_ALGORITHM = "SHA-256"


def set_puzzle(
    keyring: Keyring, newsletter: str, now: datetime, *, attacked: bool
) -> Mapping[str, Any]:
    """A new puzzle as JSON, signed, for a sign-up to one newsletter within the hour."""
    numbers = _NUMBERS_IN_AN_ATTACK if attacked else _NUMBERS
    challenge = create_challenge(
        _ALGORITHM,
        cost=1,
        counter=secrets.randbelow(numbers),
        # Its own expiry goes by the machine's clock; ours by the installation's.
        data={"newsletter": newsletter, "until": int((now + _LASTS).timestamp())},
        hmac_secret=keyring.puzzle_key,
    )
    document: Mapping[str, Any] = challenge.to_dict()
    return document


def check_proof(keyring: Keyring, written: str, newsletter: str, now: datetime) -> Proof | None:
    """The proof in a solved puzzle, base64 as ALTCHA's own widget sends it.

    None where it is none, was not set by us for this newsletter, or has expired.
    Whether it was used before is known to the database alone.
    """
    if not written or len(written) > _MOST_CHARACTERS:
        return None
    try:
        payload = Payload.from_base64(written)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not verify_solution(payload, keyring.puzzle_key).verified:
        return None
    # Signed by us, so that it holds what we wrote.
    parameters = payload.challenge.parameters
    told = parameters.data or {}
    until = datetime.fromtimestamp(told["until"], UTC)
    if told["newsletter"] != newsletter or now > until:
        return None
    return Proof(parameters.nonce, until)


def as_attribute(puzzle: Mapping[str, Any]) -> str:
    """A puzzle as text for an attribute of a page's form."""
    return json.dumps(puzzle, separators=(",", ":"))
