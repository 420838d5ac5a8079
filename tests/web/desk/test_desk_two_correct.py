"""Two people at the form that corrects an issue, and what only sent mails still lead to."""

import pytest

from newsletter.issues.model import Item
from newsletter.publication.editors import Role
from newsletter.publication.model import Settings
from tests.web.desk.people import Person, put_editor, sign_in
from tests.web.desk.send_shop import ACCEPTED, ISSUE, PATH, answer, begin, open_send_shop, stored
from tests.web.desk.test_desk_review import read, text_of
from tests.web.site import Site

FORM = f"{PATH}/correct"


@pytest.fixture
def two(site: Site) -> tuple[Person, Person]:
    """Anna and Berta, before an issue that one of four readers has and whose links are ours."""
    shop = open_send_shop(site)
    document = shop.settings.model_dump(mode="json", by_alias=True)
    document["tracking"]["clicks"] = "anonymous"
    Settings.model_validate(document)
    with shop.database.write() as tx:
        tx.settings.append(document, "test", shop.clock.now())
    for number in range(4):
        shop.put(f"reader{number}@mail.example")
    begin(shop)
    answer(shop, ACCEPTED)
    anna, berta = (
        sign_in(shop, put_editor(shop, Role.PUBLISHER, f"{name}@paper.example", name=name.title()))
        for name in ("anna", "berta")
    )
    anna.post(f"{PATH}/pause")
    return anna, berta


def opened(person: Person) -> dict[str, str]:
    """All that the open form would send."""
    return {
        str(field.attributes["name"]): str(field.attributes.get("value") or field.text())
        for field in read(person, FORM).css("main form input[name], main form textarea[name]")
        if field.attributes.get("type") != "checkbox" and field.attributes["name"] != "csrf"
    }


def item(site: Site, number: int) -> Item:
    return stored(site).items[number]


def leads(site: Site, story: str) -> set[str]:
    with site.database.read() as tx:
        return {one.url for one in tx.links.of_issue(ISSUE) if one.story_id == story}


def test_each_keeps_what_the_other_corrected(two: tuple[Person, Person]) -> None:
    anna, berta = two
    forms = opened(anna), opened(berta)
    first, second = (item(anna.site, number).story_id for number in (0, 1))
    assert anna.post(FORM, {**forms[0], f"headline-{first}": "Said rightly"}).status_code == 303
    assert berta.post(FORM, {**forms[1], f"summary-{second}": "Told better"}).status_code == 303
    assert item(anna.site, 0).headline == "Said rightly"
    assert item(anna.site, 1).excerpt == "Told better"


def test_of_the_same_both_are_shown_and_nothing_is_done(two: tuple[Person, Person]) -> None:
    anna, berta = two
    forms = opened(anna), opened(berta)
    first = item(anna.site, 0)
    name = f"headline-{first.story_id}"
    anna.post(FORM, {**forms[0], name: "Anna’s", "subject": "A subject of Anna"})
    clash = berta.post(FORM, {**forms[1], name: "Berta’s"})
    assert clash.status_code == 409
    assert "is “Anna’s”, and you would have “Berta’s”" in clash.text
    assert item(anna.site, 0).headline == "Anna’s"
    # The form has what is now, and what she wrote; sent once more it is hers to decide.
    assert 'value="A subject of Anna"' in clash.text
    assert 'value="Berta’s"' in clash.text
    again = {**opened(berta), name: "Berta’s"}
    assert berta.post(FORM, again).status_code == 303
    assert item(anna.site, 0).headline == "Berta’s"
    assert stored(anna.site).subject == "A subject of Anna"


def test_links_too(two: tuple[Person, Person]) -> None:
    anna, berta = two
    forms = opened(anna), opened(berta)
    first, second = (item(anna.site, number).story_id for number in (0, 1))
    anna.post(FORM, {**forms[0], f"link-{first}": "https://paper.example/new-place"})
    anna_led = leads(anna.site, first)
    berta.post(FORM, {**forms[1], f"link-{second}": "https://paper.example/other"})
    assert leads(anna.site, first) == anna_led
    assert all(one.startswith("https://paper.example/other") for one in leads(anna.site, second))
    clash = berta.post(FORM, {**forms[1], f"link-{first}": "https://paper.example/third"})
    assert clash.status_code == 409
    assert leads(anna.site, first) == anna_led


def test_links_of_a_story_that_is_out_are_taken_back_at_the_desk(
    two: tuple[Person, Person],
) -> None:
    anna, _ = two
    story = item(anna.site, 0).story_id
    anna.post(FORM, {**opened(anna), f"out-{story}": "on"})
    assert story not in {one.story_id for one in stored(anna.site).items}
    page = read(anna, FORM)
    assert page.css_first(f"#withdraw-{story}") is not None
    assert page.css_first(f"#headline-{story}") is None
    assert "out of the mail" in text_of(page)
    done = anna.post(FORM, {**opened(anna), f"withdraw-{story}": "on"})
    assert "done=links" in done.headers["location"]
    with anna.site.database.read() as tx:
        mine = [one for one in tx.links.of_issue(ISSUE) if one.story_id == story]
    assert mine
    assert all(one.withdrawn_at is not None for one in mine)
