"""Floods of sign-ups, as they meet the door: by the form, by the API, from many networks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from newsletter.publication.model import Settings
from newsletter.subscribers.model import SubscriptionState
from newsletter.workflows.installation import Installation
from newsletter.workflows.watch_sign_ups import tidy_sign_ups, watch_sign_ups
from tests.web.site import SETTINGS, Site, make_blank, open_site, stamp_in
from tests.web.test_web_api import ask, error_of, solve

RULES = {
    "network_hourly": 6,
    "domain_hourly": 8,
    "hourly": 25,
    "attack_after": 15,
    "slow_lane": 30,
}


def settings_with(**rules: Any) -> Settings:
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["publication"]["editors"] = ["desk@paper.example"]
    return Settings.model_validate(document | {"sign_up": RULES | rules})


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    settings = settings_with(**getattr(request, "param", {}))
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as opened:
        yield opened


def from_network(site: Site, number: int) -> TestClient:
    """A client whose address lies in a network of its own."""
    return TestClient(
        site.client.app,
        base_url="https://news.paper.example",
        client=(f"127.{number // 250}.{number % 250}.9", 40_000),
        raise_server_exceptions=False,
    )


def post(site: Site, network: int, address: str) -> int:
    """Post the form as a program without script does; the status."""
    client = from_network(site, network)
    stamp = stamp_in(client.get("/subscribe/weekly").text)
    site.clock.sleep(2)
    answer = client.post("/subscribe/weekly", data={"address": address, "stamp": stamp})
    return answer.status_code


def test_a_network_has_a_quota_by_the_hour(site: Site) -> None:
    statuses = [post(site, 1, f"r{n}@d{n}.example") for n in range(8)]
    assert statuses == [200] * 6 + [429] * 2
    assert ask(site, "other@reader.example").status_code == 202  # from elsewhere
    client = from_network(site, 1)
    body = {"newsletter": "weekly", "address": "one@reader.example"}
    refused = client.post("/api/v1/subscriptions", json=body)
    assert (refused.status_code, error_of(refused)["code"]) == (429, "network_busy")
    assert int(refused.headers["retry-after"]) > 0
    site.clock.instant += timedelta(hours=1)
    assert post(site, 1, "later@reader.example") == 200


def test_a_domain_has_a_quota_whoever_is_on_the_list(site: Site) -> None:
    site.put("known@reader.example")
    statuses = [post(site, n, f"r{n}@reader.example") for n in range(8)]
    assert statuses == [200] * 8
    answers = [ask(site, f"{who}@reader.example") for who in ("known", "unknown")]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert answers[0].json() == answers[1].json()
    assert post(site, 9, "somebody@elsewhere.example") == 200


def test_all_together_have_a_quota(site: Site) -> None:
    statuses = [post(site, n, f"r{n}@d{n}.example") for n in range(27)]
    assert statuses == [200] * 25 + [429] * 2


def flood(site: Site) -> None:
    for n in range(16):
        assert post(site, n, f"r{n}@d{n}.example") == 200


def sent(site: Site) -> set[str | None]:
    return {delivery.address for delivery, _ in site.outgoing()}


def test_an_attack_switches_the_doors_over_and_ends_by_itself(site: Site) -> None:
    easy = solve(site)
    flood(site)
    sent(site)
    # A program must bring a proof now; a page without script takes the slowest lane.
    refused = ask(site, "program@reader.example")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "proof_needed")
    assert site.state("program@reader.example") == "unknown"
    assert ask(site, "first@reader.example", proof=easy).status_code == 202
    assert ask(site, "second@reader.example", proof=solve(site)).status_code == 202
    assert post(site, 30, "person@reader.example") == 200
    before = sent(site)
    assert "first@reader.example" in before
    assert "person@reader.example" not in before
    site.clock.sleep(300)
    assert {"second@reader.example", "person@reader.example"} <= before | sent(site)

    site.clock.instant += timedelta(minutes=31)
    assert ask(site, "program@reader.example").status_code == 202


def test_confirmations_in_the_slow_lane_wait_behind_other_system_mail(site: Site) -> None:
    flood(site)
    site.clock.sleep(1000)  # all of them are due
    watch_sign_ups(installation_of(site))
    order = [delivery.address for delivery, _ in site.outgoing()]
    assert order[0] == "desk@paper.example"
    assert len(order) > 10


def notices(site: Site) -> list[str]:
    return [m.subject for d, m in site.outgoing() if d.address == "desk@paper.example"]


def installation_of(site: Site) -> Installation:
    context = site.context
    return Installation(
        database=site.database,
        keyring=site.keyring,
        clock=site.clock,
        fetcher=None,  # type: ignore[arg-type]
        templates=site.templates,
        base_url=context.base_url,
        data_dir=site.path.parent,
        relays=(),
    )


def test_editors_are_told_once_of_its_begin_and_its_end(site: Site) -> None:
    house = installation_of(site)
    watch_sign_ups(house)
    assert notices(site) == []
    flood(site)
    for _ in range(3):
        watch_sign_ups(house)
    assert notices(site) == ["Many sign-ups at once: we take it for an attack"]
    site.clock.instant += timedelta(minutes=40)
    for _ in range(3):
        watch_sign_ups(house)
    assert notices(site) == ["The attack on the sign-up is over"]
    for n in range(16):
        post(site, n, f"s{n}@e{n}.example")
    watch_sign_ups(house)
    assert notices(site) == ["Many sign-ups at once: we take it for an attack"]


def test_old_counts_and_proofs_are_dropped(site: Site) -> None:
    ask(site, proof=solve(site))
    tidy_sign_ups(installation_of(site))
    kept = [line for line in site.dump() if "INSERT" in line]
    assert any("spent_proof" in line for line in kept)
    site.clock.instant += timedelta(hours=4)
    tidy_sign_ups(installation_of(site))
    left = [line for line in site.dump() if "INSERT" in line]
    assert not any("spent_proof" in line or "sign_up_count" in line for line in left)


@pytest.mark.parametrize("site", [{"slow_lane": 1, "attack_after": 0, "hourly": 0}], indirect=True)
def test_a_lane_that_is_full_tells_everybody_to_come_back(site: Site) -> None:
    site.put("known@reader.example")
    statuses = [post(site, n, f"r{n}@d{n}.example") for n in range(70)]
    # A place a minute, and the clock goes on by two seconds a sign-up.
    assert statuses.index(429) in range(60, 66)
    answers = [ask(site, f"{who}@reader.example") for who in ("known", "unknown")]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert answers[0].json() == answers[1].json()
    assert ask(site, "proven@reader.example", proof=solve(site)).status_code == 202


def test_variants_of_an_address_share_its_confirmations(site: Site) -> None:
    for n, address in enumerate(("lilit@x.example", "li.lit@x.example", "lilit+a@x.example")):
        assert post(site, n, address) == 200
        site.clock.sleep(60)
    assert sent(site) == {"lilit@x.example"}
    # They are readers of their own all the same.
    assert site.state("li.lit@x.example") == SubscriptionState.PENDING


@pytest.mark.parametrize("site", [{"role_accounts": "refuse"}], indirect=True)
def test_offices_are_refused_where_the_paper_wants_that(site: Site) -> None:
    answer = ask(site, "info@reader.example")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "role_account")
    assert ask(site, "anna@reader.example").status_code == 202
