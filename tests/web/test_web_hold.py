"""/healthz tells of a hold, and stays well: readers must be able to leave."""

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.clone_guard import adopt, assert_may_send
from tests.web.site import BASE_URL
from tests.workflows.test_clone_guard import House


def test_health_tells_why_sending_is_held(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    with house.open() as installation:
        context = replace(WebContext.of(installation), base_url=BASE_URL)
        client = TestClient(create_app(context), base_url=BASE_URL)
        assert client.get("/healthz").json() == {"status": "ok"}
        assert_may_send(installation)
        with installation.database.write() as tx:
            assert tx.identity.hold("it may be a copy", installation.clock.now())
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "sending": "held", "reason": "it may be a copy"}
        adopt(installation, actor="test")
        assert client.get("/healthz").json() == {"status": "ok"}
