"""DKIM keys for the delivery tests, and a verifier that sees them in DNS."""

from pathlib import Path
from typing import Any

import dkim

from newsletter.checks.dns import PublishedKey
from newsletter.delivery.dkim_keys import Algorithm, create_key

RSA, OTHER_RSA, ED25519 = "s1", "s2", "e1"


def make_keys(folder: Path, domain: str = "paper.example") -> dict[str, PublishedKey]:
    """Two RSA keys and an Ed25519 one in ``folder``, as DNS shows them."""
    kinds = {RSA: Algorithm.RSA, OTHER_RSA: Algorithm.RSA, ED25519: Algorithm.ED25519}
    made = [create_key(folder, selector, kind) for selector, kind in kinds.items()]
    return {key.selector: key.published(domain) for key in made}


def verified(raw: bytes, keys: dict[str, PublishedKey]) -> list[bool]:
    """What dkimpy says of each signature, from the top."""
    records = {key.name: key.record.encode() for key in keys.values()}

    def ask(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name.decode().rstrip("."))

    found = []
    for index in range(raw.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")):
        message: Any = dkim.DKIM(raw)
        try:
            found.append(bool(message.verify(index, dnsfunc=ask)))
        except dkim.DKIMException:
            found.append(False)
    return found
