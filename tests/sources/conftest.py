"""The loopback site that pages are fetched from."""

from tests.web_pages import fetcher, site, ssl_context

__all__ = ["fetcher", "site", "ssl_context"]
