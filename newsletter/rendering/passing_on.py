"""Links by which a reader writes to the editors or passes an issue on: plain addresses.

They carry nothing of the reader: whoever opens one is known to nobody but the
place that it leads to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from newsletter.publication.brand import ShareTarget
from newsletter.words import Words


@dataclass(frozen=True)
class Link:
    """An address and what it is called."""

    name: str
    url: str


def mail_link(address: str, subject: str) -> str:
    """A mailto address (RFC 6068) with a subject."""
    return f"mailto:{quote(address, safe='@')}?subject={_one_line(subject)}"


def share_links(
    targets: Iterable[ShareTarget], url: str, title: str, words: Words
) -> tuple[Link, ...]:
    """Where the page at ``url`` can be passed on to, in the order of ``targets``, each once."""
    address, told = quote(url, safe=""), _one_line(title)
    both = quote(f"{title}\n{url}", safe="")
    known: dict[ShareTarget, Link] = {
        "email": Link(words.gettext("E-mail"), f"mailto:?subject={told}&body={address}"),
        "whatsapp": Link("WhatsApp", f"https://wa.me/?text={both}"),
        "facebook": Link("Facebook", f"https://www.facebook.com/sharer/sharer.php?u={address}"),
        "telegram": Link("Telegram", f"https://t.me/share/url?url={address}&text={told}"),
        "x": Link("X", f"https://x.com/intent/post?url={address}&text={told}"),
    }
    return tuple(known[target] for target in dict.fromkeys(targets))


def _one_line(text: str) -> str:
    """Escaped, and without line ends, which in a mailto address begin another header."""
    return quote(" ".join(text.split()), safe="")
