"""An issue as one subscriber gets it, looked up by address at the desk."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.publication.editors import Role
from newsletter.subscribers.model import Consent, Subscriber, SubscriptionState, SuppressionReason
from tests.web.desk.people import Person, somebody
from tests.web.desk.send_shop import ACCEPTED, PATH, answer, begin, open_send_shop, stored
from tests.web.site import NOW, Site

ANI, ARAM = "ani@reader.example", "aram@reader.example"


@pytest.fixture
def shop(site: Site) -> Site:
    open_send_shop(site, languages=["en", "hy"], departments=["Arts", "Community", "Opinion"])
    put(site, "ani", ANI)
    put(site, "aram", ARAM, language="hy")
    return site


def put(
    site: Site, name: str, address: str, language: str | None = None, state: str = "active"
) -> None:
    with site.database.write() as tx:
        tx.subscribers.add(
            Subscriber(name, address, NOW, name.title(), language),
            site.keyring.hash_address(address),
        )
        consent = Consent("import", "Paper slips", NOW)
        tx.subscribers.subscribe(name, "weekly", SubscriptionState(state), consent, NOW, "test")


def look_up(person: Person, address: str) -> str:
    """The path of the page that the form on the issue's page leads to."""
    page = LexborHTMLParser(person.get(PATH).text)
    form = page.css_first(".reader-search")
    assert form is not None
    answer = person.post(form.attributes["action"] or "", {"address": address})
    assert answer.status_code == 303, answer.text
    assert address not in answer.headers["location"]
    return answer.headers["location"]


def words_of_page(person: Person, path: str) -> str:
    answer = person.get(path)
    assert answer.status_code == 200
    body = LexborHTMLParser(answer.text).body
    return " ".join(body.text(separator=" ").split()) if body else ""


def framed(person: Person, path: str, view: str = "desktop") -> str:
    """The mail that the page's frame shows; the frame lets no script run."""
    page = LexborHTMLParser(person.get(f"{path}?view={view}").text)
    frame = page.css_first("iframe")
    assert frame is not None
    assert "allow-scripts" not in (frame.attributes["sandbox"] or "")
    answer = person.get(frame.attributes["src"] or "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def test_each_reader_s_own_variant_is_shown(shop: Site) -> None:
    person = somebody(shop, Role.PUBLISHER)
    ani, aram = look_up(person, f" {ANI.upper()} "), look_up(person, ARAM)
    assert "It goes to this reader." in words_of_page(person, ani)
    assert 'lang="en"' in framed(person, ani)
    assert 'lang="hy"' in framed(person, aram)[:400]
    assert "Variant hy" in words_of_page(person, aram)
    assert stored(shop).sections[0].items[0].headline in framed(person, ani, "text")


def test_departments_count_too(shop: Site) -> None:
    departments = sorted({item.department for item in stored(shop).items if item.department})
    chosen = tuple(departments[:2])
    with shop.database.write() as tx:
        tx.subscribers.choose_departments("ani", "weekly", chosen, NOW, "reader")
    person = somebody(shop, Role.PUBLISHER)
    page = look_up(person, ANI)
    assert f"Variant en: {', '.join(chosen)}" in words_of_page(person, page)
    left_out = [item for item in stored(shop).items if item.department not in chosen]
    mail = framed(person, page)
    assert left_out
    assert all(item.url not in mail for item in left_out)


def test_no_link_of_the_mail_is_the_reader_s(shop: Site) -> None:
    person = somebody(shop, Role.PUBLISHER)
    before = shop.state(ANI)
    page = LexborHTMLParser(framed(person, look_up(person, ANI)))
    links = [node.attributes.get("href") or "" for node in page.css("a")]
    own = [link for link in links if "/unsubscribe/" in link or "/preferences/" in link]
    assert own
    for link in own:
        path = link.removeprefix(shop.context.base_url)
        assert shop.client.get(path).status_code == 404
        assert shop.client.post(path).status_code == 404
    assert shop.state(ANI) == before


@pytest.mark.parametrize(
    ("address", "state", "suppressed", "told"),
    [
        ("none@reader.example", "", False, "is not on The Courier Weekly"),
        ("left@reader.example", "unsubscribed", False, "as follows: left"),
        ("never@reader.example", "active", True, "may not be mailed (bounced)"),
    ],
)
def test_it_is_said_where_nothing_comes(
    shop: Site, address: str, state: str, suppressed: bool, told: str
) -> None:
    if state:
        put(shop, "one", address, state=state)
    else:
        shop.put(address, newsletter="kitchen")
    if suppressed:
        with shop.database.write() as tx:
            tx.subscribers.suppress(
                shop.keyring.hash_address(address), SuppressionReason.BOUNCED, NOW, "test"
            )
    person = somebody(shop, Role.PUBLISHER)
    assert told in words_of_page(person, look_up(person, address))


def test_what_was_sent_is_shown_as_it_went(shop: Site) -> None:
    begin(shop)
    answer(shop, ACCEPTED, ACCEPTED)
    with shop.database.write() as tx:
        # What the reader chose since changes nothing of what they got.
        tx.preferences.choose_language("aram", "en", NOW, "reader")
    person = somebody(shop, Role.PUBLISHER)
    page = look_up(person, ARAM)
    assert "it stands so: accepted." in words_of_page(person, page)
    assert 'lang="hy"' in framed(person, page)[:400]
    put(shop, "late", "late@reader.example")
    assert "It was not sent to this reader" in words_of_page(
        person, look_up(person, "late@reader.example")
    )


def test_who_is_nobody_is_told(shop: Site) -> None:
    person = somebody(shop, Role.PUBLISHER)
    answer = person.post(f"{PATH}/readers", {"address": "nobody@reader.example"})
    assert "We hold no reader of this address." in answer.text
    answer = person.post(f"{PATH}/readers", {"address": "no address"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert person.get(f"{PATH}/readers/gone").status_code == 404


def test_who_may_see_no_addresses_is_told_no(shop: Site) -> None:
    editor = somebody(shop, Role.EDITOR)
    page = editor.get(PATH).text
    assert "reader-search" not in page
    assert "looked up by publishers" in page
    answer = editor.post(f"{PATH}/readers", {"address": ANI})
    assert answer.status_code == 403
    assert ANI not in answer.text
    assert editor.get(f"{PATH}/readers/ani/mail").status_code == 403
