"""Asking a WordPress REST API: addresses, answers as JSON, and its errors in words.

Reference: https://developer.wordpress.org/rest-api/
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import Response

# Fifty posts with their embeds come to 400 kB where texts are of usual length.
MAX_PAGE_BYTES = 20_000_000


def rest_url(root: str, route: str, params: Mapping[str, str] | None = None) -> str:
    """The address of a route such as ``wp/v2/posts`` below a REST root.

    A root is ``https://paper.example/wp-json/``, or where permalinks are plain
    ``https://paper.example/?rest_route=/``.
    """
    parts = urlsplit(root)
    query = parse_qsl(parts.query, keep_blank_values=True)
    path = parts.path
    if any(name == "rest_route" for name, _ in query):
        query = [
            (name, f"{value.rstrip('/')}/{route}" if name == "rest_route" else value)
            for name, value in query
        ]
    else:
        path = f"{path.rstrip('/')}/{route}"
    query += list((params or {}).items())
    # Commas, slashes and colons stay as they are: some firewalls take %2C and %2F for attacks.
    text = urlencode(query, safe=",/:")
    return urlunsplit((parts.scheme, parts.netloc, path, text, ""))


def get_json(fetcher: Fetcher, url: str, *, allow_private: bool) -> tuple[Any, Response]:
    """The answer as JSON; ParseError where it is something else."""
    response = fetcher.get(
        url,
        max_bytes=MAX_PAGE_BYTES,
        accept="application/json",
        allow_private=allow_private,
    )
    return parse_json(response.body, response.url), response


def parse_json(body: bytes, url: str) -> Any:
    """A body as JSON; ParseError where it is none."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        where = url.partition("?")[0]
        raise ParseError(
            f"{where} does not answer in JSON, as WordPress REST does; give the REST root, which "
            "mostly ends with /wp-json/",
            subject=where,
        ) from error


def error_code(body: bytes) -> str:
    """The code of a REST error (``rest_post_invalid_page_number``), or nothing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(document.get("code", "")) if isinstance(document, dict) else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is a JSON object, else an empty one: PHP writes empty ones as lists."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The JSON objects in a list; error objects, which embeds may hold, are left out."""
    if not isinstance(value, list):
        return []
    return [
        entry
        for entry in value
        if isinstance(entry, dict) and not ("code" in entry and "message" in entry)
    ]


def string(value: Any) -> str:
    """``value`` if it is a string, else nothing."""
    return value if isinstance(value, str) else ""


def rendered(value: Any) -> str:
    """The HTML of a field such as ``title``, which is an object with ``rendered``."""
    return string(mapping(value).get("rendered"))
