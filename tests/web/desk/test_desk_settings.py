"""The settings at the desk: every key has its field, and what is sent is kept, told or refused."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser

from newsletter.publication.editors import Role
from newsletter.publication.model import Settings
from newsletter.publication.settings_document import flatten
from newsletter.storage.changes import Change
from newsletter.web.desk.settings.places import newsletter_parts
from newsletter.words import is_armenian
from tests.publication.test_settings_keys import every_key
from tests.web.desk.people import Person, put_editor, sign_in
from tests.web.desk.settings_shop import (
    GHOST_KEY,
    PASSWORD,
    latest,
    open_settings_shop,
)
from tests.web.site import Site

WEEKLY = "/desk/settings/newsletters/weekly"
# By page the table whose keys its fields are.
PAGES = {
    "/desk/settings/publication": "",
    "/desk/settings/brand": "",
    "/desk/settings/delivery": "",
    "/desk/settings/tracking": "",
    "/desk/settings/sign-up": "",
    WEEKLY: "newsletter.",
    f"{WEEKLY}/schedule": "newsletter.",
    f"{WEEKLY}/waves": "newsletter.",
    f"{WEEKLY}/parts/section/latest": "newsletter.section.",
    f"{WEEKLY}/parts/placement/article": "newsletter.placement.",
    "/desk/settings/sources/source/site": "source.",
    "/desk/settings/sources/reads/log": "reads.",
}
OTHERS = (
    "/desk/settings",
    "/desk/settings/newsletters",
    "/desk/settings/newsletters/_new",
    f"{WEEKLY}/parts/section",
    f"{WEEKLY}/parts/section/_new",
    "/desk/settings/sources",
    "/desk/settings/sources/source/_new",
    "/desk/settings/sources/source/ghost",
    "/desk/settings/relays",
    "/desk/settings/history",
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Site]:
    with open_settings_shop(tmp_path) as site:
        yield site


@pytest.fixture
def anna(shop: Site) -> Person:
    return sign_in(shop, put_editor(shop, Role.ADMIN, "anna@paper.example", name="Anna"))


def form_in(page: str, action: str = "") -> dict[str, str]:
    """The fields of a page's form as a browser sends them, but for the session's token."""
    tree = LexborHTMLParser(page)
    (form,) = [
        node
        for node in tree.css("form")
        if (node.attributes["action"] or "").endswith(action or "@")
        or (not action and "settings" in (node.attributes.get("class") or ""))
    ]
    sent = {}
    for node in form.css("input, select, textarea"):
        name, value = node.attributes.get("name"), node.attributes.get("value") or ""
        if not name or name == "csrf":
            continue
        if node.tag == "textarea":
            value = node.text()
        elif node.tag == "select":
            chosen = [one for one in node.css("option") if "selected" in one.attributes]
            value = (chosen or node.css("option"))[0].attributes["value"] or ""
        elif node.attributes.get("type") == "checkbox" and "checked" not in node.attributes:
            continue
        sent[name] = value
    return sent


def send(person: Person, page: str, **changes: str) -> Response:
    """Fill in some fields of a page's form and send it; a name's dots are written __."""
    form = form_in(person.get(page).text)
    return person.post(page, form | {k.replace("__", "."): v for k, v in changes.items()})


def went_well(answer: Response, done: str = "saved") -> str:
    """The version that an answer tells of."""
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["done"] == [done]
    return query.get("version", [""])[0]


def last_change(site: Site) -> Change:
    with site.database.read() as tx:
        return tx.changes.of("settings", "settings")[-1]


def text_of(answer: Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def test_every_key_is_at_the_desk(shop: Site, anna: Person) -> None:
    assert shop
    shown = set()
    parts = {f"{WEEKLY}/parts/{part}/_new": f"newsletter.{part}." for part in newsletter_parts()}
    for page, prefix in (PAGES | parts).items():
        for name in re.findall(r'id="f-([\w-]+?)(?:-hint|-problem)?"', anna.get(page).text):
            shown.add(f"{prefix.replace('.', '-')}{name}")
    assert {key.replace(".", "-") for key in every_key(Settings)} - shown == set()


def test_pages_are_small_and_hold_no_secret(shop: Site, anna: Person) -> None:
    assert shop
    for page in (*PAGES, *OTHERS):
        answer = anna.get(page)
        assert answer.status_code == 200, page
        assert len(answer.content) < 100_000, page
        assert PASSWORD not in answer.text
        assert GHOST_KEY not in answer.text


def test_no_form_has_two_fields_of_one_name(shop: Site, anna: Person) -> None:
    assert shop
    for page in (*PAGES, *OTHERS):
        tree = LexborHTMLParser(anna.get(page).text)
        ids = [node.attributes["id"] for node in tree.css("[id]")]
        assert len(ids) == len(set(ids)), page
        for form in tree.css("form"):
            fields = form.css("input:not([type=hidden]):not([type=radio]), select, textarea")
            names = [node.attributes["name"] for node in fields if "name" in node.attributes]
            assert len(names) == len(set(names)), page
    went_well(send(anna, "/desk/settings/sign-up", sign_up__role_accounts="refuse"))
    assert latest(shop).document["sign_up"]["role_accounts"] == "refuse"


@pytest.mark.parametrize("page", [*PAGES, "/desk/settings/sources/source/ghost"])
def test_a_form_sent_back_as_it_is_changes_nothing(shop: Site, anna: Person, page: str) -> None:
    before = latest(shop)
    assert went_well(send(anna, page), "same") == ""
    assert latest(shop) == before


def test_what_is_saved_holds_and_is_in_the_log(shop: Site, anna: Person) -> None:
    version = went_well(
        send(
            anna,
            "/desk/settings/publication",
            publication__short_name="  the Envoy ",
            publication__editors="a@paper.example\r\n\r\n b@paper.example",
            publication__holidays="AM",
        )
    )
    publication = shop.settings.publication
    assert (publication.nickname, publication.holidays) == ("the Envoy", ("AM",))
    assert publication.editors == ("a@paper.example", "b@paper.example")
    change = last_change(shop)
    assert anna.editor is not None
    assert change.actor == anna.editor.public_id
    assert change.detail["version"] == int(version)
    assert change.detail["after"]["publication.short_name"] == "the Envoy"
    page = anna.get(f"/desk/settings/publication?done=saved&version={version}")
    assert "It holds from now on" in page.text
    undo = form_in(page.text, f"/history/{version}/undo")
    assert went_well(anna.post(f"/desk/settings/history/{version}/undo", undo), "undone") == ""
    assert shop.settings.publication.nickname == "the Courier"


def test_kinds_of_fields(shop: Site, anna: Person) -> None:
    went_well(
        send(
            anna,
            WEEKLY,
            ranking__mix="0,25",
            max_variants="5",
            approval="auto",
            titles="hy = Շաբաթը\nde-AT = Die Woche",
            subject="",
            welcome_issue="true",
        )
    )
    weekly = shop.settings.newsletter[0]
    assert (weekly.ranking.mix, weekly.max_variants, weekly.approval) == (0.25, 5, "auto")
    assert weekly.titles == {"hy": "Շաբաթը", "de-AT": "Die Woche"}
    assert (weekly.subject, weekly.welcome_issue) == ("", True)
    # Cleared, a key is as if nobody had set it.
    went_well(send(anna, WEEKLY, max_variants="", titles="", welcome_issue=""))
    weekly = shop.settings.newsletter[0]
    assert (weekly.max_variants, weekly.titles, weekly.welcome_issue) == (12, {}, False)
    assert ("newsletter", "weekly", "max_variants") not in flatten(latest(shop).document)


@pytest.mark.parametrize(
    ("page", "field", "typed", "told"),
    [
        (f"{WEEKLY}/schedule", "send_at", "someday", "is no moment; write"),
        (f"{WEEKLY}/schedule", "timezone", "Mars/Olympus", "No time zone is called"),
        (WEEKLY, "max_variants", "900", "It may be at most 40."),
        (WEEKLY, "max_variants", "1.5", "Write a whole number here."),
        (WEEKLY, "max_variants", "inf", "Write a number here"),
        (WEEKLY, "titles", "Շաբաթը", "Write one language a line"),
        (WEEKLY, "from.name", "", "This is needed."),
        (WEEKLY, "reply_to", "nobody", "is not an address such as"),
        (WEEKLY, "approval", "never", "Choose one of those"),
        (WEEKLY, "segment", "language < hy", "Filter, character 10: language is not ordered"),
        ("/desk/settings/brand", "publication.colours.accent", "red", "is not a colour such as"),
        ("/desk/settings/publication", "publication.holidays", "AM\nArmenia", "is not a country"),
        ("/desk/settings/delivery", "delivery.brake_share", "0", "It has to be more than 0."),
    ],
)
def test_what_can_not_be_is_told_at_its_field(
    shop: Site, anna: Person, page: str, field: str, typed: str, told: str
) -> None:
    before = latest(shop)
    answer = send(anna, page, **{field.replace(".", "__"): typed})
    assert answer.status_code == 422
    field_id = f"f-{field.replace('.', '-')}"
    tree = LexborHTMLParser(answer.text)
    (problem,) = tree.css(f"#{field_id}-problem")
    assert told in problem.text()
    (control,) = tree.css(f"#{field_id}")
    assert control.attributes["aria-invalid"] == "true"
    assert f"{field_id}-problem" in (control.attributes["aria-describedby"] or "")
    assert tree.css(f'[role=alert] a[href="#{field_id}"]')
    kept = control.attributes.get("value") if control.tag == "input" else control.text()
    assert control.tag == "select" or kept == typed
    assert latest(shop) == before


def test_a_rule_over_several_keys_is_told_above_the_form(shop: Site, anna: Person) -> None:
    assert shop
    answer = send(anna, f"{WEEKLY}/schedule", draft_at="daily 07:00")
    assert answer.status_code == 422
    assert "draft_at and send_at must have the same rhythm" in text_of(answer)


def test_what_is_fixed_is_shown_with_where_and_refused(shop: Site, anna: Person) -> None:
    page = anna.get("/desk/settings/publication").text
    assert "Fixed by NEWSLETTER_PUBLICATION__NAME" in page
    assert "Fixed by config.toml" in page
    assert 'name="publication.name"' not in page
    before = latest(shop)
    # A form that never was ours: what has no field is not read.
    version = str(before.version)
    forged = {"version": version, "publication.name": "X", "publication.url": "https://x.example"}
    went_well(anna.post("/desk/settings/publication", forged), "same")
    for path, told in (
        ("/desk/settings/newsletters/weekly/remove", "newsletter.weekly is fixed by config.toml"),
        (f"{WEEKLY}/parts/section/most-read/remove", "most-read is fixed by config.toml"),
    ):
        answer = anna.post(path, {"version": version})
        assert answer.status_code == 409
        assert told in text_of(answer)
    assert latest(shop) == before


def test_what_names_the_servers_files_is_the_files_alone(shop: Site, anna: Person) -> None:
    page = anna.get("/desk/settings/sources/reads/log").text
    assert page.count("Only the config file may set it") == 3
    sent = {"version": str(latest(shop).version), "path": "/srv/data/keys.json"}
    went_well(anna.post("/desk/settings/sources/reads/log", sent), "same")
    new = sent | {"slug": "x", "source": "site", "kind": "koko-analytics", "password_file": "/x"}
    answer = anna.post("/desk/settings/sources/reads/_new", new | {"url": "https://evil.example/"})
    went_well(answer, "added")
    assert shop.settings.reads[-1].password_file is None


def test_two_admins_lose_nothing(shop: Site, anna: Person) -> None:
    boris = sign_in(shop, put_editor(shop, Role.ADMIN, "boris@paper.example", name="Boris"))
    page = "/desk/settings/publication"
    mine, theirs = (form_in(person.get(page).text) for person in (anna, boris))
    changed = {"publication.short_name": "the Envoy", "publication.postal_address": "1 Hill Road"}
    went_well(boris.post(page, theirs | changed))
    # Another key goes in beside it, though the page was opened before.
    went_well(anna.post(page, mine | {"publication.social": "https://social.example/@envoy"}))
    assert shop.settings.publication.nickname == "the Envoy"

    answer = anna.post(
        page, mine | {"publication.short_name": "the Mail", "publication.language": "hy"}
    )
    assert answer.status_code == 409
    told = text_of(answer)
    assert "Boris has changed the same meanwhile." in told
    assert "Nothing of yours was saved" in told
    assert "What readers call it : the Envoy" in told
    form = form_in(answer.text)
    # What one typed stands there, and what the other changed elsewhere as well.
    assert form["publication.short_name"] == "the Mail"
    assert form["publication.postal_address"] == "1 Hill Road"
    went_well(anna.post(page, form))
    publication = shop.settings.publication
    assert (publication.nickname, publication.language) == ("the Mail", "hy")
    assert publication.postal_address == "1 Hill Road"


@pytest.mark.parametrize("version", ["", "x", "999999", "-1", "1" * 30, "١"])
def test_a_form_of_no_version_is_refused(shop: Site, anna: Person, version: str) -> None:
    before = latest(shop)
    answer = anna.post("/desk/settings/publication", {"version": version})
    assert answer.status_code == 404
    assert latest(shop) == before


def test_a_ghosts_key_is_kept_though_it_is_not_shown(shop: Site, anna: Person) -> None:
    page = "/desk/settings/sources/source/ghost"
    assert form_in(anna.get(page).text)["url"].endswith("?key=…")
    went_well(send(anna, page, kind="feed"))
    ghost = shop.settings.source[1]
    assert (ghost.kind, ghost.url[-len(GHOST_KEY) :]) == ("feed", GHOST_KEY)
    went_well(send(anna, page, url="https://paper.example/ghost/api/content/?key=fedcba"))
    assert "fedcba" not in str(last_change(shop).detail)
    assert GHOST_KEY not in str(last_change(shop).detail)
    assert "fedcba" not in anna.get("/desk/settings/history").text


def test_sections_are_added_put_in_order_and_taken_out(shop: Site, anna: Person) -> None:
    page = f"{WEEKLY}/parts/section"

    def order() -> list[str]:
        return [plan.slug for plan in shop.settings.newsletter[0].sections]

    went_well(
        send(anna, f"{page}/_new", slug="arts", kind="department", title="Arts", department="Arts"),
        "added",
    )
    assert order() == ["most-read", "latest", "arts"]
    twin = send(anna, f"{page}/_new", slug="arts", kind="rising", title="Twin")
    assert "There is one of that name already." in twin.text
    nameless = send(anna, f"{page}/_new", kind="rising", title="No name")
    assert nameless.status_code == 422
    assert 'id="f-slug-problem"' in nameless.text
    wrong = send(anna, f"{page}/_new", slug="new", kind="rising", title="X", count="99")
    assert 'id="f-count-problem"' in wrong.text

    def move(slug: str, **how: str) -> Response:
        sent = {"version": str(latest(shop).version), "slug": slug, **how}
        return anna.post(f"{page}/_order", sent)

    went_well(move("arts", move="up"), "moved")
    assert order() == ["most-read", "arts", "latest"]
    went_well(move("latest", move="to", place="1"), "moved")
    assert order() == ["latest", "most-read", "arts"]
    went_well(move("latest", move="down"), "moved")
    assert order() == ["most-read", "latest", "arts"]
    went_well(move("most-read", move="up"), "same")
    went_well(move("most-read", move="to", place="x"), "same")
    assert move("nothing", move="up").status_code == 409

    version = went_well(
        anna.post(f"{page}/arts/remove", {"version": str(latest(shop).version)}), "removed"
    )
    assert order() == ["most-read", "latest"]
    undo = form_in(anna.get(f"{page}?done=removed&version={version}").text, "/undo")
    went_well(anna.post(f"/desk/settings/history/{version}/undo", undo), "undone")
    assert order() == ["most-read", "latest", "arts"]
    assert anna.get(f"{page}/nothing").status_code == 404
    assert anna.get(f"{WEEKLY}/parts/nothing").status_code == 404


def test_a_newsletter_comes_and_goes(shop: Site, anna: Person) -> None:
    answer = send(
        anna,
        "/desk/settings/newsletters/_new",
        slug="daily",
        name="Courier Daily",
        from__name="The Araks Courier",
        from__address="daily@paper.example",
        draft_at="daily 06:00",
        send_at="daily 07:00",
    )
    version = went_well(answer, "added")
    daily = shop.settings.newsletter[-1]
    assert (daily.slug, len(daily.sections)) == ("daily", 2)
    assert shop.client.get("/subscribe/daily").status_code == 200
    page = "/desk/settings/newsletters"
    went_well(anna.post(f"{page}/daily/remove", {"version": version}), "removed")
    assert shop.client.get("/subscribe/daily").status_code == 404
    reserved = send(
        anna,
        f"{page}/_new",
        slug="archive",
        name="X",
        from__name="X",
        from__address="x@paper.example",
    )
    assert "one of the service's own paths" in text_of(reserved)


def test_dates_to_come_with_what_is_odd_about_them(shop: Site) -> None:
    shop.clock.instant = datetime(2025, 10, 20, 12, tzinfo=UTC)
    anna = sign_in(shop, put_editor(shop, Role.ADMIN))
    went_well(send(anna, "/desk/settings/publication", publication__holidays="US-CA\nAM\nXX"))
    page = f"{WEEKLY}/schedule"
    lines = [
        node.text(separator=" ") for node in LexborHTMLParser(anna.get(page).text).css(".coming li")
    ]
    assert len(lines) == 8
    assert "There is no list of holidays for XX." in anna.get(page).text
    assert "October 24, 07:00 Los Angeles" in lines[0]
    # From 2 November on California's clocks are an hour back.
    odd = [number for number, line in enumerate(lines) if "clocks have gone back by 1 h" in line]
    assert odd == [2]
    assert [line for line in lines if "Day After Thanksgiving" in line] == [lines[5]]

    def press(slot: str, **more: str) -> Response:
        return anna.post(f"{WEEKLY}/skip", {"slot": slot, **more})

    went_well(press("2025-W48"), "skipped")
    with shop.database.read() as tx:
        assert tx.skipped_slots.of("weekly") == {"2025-W48"}
    assert 'class="skipped"' in anna.get(page).text
    assert press("2025-W48").status_code == 409
    assert press("2025-W40").status_code == 400
    assert press("someday").status_code == 400
    went_well(press("2025-W48", again="true"), "comes")

    form = form_in(anna.get(page).text)
    tried = anna.post(f"{page}/try", form | {"draft_at": "daily 01:00", "send_at": "daily 01:30"})
    assert "if this is saved" in tried.text
    shop.clock.instant = datetime(2025, 10, 27, 12, tzinfo=UTC)
    tried = anna.post(f"{page}/try", form | {"draft_at": "daily 01:00", "send_at": "daily 01:30"})
    assert "01:30 twice that day" in tried.text
    shop.clock.instant = datetime(2025, 3, 5, 12, tzinfo=UTC)
    anna = sign_in(shop, put_editor(shop, Role.ADMIN, "nare@paper.example"))
    tried = anna.post(f"{page}/try", form | {"draft_at": "daily 01:00", "send_at": "daily 02:30"})
    assert "the clocks skip 02:30 that day: it goes out at 03:30" in tried.text
    wrong = anna.post(f"{page}/try", form | {"send_at": "someday"})
    assert wrong.status_code == 422
    assert shop.settings.newsletter[0].send_at == "Fri 07:00"


def test_the_brand_is_seen_before_it_is_saved(shop: Site, anna: Person) -> None:
    preview = "/desk/settings/brand/preview"
    usual = anna.get(f"{preview}/light")
    assert usual.status_code == 200
    assert "sandbox" in usual.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in usual.headers["content-security-policy"]
    blue = anna.get(f"{preview}/light?publication.colours.accent=%230b2545")
    assert "#0b2545" in blue.text
    assert "@media all" in anna.get(f"{preview}/dark").text
    assert anna.get(f"{preview}/sepia").status_code == 404
    # What can't be is left as it is; other keys are not this page's.
    odd = anna.get(f"{preview}/light?publication.colours.accent=red%3B%7D&publication.name=X")
    assert odd.text == usual.text

    page = anna.get("/desk/settings/brand").text
    tried = anna.post(
        "/desk/settings/brand/try",
        form_in(page) | {"publication.colours.accent": "#ffee55"},
    )
    assert tried.status_code == 200
    assert "#ffee55 is hard to read on light paper" in tried.text
    assert "publication.colours.accent=%23ffee55" in tried.text
    assert form_in(tried.text)["publication.colours.accent"] == "#ffee55"
    assert shop.settings.publication.colours.accent == "#8c1d2f"
    went_well(anna.post("/desk/settings/brand", form_in(tried.text)))
    assert shop.settings.publication.colours.accent == "#ffee55"


def test_sources_are_looked_at_rested_and_taken_out(shop: Site, anna: Person) -> None:
    page = "/desk/settings/sources"
    told = text_of(anna.get(page))
    assert "answered 503" in told
    assert "in trouble" in told
    went_well(anna.post(f"{page}/source/ghost/look"), "asked")
    with shop.database.read() as tx:
        assert tx.sources.asked() == ["ghost"]
    assert "is being looked at" in anna.get(page).text

    def version() -> dict[str, str]:
        return {"version": str(latest(shop).version)}

    went_well(anna.post(f"{page}/source/ghost/pause", version() | {"paused": "true"}), "paused")
    assert [source.paused for source in shop.settings.source] == [False, True]
    went_well(anna.post(f"{page}/source/ghost/pause", version()), "resumed")
    went_well(anna.post(f"{page}/reads/beacon/remove", version()), "removed")
    refused = anna.post(f"{page}/source/site/remove", version())
    assert refused.status_code == 409
    assert 'counts for an unknown source "site"' in text_of(refused)
    went_well(
        send(anna, f"{page}/source/_new", slug="blog", url="https://blog.example/", kind="feed"),
        "added",
    )
    assert [source.slug for source in shop.settings.source] == ["site", "ghost", "blog"]
    for missing in ("source/nothing", "nothing/site"):
        assert anna.get(f"{page}/{missing}").status_code == 404
        assert anna.post(f"{page}/{missing}/look").status_code == 404
        assert anna.post(f"{page}/{missing}/pause", version()).status_code == 404
        assert anna.post(f"{page}/{missing}/remove", version()).status_code == 404


def test_relays_tell_how_they_fare(shop: Site, anna: Person) -> None:
    from_now = shop.clock.now() + timedelta(hours=1)
    with shop.database.write() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO relay_state (relay, trips, paused_until, reason, changed_at) "
            "VALUES ('main', 1, ?, 'It refused our login.', ?)",
            (f"{from_now:%Y-%m-%d %H:%M:%S.%f}", f"{shop.clock.now():%Y-%m-%d %H:%M:%S.%f}"),
        )
        tx.connection.exec_driver_sql(
            "INSERT INTO relay_day (relay, day, granted) VALUES ('main', '2025-08-05', 1234)"
        )
    told = text_of(anna.get("/desk/settings/relays"))
    assert "left alone until Tuesday, August 5, 05:00 Los Angeles" in told
    assert "It refused our login." in told
    assert "1,234" in told
    assert "5,000 at most" in told
    # Nobody counts what goes over a relay without a cap.
    assert "today" not in told.split("smtp.other.example")[1]


def test_versions_are_told_and_restored(shop: Site, anna: Person) -> None:
    first = latest(shop).version
    went_well(send(anna, "/desk/settings/publication", publication__short_name="the Envoy"))
    went_well(send(anna, f"{WEEKLY}/waves", waves__canary="0.05"))
    told = text_of(anna.get("/desk/settings/history"))
    assert "publication.short_name the Courier the Envoy" in told
    assert "Anna" in told
    assert "the config file" in told
    answer = anna.post(f"/desk/settings/history/{first}/restore")
    assert went_well(answer, "restored") == ""
    assert shop.settings.publication.nickname == "the Courier"
    assert shop.settings.newsletter[0].waves.canary == 0
    for number in ("999999", "x", "-1"):
        assert anna.post(f"/desk/settings/history/{number}/restore").status_code == 404
        assert anna.post(f"/desk/settings/history/{number}/undo").status_code == 404
    assert "Version" in text_of(anna.get(f"/desk/settings/history?before={first}"))


def test_an_armenian_admin_reads_armenian(shop: Site) -> None:
    person = sign_in(shop, put_editor(shop, Role.ADMIN, "ani@paper.example", language="hy"))
    page = person.get(WEEKLY)
    assert "Ուղարկողի անունը" in page.text
    assert "Ամրագրված է՝ config.toml" in page.text
    answer = person.post(WEEKLY, form_in(page.text) | {"max_variants": "900"})
    assert "Կարող է լինել առավելագույնը 40։" in answer.text


def test_an_armenian_desk_has_no_english_help_line(shop: Site) -> None:
    person = sign_in(shop, put_editor(shop, Role.ADMIN, "ani@paper.example", language="hy"))
    english = {" ".join(key.description.split()) for key in every_key(Settings).values()}
    for page in (*PAGES, *OTHERS):
        hints = LexborHTMLParser(person.get(page).text).css("p.hint")
        assert hints or page in OTHERS
        for node in hints:
            hint = " ".join(node.text().split())
            assert is_armenian(hint), (page, hint)
            assert [line for line in english if hint.startswith(line)] == [], (page, hint)
