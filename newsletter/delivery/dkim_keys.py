"""DKIM keys: files in the data folder, and the DNS records that show them (RFC 6376).

A private key is ``data_dir/dkim/SELECTOR.pem``, readable by the owner only and
never in the database. Its algorithm is told by the key itself.
"""

import base64
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from newsletter.checks.dns import PublishedKey
from newsletter.config import DkimTable
from newsletter.errors import ConfigError, Conflict

RSA_BITS = 2048  # RFC 8301 section 3.2: longer keys may not be verified, shorter not be trusted
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MARK = "._domainkey."


class Algorithm(StrEnum):
    """How a key signs, as the a= of a signature has it (RFC 6376, RFC 8463)."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


@dataclass(frozen=True)
class DkimKey:
    """A private key and the selector under which DNS shows its public half."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.RSA if isinstance(self.private, RSAPrivateKey) else Algorithm.ED25519

    def sign(self, digest: bytes) -> bytes:
        """The signature of a SHA-256 digest; always the same for the same digest."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.private.sign(digest)  # RFC 8463 section 3: the digest is what is signed

    def published(self, domain: str, *, signing: bool = True) -> PublishedKey:
        """The key as the DNS of ``domain`` has to show it."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PublishedKey(
            selector=self.selector,
            domain=domain,
            public_key=base64.b64encode(octets).decode(),
            algorithm="rsa" if self.algorithm is Algorithm.RSA else "ed25519",
            signing=signing,
        )


class SigningIdentity(NamedTuple):
    """A key, and the domain (d=) in whose name it signs."""

    key: DkimKey
    domain: str


class Signer:
    """The installation's keys. For any number of threads.

    ``selectors`` is what a new mailing is to freeze, RSA first; with none it
    stays unsigned. Keys beside these go on signing the mailings that name
    them, so that a rotation changes no message that is sent a second time.
    """

    def __init__(self, folder: Path, selectors: Iterable[str], domain: str = "") -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._keys: dict[str, DkimKey] = {}
        # A verifier may stop at a signature it does not know, and all know RSA.
        keys = sorted(map(self._key, selectors), key=lambda key: key.algorithm is not Algorithm.RSA)
        if keys and keys[0].algorithm is not Algorithm.RSA:
            raise ConfigError(
                "[dkim] selectors names no RSA key, and many servers know no other: make one "
                "with `newsletter dkim keygen` and name it as well",
                subject="dkim",
            )
        self._domain = domain
        mark = f"{_MARK}{domain}" if domain else ""
        self.selectors = tuple(f"{key.selector}{mark}" for key in keys)

    def identities(self, selectors: Sequence[str], from_domain: str) -> list[SigningIdentity]:
        """The keys that a mailing froze, in its order.

        Each of ``selectors`` is a selector, or the whole name of its record where
        the domain is not the sender's own. ConfigError where a key is gone or
        the domain is not the sender's (RFC 9989: it must be aligned).
        """
        found = []
        from_domain = from_domain.lower()
        for name in selectors:
            selector, _, domain = name.partition(_MARK)
            domain = domain or from_domain
            if f".{from_domain}".endswith(f".{domain}"):
                found.append(SigningIdentity(self._key(selector), domain))
                continue
            raise ConfigError(
                f"[dkim] domain {domain} is not that of the sender's address (…@{from_domain}) "
                "nor above it, so receivers would not count the signature: leave the key out",
                subject="dkim",
            )
        return found

    def published_keys(self, from_domain: str) -> list[PublishedKey]:
        """What DNS has to show for mail from ``from_domain``.

        After the keys that sign come the others of the folder: one kept ready
        for a rotation, or one that mail still under way was signed with.
        """
        signing = self.identities(self.selectors, from_domain)
        domain = self._domain or from_domain.lower()
        named = {key.selector for key, _ in signing}
        others = sorted({path.stem for path in self._folder.glob("*.pem")} - named)
        return [
            *(key.published(domain) for key, domain in signing),
            *(self._key(selector).published(domain, signing=False) for selector in others),
        ]

    def _key(self, selector: str) -> DkimKey:
        with self._lock:
            if selector not in self._keys:
                self._keys[selector] = read_key(self._folder, selector)
            return self._keys[selector]


def load_signer(data_dir: Path, table: DkimTable) -> Signer | None:
    """The signer of ``[dkim]``, or None where there is no key at all.

    ConfigError where a key that is to sign is missing or damaged.
    """
    folder = key_folder(data_dir)
    if not table.selectors and not folder.is_dir():
        return None
    return Signer(folder, table.selectors, table.domain)


def key_folder(data_dir: Path) -> Path:
    """Where the private keys lie."""
    return data_dir / "dkim"


def read_key(folder: Path, selector: str) -> DkimKey:
    """The key of ``selector``; ConfigError says what is wrong with its file."""
    path = _key_path(folder, selector)
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such DKIM key; restore it from the backup, or make it with "
            f"`newsletter dkim keygen --selector {selector}`",
            subject=selector,
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path}: the DKIM key can't be read ({error.strerror})", subject=selector
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"{path}: is no private key in PEM without a password; restore it from the backup",
            subject=selector,
        ) from error
    if isinstance(private, Ed25519PrivateKey):
        return DkimKey(selector, private)
    if isinstance(private, RSAPrivateKey) and private.key_size >= RSA_BITS:
        return DkimKey(selector, private)
    raise ConfigError(
        f"{path}: a DKIM key must be RSA of {RSA_BITS} bits or more, or Ed25519; make another "
        "with `newsletter dkim keygen`",
        subject=selector,
    )


def create_key(folder: Path, selector: str, algorithm: Algorithm) -> DkimKey:
    """Make a key and its file; Conflict where there is one of that selector already."""
    path = _key_path(folder, selector)
    private: RSAPrivateKey | Ed25519PrivateKey
    if algorithm is Algorithm.RSA:
        private = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _write_once(path, pem)
    except FileExistsError as error:
        raise Conflict(
            f"{path}: there is a key of that selector already, and it stays; choose another "
            "with --selector",
            subject=selector,
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: can't be written ({error.strerror})", subject="dkim") from error
    return DkimKey(selector, private)


def _key_path(folder: Path, selector: str) -> Path:
    if not _SELECTOR.fullmatch(selector):
        raise ConfigError(
            f'the DKIM selector "{selector[:80]}" is not of small letters, digits and hyphens only',
            subject="dkim",
        )
    return folder / f"{selector}.pem"


def _write_once(path: Path, pem: bytes) -> None:
    """Write aside, then link into place: never half a key, never over another."""
    path.parent.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    owner_only = stat.S_IRUSR | stat.S_IWUSR
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, owner_only)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink()
