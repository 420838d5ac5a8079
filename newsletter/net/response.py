"""What a fetch gives: a response, or one of these errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.errors import FetchError


@dataclass(frozen=True)
class Response:
    """An answer of 200, or of 304 to a request with validators.

    ``url`` is the final address, without credentials or fragment. ``headers``
    have lower-case names; a repeated one is joined by commas. ``body`` is
    decoded (gzip, deflate). ``cut`` is True where the connection broke off in
    the middle and the caller asked for what had come.
    """

    status: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        return self.headers.get("last-modified")

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_unchanged(self) -> bool:
        """Whether the server said that nothing is new (304)."""
        return self.status == 304


class Unreachable(FetchError):
    """No connection: the name is unknown, or nobody answers there."""


class HostUnnamed(Unreachable):
    """The system's resolver says that the host's name does not exist, or has no address.

    It also says so where it is itself cut off: ask `net.resolver` who needs to be sure.
    """


class PrivateAddress(FetchError):
    """The host lies in a network that we do not enter."""


class TlsFailure(FetchError):
    """The connection could not be secured."""


class TooLarge(FetchError):
    """More bytes than allowed."""


class TooSlow(FetchError):
    """More seconds than allowed."""


class HostHeld(FetchError):
    """The host asked us to wait, ``retry_after`` seconds from now, and was not asked."""

    def __init__(self, sentence: str, *, subject: str, retry_after: float) -> None:
        super().__init__(sentence, subject=subject)
        self.retry_after = retry_after


class StatusError(FetchError):
    """The server answered, and refused.

    ``body`` is the beginning of its answer (REST servers explain themselves),
    ``retry_after`` the seconds that it asked us to wait, if it did.
    """

    def __init__(
        self,
        sentence: str,
        *,
        subject: str,
        status: int,
        body: bytes = b"",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, subject=subject)
        self.status = status
        self.body = body
        self.retry_after = retry_after
