"""Reader tokens and public ids.

A token is a deterministic HMAC-SHA256 over public ids, bound to a purpose and
named by the id of the key that made it: never stored, valid for as long as its
key verifies, and independent of any ledger row. Where one must expire, the
expiry is one of the signed parts.

Form: ``KEYID.PART.PART.MAC`` of ``[A-Za-z0-9_-]`` and dots, safe in a URL and,
being lower-case base 32 throughout, in the local part of an address.
"""

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from newsletter.errors import ConfigError, TokenError

_ID_BYTES = 10  # 80 bits, 16 characters of base 32
# So many ids of one batch share: one of 65,536 places in an index of all readers.
_COMMON_BYTES = 2
# 60 bits: of a hundred thousand links none is found by a billion guesses, and an
# issue's html has some thirty of them.
_LINK_ID_CHARACTERS = 12
_MAC_BYTES = 20  # 160 bits, 32 characters of base 32: nothing to guess
_SHORT_MAC_BYTES = 10  # for return paths, whose local part may have 64 octets
_KEY_BYTES = 32
_BLOCK = 64  # of SHA-256
# So many are written in base 32 as one number; beyond that it grows slower again.
_WORDS = 32
_MARK_CHARACTERS = 8
_MAILBOX_CHARACTERS = 12  # 60 bits
# RFC 4648 section 6, in lower case; the octets beyond 31 are never asked for.
_ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567".ljust(256, b"=")


def new_public_id() -> str:
    """A fresh opaque id: 16 characters of lower-case base 32."""
    return _base32(secrets.token_bytes(_ID_BYTES))


def new_secret() -> str:
    """A fresh secret of 256 bits, safe in a URL and a cookie; only its digest is ever stored."""
    return _base32(secrets.token_bytes(_KEY_BYTES))


def secret_digest(secret: str, purpose: str = "") -> str:
    """What is stored of a `new_secret`, or derived of it for a purpose: it tells nobody the secret.

    A plain hash: of 256 random bits nothing can be guessed.
    """
    return _base32(hashlib.sha256(f"{purpose}\0{secret}".encode()).digest())


def new_public_ids(count: int) -> list[str]:
    """As many fresh ids, in a fifth of the time.

    All begin alike, so that an index has them side by side; 64 of their 80 bits are their own.
    """
    own = _ID_BYTES - _COMMON_BYTES
    random = secrets.token_bytes(own * count)
    common = secrets.token_bytes(_COMMON_BYTES)
    return _base32_each([common + random[at : at + own] for at in range(0, len(random), own)])


def derived_public_id(*parts: str) -> str:
    """The same opaque id for the same parts, for things made once by their key."""
    return _base32(hashlib.sha256("\0".join(parts).encode()).digest()[:_ID_BYTES])


def derived_link_id(*parts: str) -> str:
    """As `derived_public_id`, of 12 characters, for the links that every mail carries many of."""
    return derived_public_id("link", *parts)[:_LINK_ID_CHARACTERS]


@lru_cache(maxsize=64)
def _spreads(characters: int, words: int) -> tuple[tuple[int, int, int], ...]:
    """Masks and shifts that spread 5 bits a character to 8, halving the groups each time.

    Of ``words`` numbers side by side, each in as many octets as it has ``characters``.
    """
    steps = []
    half = characters // 2
    while half:
        offsets = range(0, 8 * characters * words, 16 * half)
        low = sum(((1 << 5 * half) - 1) << offset for offset in offsets)
        steps.append((low, low << 5 * half, 3 * half))
        half //= 2
    return tuple(steps)


def _base32(raw: bytes) -> str:
    """RFC 4648 section 6 in lower case without padding, of an id's bytes or of a digest's.

    `base64` takes twice as long.
    """
    number = int.from_bytes(raw, "big")
    if len(raw) == _ID_BYTES:
        characters, kept = 16, 16
    else:
        # 256 bits are 51 characters and one bit: as many zeros follow as fill 64.
        characters, kept = 64, 52
        number <<= 64
    for low, high, shift in _spreads(characters, 1):
        number = (number & low) | ((number & high) << shift)
    return number.to_bytes(characters, "big").translate(_ALPHABET)[:kept].decode("ascii")


def _base32_each(raws: Sequence[bytes]) -> list[str]:
    """`_base32` of many, all of one length: groups of them are one number, and share its steps."""
    written: list[str] = []
    if not raws:
        return written
    if len(raws[0]) == _ID_BYTES:
        characters, kept, before, behind = 16, 16, bytes(6), b""
    else:
        characters, kept, before, behind = 64, 52, bytes(24), bytes(8)
    between = behind + before
    for start in range(0, len(raws), _WORDS):
        group = raws[start : start + _WORDS]
        number = int.from_bytes(before + between.join(group) + behind, "big")
        for low, high, shift in _spreads(characters, len(group)):
            number = (number & low) | ((number & high) << shift)
        size = characters * len(group)
        whole = number.to_bytes(size, "big").translate(_ALPHABET).decode("ascii")
        written += [whole[at : at + kept] for at in range(0, size, characters)]
    return written


def _hmac_starts(secret: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """HMAC-SHA256 is two hashes (RFC 2104 section 2), of which the first blocks are the key's."""
    secret = secret if len(secret) <= _BLOCK else hashlib.sha256(secret).digest()
    block = secret.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
    return inner, hashlib.sha256(bytes(octet ^ 0x5C for octet in block))


class Purpose(StrEnum):
    """What a token is for, and the public ids that it signs."""

    UNSUBSCRIBE = "unsubscribe"  # subscriber, newsletter
    PREFERENCES = "preferences"  # subscriber
    CONFIRM = "confirm"  # subscriber, newsletter, the mark of the mailbox; expires
    PREVIEW = "preview"  # issue
    BOUNCE = "bounce"  # mailing, recipient; short
    UNDO = "undo"  # subscriber, newsletter; expires
    LEAVE = "leave"  # subscriber, newsletter; short
    ADDRESS = "address"  # subscriber, the wish for another address; expires
    TAKE_BACK = "take-back"  # subscriber, the change of address; expires
    DATA = "data"  # subscriber; expires
    CLICK = "click"  # mailing, recipient; short
    MAILED_ACT = "mailed-act"  # editor, issue, its version, the act and its stories; expires
    FORM = "form"  # newsletter's slug, the second in which the form was shown


@dataclass(frozen=True)
class Key:
    """One signing key: ``id`` is one letter or digit."""

    id: str
    secret: bytes


class TokenSigner:
    """Makes the tokens of one purpose with one key. For any number of threads.

    What the key and the purpose put into the hash is kept and copied, because
    a mailing has one token a reader and link. For the same reason the results
    are written in base 32 together, by five steps on one number, rather than by
    sixteen or more look-ups each: `base64` takes ten times as long.
    """

    def __init__(self, key: Key, purpose: Purpose, *, short: bool = False) -> None:
        self._key_id = key.id
        self._inner, self._outer = _hmac_starts(key.secret)
        self._inner.update(purpose.encode())
        self._size = _SHORT_MAC_BYTES if short else _MAC_BYTES
        self._characters = self._size * 8 // 5
        self._room = bytes(self._characters - self._size)

    def sign(self, *parts: str) -> str:
        """A token over ``parts`` (public ids, lower-case words)."""
        return self.sign_all([parts])[0]

    def sign_all(self, many: Sequence[tuple[str, ...]]) -> list[str]:
        """The tokens over each of ``many`` parts, as `sign` gives them: made together they
        take half the time."""
        key_id = self._key_id
        return [
            ".".join((key_id, *parts, mac))
            for parts, mac in zip(many, self._macs(many), strict=True)
        ]

    def mac(self, *parts: str) -> str:
        """The token's last part."""
        return self._macs([parts])[0]

    def _macs(self, many: Sequence[tuple[str, ...]]) -> list[str]:
        size, characters = self._size, self._characters
        rows: list[bytes] = []
        for parts in many:
            inner, outer = self._inner.copy(), self._outer.copy()
            inner.update("\0".join(("", *parts)).encode())
            outer.update(inner.digest())
            rows += (self._room, outer.digest()[:size])
        number = int.from_bytes(b"".join(rows), "big")
        for low, high, shift in _spreads(characters, len(many)):
            number = (number & low) | ((number & high) << shift)
        whole = number.to_bytes(characters * len(many), "big").translate(_ALPHABET).decode("ascii")
        return [whole[at : at + characters] for at in range(0, len(whole), characters)]


class Keyring:
    """The installation's signing keys: the first signs, all of them verify."""

    def __init__(self, keys: Sequence[Key], address_hash_key: bytes) -> None:
        if not keys:
            raise ConfigError("the key file holds no token key", subject="keys")
        for key in keys:
            # Longer ones would leave a return path's local part no room (64 octets).
            if len(key.id) != 1:
                raise ConfigError(f'the key id "{key.id}" must be one character', subject="keys")
        self._keys = {key.id: key for key in keys}
        self._first = keys[0]
        self._address_hash_key = address_hash_key
        self._inner, self._outer = _hmac_starts(address_hash_key)
        self._signers: dict[tuple[str, Purpose, bool], TokenSigner] = {}
        #: What signs the puzzles of sign-up forms, which live for an hour.
        self.puzzle_key = hmac.digest(self._first.secret, b"puzzle", "sha256")

    @property
    def signing_key(self) -> str:
        """The id of the key that signs now, to be frozen in a mailing."""
        return self._first.id

    def signer(self, purpose: Purpose, *, key_id: str = "", short: bool = False) -> TokenSigner:
        """What signs for ``purpose`` with the key ``key_id``, or with the first.

        ConfigError where that key is gone: its tokens can't be made again.
        """
        key = self._keys.get(key_id) if key_id else self._first
        if key is None:
            raise ConfigError(
                f'the key file no longer holds the token key "{key_id}", with which mail that is '
                "still to be sent was begun; put it back below the newest one",
                subject="keys",
            )
        return self._signer(key, purpose, short=short)

    def sign(self, purpose: Purpose, *parts: str, short: bool = False) -> str:
        """A token for ``purpose`` over ``parts`` (public ids, lower-case words)."""
        return self.signer(purpose, short=short).sign(*parts)

    def verify(self, purpose: Purpose, token: str, *, short: bool = False) -> tuple[str, ...]:
        """The parts that were signed; TokenError if this is not our token for ``purpose``."""
        key_id, *rest = token.split(".")
        key = self._keys.get(key_id)
        if key is None or not rest or not token.isascii():
            raise TokenError("this link is not one of ours", subject=purpose)
        *parts, mac = rest
        if not hmac.compare_digest(mac, self._signer(key, purpose, short=short).mac(*parts)):
            raise TokenError("this link is damaged or not one of ours", subject=purpose)
        return tuple(parts)

    def sign_until(self, purpose: Purpose, expires: datetime, *parts: str) -> str:
        """A token that `verify_until` accepts up to ``expires``."""
        return self.sign(purpose, *parts, str(int(expires.timestamp())))

    def verify_until(self, purpose: Purpose, token: str, now: datetime) -> tuple[str, ...]:
        """As `verify`, and TokenError once the expiry has passed."""
        *parts, expires = self.verify(purpose, token)
        if now > datetime.fromtimestamp(int(expires), UTC):
            raise TokenError("this link has expired", subject=purpose)
        return tuple(parts)

    def hash_address(self, address: str) -> str:
        """A keyed hash of an address, for a suppression that outlives the address itself."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(address.encode())
        outer.update(inner.digest())
        return _base32(outer.digest())

    def hash_addresses(self, addresses: Iterable[str]) -> list[str]:
        """The same of many, in their order."""
        start, end = self._inner, self._outer
        digests = []
        for address in addresses:
            inner, outer = start.copy(), end.copy()
            inner.update(address.encode())
            outer.update(inner.digest())
            digests.append(outer.digest())
        return _base32_each(digests)

    def mailbox_mark(self, address: str) -> str:
        """The start of `hash_address`: a link that bears it counts for this address alone."""
        return self.hash_address(address)[:_MAILBOX_CHARACTERS]

    @property
    def hash_mark(self) -> str:
        """What tells our hashes of addresses from those of another installation: not the key."""
        return _base32(hmac.digest(self._address_hash_key, b"mark", "sha256"))[:_MARK_CHARACTERS]

    def hash_network(self, network: str) -> str:
        """A keyed hash of a network address, apart from those of mail addresses."""
        return _base32(
            hmac.digest(self._address_hash_key, b"network\0" + network.encode(), "sha256")
        )

    def day_salt(self, day: date) -> bytes:
        """A secret of 32 bytes that differs every day, to hash visitors with."""
        told = f"visits\0{day.isoformat()}"
        return hmac.digest(self._address_hash_key, told.encode(), "sha256")

    def _signer(self, key: Key, purpose: Purpose, *, short: bool) -> TokenSigner:
        """One that is kept: to make it takes three times as long as a token."""
        wanted = (key.id, purpose, short)
        signer = self._signers.get(wanted)
        if signer is None:
            signer = self._signers[wanted] = TokenSigner(key, purpose, short=short)
        return signer


def load_keyring(path: Path) -> Keyring:
    """The keys of ``path`` (JSON), made on first use and readable by the owner only.

    Part of any backup: without it the links in mails already sent stop working.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = _create_key_file(path)
    try:
        document = json.loads(text)
        keys = [Key(str(k["id"]), bytes.fromhex(k["secret"])) for k in document["token"]]
        return Keyring(keys, bytes.fromhex(document["address_hash"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: the key file is damaged; restore it from the backup", subject=str(path)
        ) from error


def _create_key_file(path: Path) -> str:
    document = {
        "token": [{"id": "a", "secret": secrets.token_hex(_KEY_BYTES)}],
        "address_hash": secrets.token_hex(_KEY_BYTES),
    }
    text = json.dumps(document, indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: two processes that start at once must
    # end up with the same keys, and a crash must not leave half a file.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(stat.S_IRUSR | stat.S_IWUSR)
    try:
        os.link(temporary, path)
    except FileExistsError:
        text = path.read_text(encoding="utf-8")
    finally:
        temporary.unlink()
    return text
