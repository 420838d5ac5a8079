"""What we say when a fetch fails: one sentence that names the host and the mend."""

import ssl
from urllib.parse import urlsplit, urlunsplit

from newsletter.net.guard import AddressRefused


def shown(url: str) -> str:
    """An address as it may be shown and logged: no credentials, no query, not too long."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        text = urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        text = url.rpartition("@")[2]
    return text if len(text) <= 200 else f"{text[:199]}…"


def no_address(url: str) -> str:
    return f'"{shown(url)}" is not a web address; it must begin with http:// or https://'


def port(host: str, number: int) -> str:
    return (
        f"{host}: port {number} is not one that public sites use; use 80, 443, 8080 or 8443 (in "
        "your own network, with allow_private, any from 1024 up)"
    )


def refused(error: AddressRefused) -> str:
    if not error.private:
        return f"{error.host} lies at {error.address}, where no site can be; check the address"
    return (
        f"{error.host} lies at the private address {error.address}; if it is your own machine or "
        "network, set allow_private = true for it"
    )


def unknown_host(host: str) -> str:
    return f"there is no host called {host}; check the spelling, or this machine's DNS"


def silent(host: str) -> str:
    return f"{host} does not answer; check that the site is up, or try again later"


def unreachable(host: str, error: Exception) -> str:
    return f"{host} could not be reached ({error}); check the address and that the site is up"


def tls(host: str, error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "TLS failed"
    return (
        f"{host} could not be trusted over https ({reason}); mend its certificate, or give the "
        "address with http:// if the site has none"
    )


def too_large(url: str, max_bytes: int) -> str:
    return (
        f"{shown(url)} is larger than the {_size(max_bytes)} allowed for it; "
        "check that it is the right address"
    )


def too_slow(url: str, seconds: float) -> str:
    return f"{shown(url)} took longer than {seconds:g} seconds; try again later"


def redirects(url: str, count: int) -> str:
    return (
        f"{shown(url)} leads on and on ({count} redirects); open it in a browser and use the "
        "address at which it ends"
    )


def bad_redirect(url: str) -> str:
    return f"{shown(url)} leads to something that is no web address; check the address"


def encoding(url: str, name: str) -> str:
    return (
        f'{shown(url)} answers in the encoding "{name[:40]}", which was not asked for; have the '
        "server honour Accept-Encoding"
    )


def undecodable(url: str) -> str:
    return f"{shown(url)} says it is compressed and is not; try again, or mend the server"


def broken(url: str, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return f"{shown(url)} broke off in the middle ({reason}); try again later"


def held(host: str, seconds: float) -> str:
    return f"{host} asked us to wait; it will be asked again in {seconds:.0f} seconds"


def status(url: str, code: int, retry_after: float | None) -> str:
    """The sentence for an HTTP status that is not a success."""
    where = shown(url)
    if code in (404, 410):
        return f"{where} was not found ({code}); check the address"
    if code in (401, 403):
        return (
            f"{where} is refused to us ({code}); let the site's firewall or security plugin pass "
            "our user agent, or use another address"
        )
    if code == 429:
        later = f"in {retry_after:.0f} seconds" if retry_after else "later"
        return f"{where} says that we ask too often (429); it will be asked again {later}"
    if code >= 500:
        return f"{where} has trouble of its own ({code}); try again later"
    return f"{where} answered with status {code}; check the address"


def _size(count: int) -> str:
    return f"{count / 1_000_000:g} MB" if count >= 100_000 else f"{count} bytes"
