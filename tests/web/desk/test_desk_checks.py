"""What the checks say of an issue beside it: each line with the way to what it is about."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.publication.editors import Role
from tests.web.desk.people import Person, somebody
from tests.web.desk.send_shop import PATH, open_send_shop, stored
from tests.web.site import Site

MARK = "Dear {{ name }}"


@pytest.fixture
def nare(site: Site) -> Person:
    return somebody(open_send_shop(site), Role.EDITOR)


def save(person: Person, act: str, **fields: str) -> None:
    version = str(stored(person.site).version)
    assert person.post(PATH, {"act": act, "version": version, **fields}).status_code == 303


def checks(person: Person) -> LexborHTMLParser:
    return LexborHTMLParser(person.get_made(f"{PATH}/checks").text)


def test_checks_lead_to_what_they_are_about(nare: Person) -> None:
    save(nare, "lines", subject="x" * 120)
    links = [link.attributes["href"] for link in checks(nare).css(".checks a")]
    assert f"{PATH}#subject" in links


def test_the_page_has_a_heading_and_its_size_is_that_of_the_finding(nare: Person) -> None:
    page = checks(nare)
    assert [node.text() for node in page.css("h1")] == ["Look the issue over"]
    size = page.css_first('label[for="size"]')
    assert size is not None
    assert size.text().endswith(" KB of 100 KB, encoded for its way")


def test_a_place_left_unfilled_leads_to_its_field(nare: Person) -> None:
    page = LexborHTMLParser(nare.get(PATH).text)
    for act, field, others, place in (
        ("lines", "subject", {}, "#subject"),
        ("lines", "preheader", {}, "#preheader"),
        ("lines", "note", {}, "#note"),
        ("block", "text", {"kind": "quote"}, "#block-text"),
        ("retitle", "text", {"section": "latest"}, "#text-latest"),
    ):
        save(nare, act, **{field: MARK}, **others)
        stops = checks(nare).css(".checks .stop")
        assert stops, place
        for line in stops:
            link = line.css_first("a")
            assert link is not None, line.text()
            assert link.attributes["href"] == f"{PATH}{place}"
        assert page.css_first(place) is not None
        save(nare, act, **{field: "Put right"}, **others)
