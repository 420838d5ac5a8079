"""What programs with the key learn of readers, and that nobody else learns anything."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from newsletter.web.app import create_app
from tests.web.site import BASE_URL, Site, make_blank, open_site

KEY = "0123456789abcdef0123456789abcdef"
WAYS = ("/api/v1/readers", "/api/v1/readers/count")
EVERYBODY = "newsletter in (weekly, kitchen)"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, make_blank(tmp_path / "blank.sqlite")) as opened:
        yield opened


def ask(site: Site, path: str, key: str = KEY, **query: str) -> Any:
    app = create_app(replace(site.context, api_key=KEY))
    with TestClient(app, base_url=BASE_URL) as client:
        return client.get(path, params=query, headers={"Authorization": f"Bearer {key}".encode()})


@pytest.mark.parametrize("path", WAYS)
def test_who_does_not_show_the_key_learns_nothing(site: Site, path: str) -> None:
    site.put("lilit@reader.example")
    answers = [
        ask(site, path, key=key, filter=EVERYBODY) for key in ("", KEY[:-1], KEY + "0", "κλειδί")
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["sentence"].startswith("This needs the header Authorization")
    # Where no key is set the empty one opens nothing.
    for header in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {KEY}"}):
        answer = site.client.get(path, params={"filter": EVERYBODY}, headers=header)
        assert answer.status_code == 403
        assert "api_key_file" in answer.json()["error"]["sentence"]


def test_a_filter_is_counted_as_on_the_command_line(site: Site) -> None:
    for number in range(3):
        site.put(f"reader{number}@reader.example")
    site.put("reader0@reader.example", "paused", "kitchen")
    answer = ask(site, WAYS[1], filter="newsletter in (weekly,kitchen)")
    assert answer.json() == {
        "filter": EVERYBODY,
        "readers": 3,
        "subscriptions": [
            {"newsletter": "kitchen", "state": "paused", "subscriptions": 1},
            {"newsletter": "weekly", "state": "active", "subscriptions": 3},
        ],
    }


def test_all_readers_come_by_pages_with_all_that_they_have(site: Site) -> None:
    everybody = [f"reader{number:04}@reader.example" for number in range(620)]
    for number, address in enumerate(everybody):
        site.put(address)
        if number % 3 == 0:
            site.put(address, newsletter="kitchen")
    seen: list[dict[str, Any]] = []
    after, pages = "", 0
    while True:
        page = ask(site, WAYS[0], filter=EVERYBODY, after=after).json()
        seen += page["readers"]
        pages += 1
        after = page["next"]
        if after is None:
            break
    assert pages == 2
    assert [one["address"] for one in seen] == everybody
    assert [len(one["subscriptions"]) for one in seen] == [1 + (n % 3 == 0) for n in range(620)]
    consent = seen[0]["subscriptions"][0]
    assert (consent["how"], consent["wording"]) == ("import", "Paper slips of 2019")


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ({}, "filter", "is missing"),
        ({"filter": "colour = red"}, "filter", "colour"),
        ({"filter": "language ="}, "filter", "character"),
        ({"filter": "x" * 2001}, "filter", "2000"),
        ({"filter": EVERYBODY, "after": "nobody"}, None, "begin anew"),
    ],
)
def test_what_can_not_be_answered_is_told_in_a_sentence(
    site: Site, query: dict[str, str], field: str | None, sentence: str
) -> None:
    answer = ask(site, WAYS[0], **query)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert sentence in error["sentence"]
    assert error["field"] == field


def test_a_broken_filter_is_told_in_the_language_asked_for(site: Site) -> None:
    error = ask(site, WAYS[1], language="hy", filter="colour = red").json()["error"]
    assert error["sentence"].startswith("Զտիչ, 1-րդ նիշ. «colour» դաշտ չկա, կան՝ newsletter")
