"""How long an answer takes tells nobody whether an address is known: each waits for its pace."""

import asyncio
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from newsletter.web.app import create_app
from tests.web.desk.people import FROM_US
from tests.web.site import BASE_URL, Site, stamp_in

LILIT = "lilit@reader.example"
# Longer than any work of ours, so that what is left to wait is nearly all of it.
STEADY = 600.0


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/subscribe/weekly", "/subscribe/weekly"),
        ("/subscribe/weekly/frame", "/subscribe/weekly/frame"),
        ("/api/v1/subscriptions", ""),
        ("/desk/sign-in", ""),
    ],
)
@pytest.mark.parametrize("address", [LILIT, "unknown@reader.example"])
def test_an_answer_about_an_address_keeps_its_pace(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str, page: str, address: str
) -> None:
    site.put(LILIT)
    waited = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    app = create_app(replace(site.context, steady_seconds=STEADY))
    client = TestClient(app, BASE_URL)
    fields = {"address": address}
    if page:
        fields["stamp"] = stamp_in(client.get(page).text)
        site.clock.sleep(8)
    if path.startswith("/api"):
        answer = client.post(path, json={**fields, "newsletter": "weekly"})
    else:
        answer = client.post(path, data=fields, headers=FROM_US)
    assert answer.status_code in (200, 202, 303)
    # A page that follows waits for nothing.
    (seconds,) = [one for one in waited if one]
    assert STEADY - 60 < seconds <= STEADY
