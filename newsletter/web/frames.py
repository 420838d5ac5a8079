"""Whose pages may show our sign-up in a frame."""

from urllib.parse import urlsplit

from newsletter.publication.model import Settings


def framing_origins(settings: Settings, desk_url: str) -> tuple[str, ...]:
    """Origins that may frame the sign-up: the sites, and the desk, which shows how it looks."""
    desk = urlsplit(desk_url)
    return tuple(dict.fromkeys((*framing_sites(settings), f"{desk.scheme}://{desk.netloc}")))


def framing_sites(settings: Settings) -> tuple[str, ...]:
    """Origins such as https://paper.example: those of the settings, else the paper's own site."""
    if settings.sign_up.sites:
        return settings.sign_up.sites
    site = urlsplit(settings.publication.url)
    return (f"{site.scheme}://{site.netloc}",)
