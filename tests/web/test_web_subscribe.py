import re
from datetime import timedelta

import pytest

from newsletter.subscribers.model import SuppressionReason
from tests.web.site import BASE_URL, Site, stamp_in

LILIT = "lilit@reader.example"


def confirm_path(site: Site) -> str:
    ((_, mailing),) = site.outgoing()
    found = re.search(rf"{re.escape(BASE_URL)}(/confirm/\S+)", mailing.text)
    assert found is not None
    assert f'href="{BASE_URL}{found[1]}"' in mailing.html
    return found[1]


def test_a_reader_signs_up_confirms_and_is_on_the_list(site: Site) -> None:
    page = site.client.get("/subscribe/weekly")
    assert page.status_code == 200
    wording = "Send me The Courier Weekly by e-mail. I can leave at any time, with one click."
    assert wording in page.text
    assert "Every Friday" in page.text

    answer = site.sign_up(" Lilit@Reader.example ", placement="footer")
    assert "Now check your inbox" in answer
    assert site.state(LILIT) == "pending"

    path = confirm_path(site)
    asked = site.client.get(path)
    assert asked.status_code == 200
    assert "l…@reader.example" in asked.text
    assert LILIT not in asked.text
    assert site.state(LILIT) == "pending"

    welcome = site.client.post(path)
    assert "You are on the list" in welcome.text
    assert "Friday, August 8" in welcome.text
    subscription = site.subscription(LILIT)
    assert subscription is not None
    assert subscription.state == "active"
    consent = subscription.consent
    assert (consent.how, consent.wording, consent.placement) == ("form", wording, "footer")
    with site.database.read() as tx:
        assert tx.subscribers.audience_size("weekly") == 1


def test_confirming_twice_or_later_again_changes_nothing(site: Site) -> None:
    site.sign_up(LILIT)
    path = confirm_path(site)
    site.client.post(path)
    before = site.dump()
    assert "You are on the list" in site.client.post(path).text
    assert "You are on the list" in site.client.get(path).text
    assert site.dump() == before


def test_a_link_of_eight_days_ago_says_so_and_confirms_nobody(site: Site) -> None:
    site.sign_up(LILIT)
    path = confirm_path(site)
    site.clock.instant += timedelta(days=8)
    for answer in (site.client.get(path), site.client.post(path)):
        assert answer.status_code == 410
        assert "This link has expired" in answer.text
        assert "/subscribe/weekly" in answer.text
        assert "/preferences/" not in answer.text
    assert site.state(LILIT) == "pending"


def test_an_old_confirmation_does_not_bring_back_who_left(site: Site) -> None:
    site.sign_up(LILIT)
    path = confirm_path(site)
    site.client.post(path)
    subscription = site.subscription(LILIT)
    assert subscription is not None
    site.client.post(site.unsubscribe_path(subscription.subscriber))
    answer = site.client.post(path)
    assert answer.status_code == 410
    assert "no longer confirms anything" in answer.text
    assert site.state(LILIT) == "unsubscribed"


def test_the_answer_tells_nobody_who_is_on_the_list(site: Site) -> None:
    for state in ("pending", "active", "paused", "unsubscribed"):
        site.put(f"{state}@reader.example", state)
    for reason in SuppressionReason:
        with site.database.write() as tx:
            address_hash = site.keyring.hash_address(f"{reason}@reader.example")
            tx.subscribers.suppress(address_hash, reason, site.clock.now(), "test")
    people = [
        *("unknown", "pending", "active", "paused", "unsubscribed"),
        *(str(reason) for reason in SuppressionReason),
    ]
    answers = {site.sign_up(f"{person}@reader.example") for person in people}
    trapped = site.sign_up("robot@reader.example", website="https://spam.example")
    assert len({*answers, trapped}) == 1
    assert {delivery.address for delivery, _ in site.outgoing()} == {
        f"{person}@reader.example"
        for person in ("unknown", "pending", "paused", "unsubscribed", "bounced", "forgotten")
    }
    assert site.state("robot@reader.example") == "unknown"
    assert site.state("active@reader.example") == "active"
    assert site.state("complaint@reader.example") == "unknown"


@pytest.mark.parametrize(
    "address", ["a@@b", "", "lilit", "lilit@reader.example\r\nBcc: x@y.example"]
)
def test_a_wrong_address_is_told_at_the_field(site: Site, address: str) -> None:
    before = site.dump()
    stamp = stamp_in(site.client.get("/subscribe/weekly").text)
    site.clock.sleep(5)
    answer = site.client.post("/subscribe/weekly", data={"address": address, "stamp": stamp})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'aria-describedby="problem consent"' in answer.text
    problem = re.search(r'id="problem">([^<]+)<', answer.text)
    assert problem is not None
    assert "e-mail address" in problem[1]
    assert site.dump() == before


@pytest.mark.parametrize(
    "name", ["Lilit\r\nBcc: all@reader.example", "Lilit\0", "Lilit\u2028X", "L" * 500, "\u202eX"]
)
def test_no_name_can_begin_a_header(site: Site, name: str) -> None:
    before = site.dump()
    answer = site.sign_up(LILIT, name=name)
    assert "The name " in answer
    assert site.dump() == before


def test_what_a_visitor_typed_is_never_markup(site: Site) -> None:
    answer = site.sign_up('"><script>alert(1)</script>@x')
    assert "<script>" not in answer
    assert "&lt;script&gt;" in answer


def test_a_form_from_elsewhere_needs_one_more_press(site: Site) -> None:
    before = site.dump()
    stamps = {
        "missing": {},
        "forged": {"stamp": "a.weekly.1754391600." + "a" * 32},
        "of another form": {"stamp": stamp_in(site.client.get("/subscribe/kitchen").text)},
        "too young": {"stamp": stamp_in(site.client.get("/subscribe/weekly").text)},
    }
    for which, stamp in stamps.items():
        answer = site.client.post("/subscribe/weekly", data={"address": LILIT, **stamp})
        assert answer.status_code == 200, which
        assert "press the button once more" in answer.text, which
        assert f'value="{LILIT}"' in answer.text, which
    old = stamp_in(site.client.get("/subscribe/weekly").text)
    site.clock.instant += timedelta(hours=25)
    answer = site.client.post("/subscribe/weekly", data={"address": LILIT, "stamp": old})
    assert "press the button once more" in answer.text
    assert site.dump() == before
    site.clock.sleep(3)
    answer = site.client.post(
        "/subscribe/weekly", data={"address": LILIT, "stamp": stamp_in(answer.text)}
    )
    assert "Now check your inbox" in answer.text


def test_one_network_posts_only_so_often_a_minute(site: Site) -> None:
    stamp = stamp_in(site.client.get("/subscribe/weekly").text)
    site.clock.sleep(5)
    statuses = [
        site.client.post(
            "/subscribe/weekly", data={"address": f"r{n}@reader.example", "stamp": stamp}
        ).status_code
        for n in range(25)
    ]
    assert statuses == [200] * 20 + [429] * 5
    refused = site.client.post("/subscribe/weekly", data={})
    assert refused.headers["retry-after"] == "60"
    assert "came from your network just now" in refused.text
    assert site.client.get("/subscribe/weekly").status_code == 200
    site.clock.sleep(61)
    assert len(site.outgoing()) == 20
    assert site.client.post("/subscribe/weekly", data={}).status_code == 200


def test_a_second_newsletter_is_confirmed_by_the_same_press(site: Site) -> None:
    site.sign_up(LILIT)
    site.sign_up(LILIT, "kitchen")
    path = confirm_path(site)
    page = site.client.get(path).text
    assert "From the Kitchen" in page
    site.client.post(path, data={"also": ["kitchen", "no-such"]})
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "active")
    kitchen = site.subscription(LILIT, "kitchen")
    assert kitchen is not None
    assert kitchen.consent.wording == "Yes, recipes please, once a month."


def test_a_newsletter_that_is_not_there(site: Site) -> None:
    for answer in (site.client.get("/subscribe/daily"), site.client.post("/subscribe/daily")):
        assert answer.status_code == 404
        assert "There is nothing at this address" in answer.text
