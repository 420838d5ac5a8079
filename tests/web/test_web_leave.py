from datetime import timedelta

import pytest

from newsletter.tokens import Purpose
from tests.web.site import Site

LILIT = "lilit@reader.example"
ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = (
    b'--cut\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    b"One-Click\r\n--cut--\r\n"
)
BODIES = {
    "urlencoded": (ONE_CLICK.encode(), "application/x-www-form-urlencoded"),
    "multipart": (MULTIPART, "multipart/form-data; boundary=cut"),
    "multipart without boundary": (MULTIPART, "multipart/form-data"),
    "multipart broken": (b"--cut\r\nContent-", "multipart/form-data; boundary=other"),
    "empty": (b"", ""),
    "text": (ONE_CLICK.encode(), "text/plain"),
    "bytes": (bytes(range(256)), "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize("body", BODIES)
def test_one_click_takes_the_reader_off_the_list(site: Site, body: str) -> None:
    path = site.unsubscribe_path(site.put(LILIT))
    content, content_type = BODIES[body]
    headers = {"content-type": content_type} if content_type else {}
    for user_agent in ("", "Mail/1.0", "x" * 2000):
        answer = site.client.post(
            path, content=content, headers={**headers, "user-agent": user_agent}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert "set-cookie" not in answer.headers
        assert "location" not in answer.headers
        assert "reader.example" not in answer.text
    assert site.state(LILIT) == "unsubscribed"
    with site.database.read() as tx:
        subscriber = tx.subscribers.find(LILIT)
        assert subscriber is not None
        changes = tx.changes.of("subscription", subscriber.public_id)
    assert [change.act for change in changes] == ["active", "unsubscribed"]
    assert changes[-1].detail["reason"] == "one-click"


@pytest.mark.parametrize("size", [40_000, 3_000_000])
@pytest.mark.parametrize("told", [True, False])
def test_one_click_with_a_body_of_any_size_takes_the_reader_off(
    site: Site, size: int, told: bool
) -> None:
    path = site.unsubscribe_path(site.put(LILIT))
    content = f"{ONE_CLICK}&padding={'x' * size}".encode()
    answer = site.client.post(
        path,
        content=content if told else iter([content[:1000], content[1000:]]),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status_code, answer.text) == (200, "You are unsubscribed.\n")
    assert site.state(LILIT) == "unsubscribed"


def test_one_click_is_not_sent_on_where_a_slash_ends_the_address(site: Site) -> None:
    path = site.unsubscribe_path(site.put(LILIT)) + "/"
    assert "Leave the list?" in site.client.get(path).text
    assert site.state(LILIT) == "active"
    answer = site.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert site.state(LILIT) == "unsubscribed"
    goodbye = site.client.get(path).text
    site.client.post(path, data={"undo": undo_in(goodbye)})
    assert site.state(LILIT) == "active"


def test_one_click_works_for_years_and_for_who_is_gone(site: Site) -> None:
    lilit, ani = site.put(LILIT), site.put("ani@reader.example")
    paths = [site.unsubscribe_path(lilit), site.unsubscribe_path(ani)]
    site.clock.instant += timedelta(days=5 * 365)
    with site.database.write() as tx:
        tx.subscribers.forget(ani.public_id, site.clock.now(), "test")
    for path in paths:
        assert site.client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert "You are off the list" in site.client.get(path).text
    assert site.state(LILIT) == "unsubscribed"


def test_one_newsletter_is_left_and_the_other_stays(site: Site) -> None:
    lilit = site.put(LILIT)
    site.put(LILIT, newsletter="kitchen")
    site.client.post(site.unsubscribe_path(lilit, "kitchen"))
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "unsubscribed")


def test_a_link_that_is_not_ours_does_nothing_and_tells_nothing(site: Site) -> None:
    lilit = site.put(LILIT)
    path = site.unsubscribe_path(lilit)
    token = path.removeprefix("/unsubscribe/")
    last = "a" if token[-1] != "a" else "b"
    damaged = [
        *(token[:-1], token[:-1] + last, token[:40], token + "a", token.upper(), "a", "a.b", "."),
        *("%00", "x" * 3000, "ա.բ", token.replace("a.", "z.", 1)),
        site.keyring.sign(Purpose.PREFERENCES, lilit.public_id),
        site.keyring.sign(Purpose.CONFIRM, lilit.public_id, token.split(".")[2]),
        site.keyring.sign(Purpose.PREVIEW, lilit.public_id),
    ]
    before = site.dump()
    answers = set()
    for bad in damaged:
        for page in ("unsubscribe", "confirm", "preferences", "desk/preview"):
            if page == "preferences" and bad == damaged[-3]:
                continue
            if page == "confirm" and bad == damaged[-2]:
                continue
            got = site.client.get(f"/{page}/{bad}")
            assert got.status_code == 404, (page, bad)
            answers.add(got.text)
            if page != "desk/preview":
                posted = site.client.post(f"/{page}/{bad}", data={"from": "page"})
                assert posted.status_code == 404, (page, bad)
                answers.add(posted.text)
    assert len(answers) == 1
    assert site.dump() == before


def test_leaving_by_the_page_can_be_undone_for_thirty_days(site: Site) -> None:
    path = site.unsubscribe_path(site.put(LILIT))
    page = site.client.get(path).text
    assert "l…@reader.example" in page
    assert LILIT not in page
    goodbye = site.client.post(path, data={"from": "page"}).text
    assert "You are off the list" in goodbye
    assert site.state(LILIT) == "unsubscribed"
    undo = undo_in(goodbye)

    assert "You are back on the list" in site.client.post(path, data={"undo": undo}).text
    assert site.state(LILIT) == "active"

    site.client.post(path)
    site.clock.instant += timedelta(days=29)
    assert "Put me back" in site.client.get(path).text
    site.clock.instant += timedelta(days=2)
    assert "Put me back" not in site.client.get(path).text
    assert site.client.post(path, data={"undo": undo}).status_code == 404
    assert site.state(LILIT) == "unsubscribed"


def undo_in(page: str) -> str:
    return page.split('name="undo" value="')[1].split('"')[0]


def test_a_goodbye_to_what_was_never_confirmed_has_no_way_back(site: Site) -> None:
    site.sign_up(LILIT)
    subscription = site.subscription(LILIT)
    assert subscription is not None
    assert subscription.state == "pending"
    path = site.unsubscribe_path(subscription.subscriber)
    ids = path.split(".")[2:4]
    undo = site.keyring.sign_until(Purpose.UNDO, site.clock.now() + timedelta(days=30), *ids)

    goodbye = site.client.post(path, data={"from": "page"}).text
    assert "Put me back" not in goodbye
    assert "Sign up again" in goodbye
    assert "Would you tell us why?" in goodbye
    assert site.client.post(path, data={"undo": undo}).status_code == 404
    assert site.state(LILIT) == "unsubscribed"

    # Nor by asking anew with their address.
    site.clock.instant += timedelta(days=2)
    site.sign_up(LILIT)
    assert site.client.post(path, data={"undo": undo}).status_code == 404
    assert site.state(LILIT) == "unsubscribed"


def test_the_undo_of_a_paused_reader_leads_back_into_the_pause(site: Site) -> None:
    lilit = site.put(LILIT)
    site.choose(
        site.preferences_path(lilit),
        {"newsletter": "weekly", "pause": "weekly", "pause_until": "2025-10-01"},
    )
    before = site.subscription(LILIT)
    path = site.unsubscribe_path(lilit)
    undo = undo_in(site.client.post(path, data={"from": "page"}).text)
    for _ in range(2):
        back = site.client.post(path, data={"undo": undo}).text
        assert "You are back on the list" in back
        assert "the pause of the mails to" in back
    after = site.subscription(LILIT)
    assert before is not None
    assert after is not None
    assert (after.state, after.paused_until) == ("paused", before.paused_until)
    assert after.paused_until is not None


def test_an_unsubscribe_link_is_no_undo(site: Site) -> None:
    path = site.unsubscribe_path(site.put(LILIT, "unsubscribed"))
    token = path.removeprefix("/unsubscribe/")
    assert site.client.post(path, data={"undo": token}).status_code == 404
    assert site.state(LILIT) == "unsubscribed"


def test_preferences_switch_off_at_once_and_on_by_confirmation(site: Site) -> None:
    lilit = site.put(LILIT)
    path = site.preferences_path(lilit)
    page = site.client.get(path).text
    assert 'value="weekly" checked' in page
    assert 'value="kitchen" checked' not in page
    assert LILIT not in page

    saved = site.choose(path, {"newsletter": ["weekly", "kitchen"]}).text
    assert "Saved." in saved
    assert "waits for your confirmation" in saved
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "pending")
    assert [delivery.address for delivery, _ in site.outgoing()] == [LILIT]

    site.choose(path, {"newsletter": []})
    assert site.state(LILIT) == "unsubscribed"
    saved = site.choose(path, {"newsletter": ["weekly"]}).text
    assert "What you switched on waits for your confirmation" in saved
    assert site.state(LILIT) == "unsubscribed"


def test_preferences_pause_without_leaving(site: Site) -> None:
    lilit = site.put(LILIT)
    site.put(LILIT, newsletter="kitchen")
    path = site.preferences_path(lilit)
    # Where the mails lead to.
    assert 'id="pause"' in site.client.get(path).text
    both = ["weekly", "kitchen"]
    page = site.choose(path, {"newsletter": both, "pause": ["weekly"]}).text
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("paused", "active")
    assert "waits for your confirmation" not in page
    assert 'value="weekly" checked' not in page
    assert site.outgoing() == []
    # Who asks for a pause wants no goodbye.
    site.choose(path, {"newsletter": [], "pause": ["kitchen"]})
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("paused", "paused")


def test_preferences_resume_a_pause_and_leave_all(site: Site) -> None:
    lilit = site.put(LILIT, "paused")
    site.put(LILIT, newsletter="kitchen")
    path = site.preferences_path(lilit)
    assert "paused" in site.client.get(path).text
    site.choose(path, {"newsletter": ["kitchen"]})
    assert site.state(LILIT) == "paused"
    site.choose(path, {"newsletter": ["weekly", "kitchen"]})
    assert site.state(LILIT) == "active"
    site.choose(path, {"newsletter": ["weekly", "kitchen"], "none": "1"})
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("unsubscribed", "unsubscribed")


def test_preferences_of_who_was_forgotten_are_gone(site: Site) -> None:
    lilit = site.put(LILIT)
    with site.database.write() as tx:
        tx.subscribers.forget(lilit.public_id, site.clock.now(), "test")
    path = site.preferences_path(lilit)
    assert site.client.get(path).status_code == 404
    assert site.choose(path, {"newsletter": ["weekly"]}).status_code == 404
