"""A first config.toml from what a site tells of itself."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.publication.brand import Colours, Fonts
from newsletter.publication.design import design_with
from newsletter.sources.model import FoundSource, PrintedCounter, SiteProfile
from newsletter.words import words_of

_SECTIONS = """\
  [[newsletter.section]]
  slug = "most-read"
  kind = "most_read"
  title = {most_read}
  count = 5
  window = "30 days"
  max_per_department = 2
  cool_down = 4

  [[newsletter.section]]
  slug = "latest"
  kind = "latest"
  title = {latest}
  count = 12
  window = "7 days"
"""

_RELAY = """\
# The SMTP server that mail is handed to. Fill it in before the first issue.
# [[relay]]
# slug = "main"
# host = "smtp.example.org"
# port = 587
# tls = "starttls"            # or "tls" on port 465; the certificate is verified always
# username = "newsletter"
# password_file = "smtp-password"
"""


@dataclass(frozen=True)
class SetUp:
    """What a site can't tell, with the values that a first config file shows.

    ``relay`` is the TOML text of the relay's table.
    """

    base_url: str = "http://127.0.0.1:8000"
    relay: str = _RELAY
    sender: str | None = None
    postal_address: str = ""
    timezone: str | None = None
    draft_at: str = "Thu 12:00"
    send_at: str = "Fri 07:00"
    approval: str = "required"
    signature: str = ""


def is_private_address(url: str) -> bool:
    """Whether ``url`` names a host of this machine or a private network outright."""
    host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def config_text(profile: SiteProfile, plan: SetUp = SetUp()) -> str:
    """The commented config file for the site of ``profile``; every line may be edited."""
    host = urlsplit(profile.url).hostname or "localhost"
    domain = "localhost" if is_private_address(profile.url) else host.removeprefix("www.")
    zone = plan.timezone or profile.timezone or "UTC"
    sender = plan.sender or f"newsletter@{domain}"
    words = words_of(profile.language or "en")
    paper = _bare(profile.short_name or profile.name or host)
    # Translators: the name of a paper's weekly newsletter, as "Courier Weekly".
    weekly = words.gettext("%(paper)s Weekly", paper=paper)
    sections = _SECTIONS.format(
        most_read=_toml(words.gettext("Most read stories of the month")),
        latest=_toml(words.gettext("Latest articles of the week")),
    )
    lines = [
        f"# Written by `newsletter init` from what {profile.url} tells of itself.",
        "# Every line may be changed; docs/config.md explains every key.",
        *(f"# Look at this: {warning}" for warning in profile.warnings),
        "",
        "[web]",
        "# The root of the links in your mails: where readers reach this service.",
        f"base_url = {_toml(plan.base_url)}",
        "",
        plan.relay,
        "[publication]",
        f"name = {_toml(profile.name or host)}{_origin(profile, 'name')}",
        f"short_name = {_toml(profile.short_name)}{_origin(profile, 'short name')}",
        f"url = {_toml(profile.url)}",
        f"timezone = {_toml(zone)}{_origin(profile, 'timezone')}",
        f"language = {_toml(profile.language or 'en')}{_origin(profile, 'language')}",
        f"postal_address = {_toml(plan.postal_address)}",
        "# The address is printed in every footer: the law asks for one in bulk mail.",
        *_logo_line(profile),
        f"social = {json.dumps(list(profile.social))}",
        "editors = []                 # addresses that are told when a draft waits for approval",
        "",
        *_colour_lines(profile),
        *_source_lines(profile),
        *_reads_lines(profile),
        "[[newsletter]]",
        'slug = "weekly"',
        f"name = {_toml(weekly)}",
        f"from = {{ name = {_toml(profile.name or host)}, address = {_toml(sender)} }}",
        f"draft_at = {_toml(plan.draft_at)}",
        f"send_at = {_toml(plan.send_at)}",
        f'approval = {_toml(plan.approval)}        # "auto" sends without asking',
        *([f"signature = {_toml(plan.signature)}"] if plan.signature else []),
        'changed_headline = "take"    # after the draft; "flag" keeps the old one and tells you',
        'max_lateness = "12 hours"',
        "",
        sections.rstrip(),
        "",
    ]
    return "\n".join(lines)


def _logo_line(profile: SiteProfile) -> list[str]:
    # Without a logo the site's icon stands in.
    origin = _origin(profile, "logo") or _origin(profile, "icon")
    return [f"logo = {_toml(profile.logo)}{origin}"] if profile.logo else []


def _colour_lines(profile: SiteProfile) -> list[str]:
    """The brand's colour, and what is printed in its place where it could not be read."""
    if profile.colour is None:
        return []
    design = design_with(Colours(accent=profile.colour), Fonts())
    return [
        "[publication.colours]",
        f"accent = {_toml(profile.colour)}{_origin(profile, 'colour')}",
        *(f"# {notice}" for notice in design.mended),
        "",
    ]


def _source_lines(profile: SiteProfile) -> list[str]:
    if not profile.sources:
        return ["# No feed was found: add a [[source]] with the address of one.", ""]
    best, *others = profile.sources
    lines = ["[[source]]", 'slug = "site"', f'kind = "{best.kind}"', f"url = {_toml(best.url)}"]
    if is_private_address(best.url):
        lines.append("allow_private = true         # the site lies in your own network")
    lines += [f"# also found: {other.kind} at {other.url}" for other in others]
    return [*lines, ""]


def _reads_lines(profile: SiteProfile) -> list[str]:
    """A table for each counter; what needs a login, or a choice, is commented out."""
    if not profile.sources:
        return []
    lines = [f"# counter seen on the site: {name}" for name in profile.counters]
    exports = [name for name in profile.counters if name in _EXPORTED]
    if exports:
        lines.append(f"# An export of {' or '.join(exports)} can be brought by: reads import FILE")
    ready = [found for found in profile.reads if found.kind in _ASKED_FREELY]
    if not ready:
        lines += [
            "# No counter that can be asked at once was found, so nobody knows yet what is read:",
            "# the section of most read stories stays out until counts come in (reads import",
            "# FILE), or one of the counters below is set up.",
            *_table("by-hand", {"kind": "csv"}),
        ]
    for number, found in enumerate(ready):
        slug = "site" if number == 0 else found.kind
        lines += _table(slug, {"kind": found.kind, **_address_keys(found.url)})
    for found in profile.reads:
        if found.kind in _ON_CONDITION:
            lines += _on_condition(found)
    return [
        *lines,
        "# The web server's log, where this machine can read it:",
        *_off(_table("log", {"kind": "access-log", "path": "/var/log/nginx/access.log"})),
        "# Our own counter, one line of script on the site's pages: reads snippet",
        *_off(_table("beacon", {"kind": "beacon"})),
    ]


_ASKED_FREELY = frozenset(("wordpress-popular-posts", "csv"))
_ON_CONDITION = {
    "koko-analytics": (
        "# Koko Analytics needs an application password of a WordPress user, or a public",
        "# dashboard; then leave out the two keys of the login.",
    ),
    "page": (
        "# A number is printed on the site: look at a story's page whether it counts reads,",
        "# and find its selector by: reads learn URL NUMBER",
    ),
}
_EXPORTED = frozenset(("Google Analytics", "Plausible", "Matomo", "Jetpack Stats"))


def _on_condition(found: FoundSource) -> list[str]:
    if isinstance(found, PrintedCounter):
        keys: dict[str, str | bool] = {"selector": found.selector}
        slug = "printed"
    else:
        login = {"username": "newsletter", "password_file": "koko-password"}
        keys, slug = {**_address_keys(found.url), **login}, "koko"
    return [*_ON_CONDITION[found.kind], *_off(_table(slug, {"kind": found.kind, **keys}))]


def _table(slug: str, keys: Mapping[str, str | bool]) -> list[str]:
    told = {"slug": slug, "source": "site", **keys}
    values = {key: "true" if value is True else _toml(str(value)) for key, value in told.items()}
    return ["[[reads]]", *(f"{key} = {value}" for key, value in values.items()), ""]


def _off(lines: list[str]) -> list[str]:
    return [f"# {line}" if line else line for line in lines]


def _address_keys(url: str) -> dict[str, str | bool]:
    return {"url": url, **({"allow_private": True} if is_private_address(url) else {})}


def _origin(profile: SiteProfile, what: str) -> str:
    origin = next((f.origin for f in profile.findings if f.what == what), "")
    return f"  # from {origin}" if origin else ""


def _bare(name: str) -> str:
    """A paper's name without its article: "the Courier" gives "Courier Weekly"."""
    return name[4:] if name.lower().startswith("the ") else name


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are valid in it."""
    return json.dumps(text, ensure_ascii=False)
