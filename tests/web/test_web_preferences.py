"""What a reader changes by the link in every issue, and what is asked of a mailbox first."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.delivery.model import Mailing
from newsletter.publication.model import Settings
from newsletter.storage import tables as t
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.model import DomainRule, Subscriber, SuppressionReason
from newsletter.tokens import Purpose
from newsletter.workflows import change_address
from newsletter.workflows.import_subscribers import import_subscribers
from newsletter.workflows.preferences import end_pauses
from tests.web.site import BASE_URL, SETTINGS, Site, links_in, make_blank, open_site

LILIT, NEW = "lilit@reader.example", "lilit@other.example"
DEPARTMENTS = ("Arts", "Community", "Sports & Games")


def many_choices() -> Settings:
    weekly, kitchen = SETTINGS.newsletter
    weekly = weekly.model_copy(update={"departments": DEPARTMENTS, "languages": ("en", "hy")})
    return SETTINGS.model_copy(update={"newsletter": (weekly, kitchen)})


@pytest.fixture(scope="module")
def chosen_blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("blank") / "newsletter.sqlite", many_choices())


@pytest.fixture
def shop(tmp_path: Path, chosen_blank: Path) -> Iterator[Site]:
    with open_site(tmp_path, chosen_blank, settings=many_choices()) as opened:
        yield opened


def path_in(mail: Mailing, page: str) -> str:
    """The path of the one link of that kind in a mail, the same in both of its bodies."""
    found = set(re.findall(rf"{re.escape(BASE_URL)}(/{page}/[\w.]+)", mail.html + mail.text))
    assert len(found) == 1, found
    return found.pop()


def test_departments_narrow_a_newsletter_and_all_of_them_are_no_choice(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    page = shop.client.get(path).text
    assert "Sports &amp; Games" in page
    assert "departments.kitchen" not in page
    asked = {"newsletter": "weekly", "narrows": "weekly"}
    some = ["Sports & Games", "Arts"]
    answer = shop.choose(path, {**asked, "departments.weekly": some})
    assert "Saved." in answer.text
    # And each issue, as nothing else was chosen.
    assert answer.text.count("checked") == 4
    assert departments(shop) == ("Arts", "Sports & Games")
    # A form that does not ask leaves the choice alone.
    shop.choose(path, {"newsletter": "weekly"})
    assert departments(shop) == ("Arts", "Sports & Games")
    shop.choose(path, {**asked, "departments.weekly": list(DEPARTMENTS)})
    assert departments(shop) == ()
    before = shop.dump()
    wrong = shop.choose(
        path, {"newsletter": [], "narrows": "weekly"} | {"departments.weekly": "Obituaries"}
    )
    assert wrong.status_code == 400
    assert shop.dump() == before


def test_a_reader_picks_the_best_of_each_month_and_comes_back(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    shop.put(LILIT, newsletter="kitchen")
    page = shop.client.get(path).text
    assert "The Courier Weekly: how often" in page
    # What comes once a month anyway has nothing to choose.
    assert "cadence.kitchen" not in page
    assert chosen(page) == "each"
    both = {"newsletter": ["weekly", "kitchen"]}
    page = shop.choose(path, {**both, "cadence.weekly": "monthly"}).text
    assert "Saved." in page
    assert (chosen(page), cadence(shop)) == ("monthly", "monthly")
    # A form that does not ask leaves the choice alone.
    shop.choose(path, both)
    assert cadence(shop) == "monthly"
    armenian = shop.client.get(f"{path}?lang=hy").text
    assert "Միայն ամեն ամսվա լավագույնը" in armenian
    before = shop.dump()
    for wrong in ({"cadence.weekly": "often"}, {"cadence.kitchen": "monthly"}):
        assert shop.choose(path, {**both, **wrong}).status_code == 400
    # Of what there is not, or the reader has not, nothing is said.
    shop.choose(path, {**both, "cadence.daily": "monthly"})
    assert shop.dump() == before
    shop.choose(path, {**both, "cadence.weekly": "each"})
    assert cadence(shop) == "each"


def chosen(page: str) -> str:
    (found,) = re.findall(r'name="cadence\.weekly" value="(\w+)" checked', page)
    return str(found)


def cadence(shop: Site) -> str:
    subscription = shop.subscription(LILIT)
    assert subscription is not None
    return str(subscription.cadence)


def test_name_and_language_are_the_readers_to_choose(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT, name="L."))
    said = {"newsletter": "weekly", "name": "  Lilit   Ter-Petrosyan ", "language": "hy"}
    page = shop.choose(path, said)
    assert '<html lang="hy"' in page.text
    assert (reader(shop).name, reader(shop).language) == ("Lilit Ter-Petrosyan", "hy")
    # Whom an issue is forwarded to reads no name there; an empty field takes none away.
    assert "Petrosyan" not in page.text + shop.client.get(path).text
    shop.choose(path, {"newsletter": "weekly", "name": " "})
    assert (reader(shop).name, reader(shop).language) == ("Lilit Ter-Petrosyan", "hy")
    shop.choose(path, {"newsletter": "weekly", "nameless": "1", "language": ""})
    assert (reader(shop).name, reader(shop).language) == ("", None)
    before = shop.dump()
    for wrong, status in (
        ({"name": "x" * 121}, 422),
        ({"name": "a\u2028b"}, 422),
        ({"name": "\x00"}, 422),
        ({"language": "xx"}, 400),
    ):
        answer = shop.choose(path, {"newsletter": [], **wrong})
        assert answer.status_code == status
        assert "Traceback" not in answer.text
    assert shop.dump() == before


def test_a_pause_ends_by_itself_on_its_day(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    wish = {"newsletter": "weekly", "pause": "weekly", "pause_until": "2025-08-20"}
    page = shop.choose(path, wish).text
    assert "paused until August 20, 2025" in page
    # In the paper's zone, seven hours behind.
    begin = datetime(2025, 8, 20, 7, tzinfo=UTC)
    assert end_pauses(shop.database, shop.settings, begin - timedelta(seconds=1)) == 0
    assert shop.state(LILIT) == "paused"
    assert end_pauses(shop.database, shop.settings, begin) == 1
    assert end_pauses(shop.database, shop.settings, begin) == 0
    assert shop.state(LILIT) == "active"
    # A pause without an end after one with an end has none.
    shop.choose(path, {"newsletter": "weekly", "pause": "weekly"})
    assert end_pauses(shop.database, shop.settings, begin + timedelta(days=400)) == 0
    assert shop.state(LILIT) == "paused"


@pytest.mark.parametrize(
    "day", ["2025-08-05", "2025-08-04", "2026-08-08", "soon", "2025-02-30", "٢٠٢٥"]
)
def test_a_pause_needs_a_day_to_come(shop: Site, day: str) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    before = shop.dump()
    wish = {"newsletter": "weekly", "pause": "weekly", "pause_until": day}
    answer = shop.choose(path, wish)
    assert answer.status_code == 422
    assert "A pause ends on a day within the next year." in answer.text
    assert shop.dump() == before


def test_a_day_without_what_is_to_be_paused_is_told_and_kept(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    before = shop.dump()
    answer = shop.choose(path, {"newsletter": "weekly", "pause_until": "2025-08-20"})
    assert answer.status_code == 422
    assert "Tick above what is to be paused until that day" in answer.text
    assert 'name="pause_until" type="date"' in answer.text
    assert 'value="2025-08-20"' in answer.text
    assert shop.dump() == before
    # Who leaves everything has nothing that could be paused, nor any field to mend first.
    shop.choose(path, {"none": "1", "pause_until": "soon", "name": "x" * 200})
    assert shop.state(LILIT) == "unsubscribed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pause_until": "2025-08-20"},
        {"name": "x" * 200},
        {"pause": "weekly", "pause_until": "soon"},
    ],
)
def test_who_has_to_mend_one_field_keeps_what_all_others_held(
    shop: Site, wrong: dict[str, str]
) -> None:
    lilit = shop.put(LILIT)
    shop.put(LILIT, newsletter="kitchen")
    path = shop.preferences_path(lilit)
    typed = {
        "newsletter": "weekly",
        "narrows": "weekly",
        "departments.weekly": "Community",
        "cadence.weekly": "monthly",
        "name": "Lilit <A>",
        "language": "hy",
    }
    answer = shop.choose(path, {**typed, **wrong})
    assert answer.status_code == 422
    ticked = re.findall(r'name="(\w+)(?:\.\w+)?" value="([^"]+)" checked', answer.text)
    assert [one for one in ticked if one[0] != "pause"] == [
        ("newsletter", "weekly"),
        ("cadence", "monthly"),
        ("departments", "Community"),
    ]
    assert (("pause", "weekly") in ticked) is ("pause" in wrong)
    assert '<option value="hy" lang="hy" selected>' in answer.text
    assert f'value="{wrong.get("name", "Lilit &lt;A&gt;")}"' in answer.text
    assert (shop.state(LILIT, "kitchen"), shop.state(LILIT)) == ("active", "active")


def test_a_form_with_a_fault_takes_away_nothing_that_it_had_no_box_for(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    shop.put(LILIT, newsletter="kitchen")
    stale = {"shown": "weekly", "newsletter": [], "pause_until": "2025-08-20"}
    answer = shop.client.post(path, data=stale)
    assert answer.status_code == 422
    assert re.findall(r'name="newsletter" value="(\w+)" checked', answer.text) == ["kitchen"]


@pytest.mark.parametrize(
    ("newsletter", "hour", "offered"),
    [
        # In the paper's zone it is the day before.
        ("weekly", datetime(2025, 8, 5, 22, tzinfo=UTC), ("2025-08-07", "2026-08-07")),
        ("kitchen", datetime(2025, 8, 5, 22, tzinfo=UTC), ("2025-08-06", "2026-08-06")),
        # Half past midnight there; a year on, the clocks are an hour back.
        ("kitchen", datetime(2025, 11, 1, 7, 30, tzinfo=UTC), ("2025-11-02", "2026-11-01")),
    ],
)
def test_the_days_offered_for_a_pause_are_right_where_its_newsletter_is_made(
    tmp_path: Path, newsletter: str, hour: datetime, offered: tuple[str, str]
) -> None:
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["newsletter"][0]["timezone"] = "Asia/Yerevan"
    settings = Settings.model_validate(document)
    (tmp_path / "site").mkdir()
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path / "site", blank, settings=settings) as site:
        site.clock.instant = hour
        path = site.preferences_path(site.put(LILIT, newsletter=newsletter))
        field = re.search(
            r'id="pause-until"[^>]* min="([^"]+)" max="([^"]+)"', site.client.get(path).text
        )
        assert field is not None
        assert field.groups() == offered
        for day in offered:
            wish = {"newsletter": newsletter, "pause": newsletter, "pause_until": day}
            assert "Saved." in site.choose(path, wish).text
            assert "Saved." in site.choose(path, {"newsletter": newsletter}).text


def test_a_pause_that_goes_on_gets_another_day_or_none(shop: Site) -> None:
    lilit = shop.put(LILIT)
    path = shop.preferences_path(lilit)
    shop.choose(path, {"newsletter": "weekly", "pause": "weekly", "pause_until": "2025-08-20"})
    page = shop.client.get(path).text
    assert 'name="pause_end.weekly"' in page
    assert 'value="2025-08-20"' in page
    assert "pause_end.kitchen" not in page
    for day, shown in (("2025-09-01", "paused until September 1, 2025"), ("", "paused</span>")):
        answer = shop.choose(path, {"pause_end.weekly": day})
        assert "Saved." in answer.text
        assert shown in answer.text
        assert shop.state(LILIT) == "paused"
    assert end_pauses(shop.database, shop.settings, shop.clock.now() + timedelta(days=900)) == 0
    before = shop.dump()
    for wrong in ("2025-08-01", "2027-01-01", "soon"):
        answer = shop.choose(path, {"pause_end.weekly": wrong})
        assert answer.status_code == 422
        assert "A pause ends on a day within the next year." in answer.text
    # As it was, it is saved once more without a line in the log.
    shop.choose(path, {"pause_end.weekly": ""})
    assert shop.dump() == before


def test_a_post_that_is_no_form_of_ours_ends_nothing(shop: Site) -> None:
    lilit = shop.put(LILIT)
    path = shop.preferences_path(lilit)
    before = shop.dump()
    for form in ({}, {"from": "page"}, {"newsletter": "kitchen"}, {"none": "1"}):
        answer = shop.client.post(path, data=form)
        assert answer.status_code == 400
        assert "Saved." not in answer.text
    assert shop.dump() == before
    # It says nothing of what it had no box for.
    shop.client.post(path, data={"shown": "kitchen"})
    assert shop.state(LILIT) == "active"


def test_who_asks_for_a_pause_does_not_leave(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    wish = {"pause": "weekly", "pause_until": "2025-02-01"}
    assert shop.choose(path, wish).status_code == 422
    assert shop.state(LILIT) == "active"
    assert "paused until" in shop.choose(path, {**wish, "pause_until": "2025-09-01"}).text
    assert shop.state(LILIT) == "paused"


def test_who_leaves_by_the_preferences_has_the_way_back_and_is_asked_why(shop: Site) -> None:
    lilit = shop.put(LILIT)
    shop.put(LILIT, "pending", "kitchen")
    path = shop.preferences_path(lilit)
    page = shop.choose(path, {"none": "1"}).text
    assert "You have left The Courier Weekly" in page
    assert "You have left From the Kitchen" in page
    assert page.count("Would you tell us why?") == 4
    # Nobody is led into what was never confirmed.
    (undo,) = re.findall(r'name="undo" value="([^"]+)"', page)
    leave, other = dict.fromkeys(re.findall(r'action="(/unsubscribe/[^"]+)"', page))
    told = shop.client.post(leave, data={"from": "goodbye", "reason": "too_much"}).text
    assert "Thank you for telling us." in told
    assert left_because(shop) == "too_much"
    assert "You are back on the list" in shop.client.post(leave, data={"undo": undo}).text
    assert shop.state(LILIT) == "active"
    assert shop.client.post(other, data={"undo": undo}).status_code == 200
    assert shop.state(LILIT, "kitchen") == "unsubscribed"
    assert "You have left" not in shop.client.get(path).text


def test_leaving_all_takes_what_is_paused_along(shop: Site) -> None:
    lilit = shop.put(LILIT, "paused")
    shop.put(LILIT, newsletter="kitchen")
    both = ["weekly", "kitchen"]
    shop.choose(shop.preferences_path(lilit), {"newsletter": both, "none": "1"})
    assert (shop.state(LILIT), shop.state(LILIT, "kitchen")) == ("unsubscribed",) * 2
    assert shop.outgoing() == []


def test_an_address_changes_once_its_mailbox_answers(shop: Site) -> None:
    lilit = shop.put(LILIT)
    page = shop.client.post(
        shop.preferences_path(lilit) + "/address", data={"address": f" {NEW.upper()} "}
    )
    assert "If that address can be taken" in page.text
    ((delivery, mail),) = shop.outgoing()
    assert delivery.address == NEW
    assert "reader.example" not in mail.html + mail.text
    question = path_in(mail, "address")

    before = shop.dump()
    assert "l…@other.example" in shop.client.get(question).text
    assert shop.dump() == before
    assert "Your address is changed" in shop.client.post(question).text
    assert (reader(shop, NEW).public_id, shop.state(NEW)) == (lilit.public_id, "active")
    with shop.database.read() as tx:
        assert tx.subscribers.find(LILIT) is None
    # The old address is told, without the new one whole, and may take it back.
    ((told, letter),) = shop.outgoing()
    assert told.address == LILIT
    assert NEW not in letter.html + letter.text
    assert "The link works until September 4, 2025." in letter.text
    assert shop.client.get(path_in(letter, "take-back")).status_code == 200
    assert shop.client.get(shop.preferences_path(lilit)).status_code == 200
    assert "Your address is changed" in shop.client.post(question).text
    assert shop.outgoing() == []
    shop.client.post(shop.unsubscribe_path(lilit))
    assert shop.state(NEW) == "unsubscribed"
    # Nowhere is the old address left but in the ledger, and where it waits to be taken back.
    left = (line for line in shop.dump() if "lilit@reader" in line)
    assert {line.split('"')[1] for line in left} == {"delivery", "previous_address"}


def move_to(shop: Site, lilit: Subscriber, address: str) -> Mailing:
    """Change the address as whoever has the preferences link can; the letter to the old one."""
    shop.client.post(shop.preferences_path(lilit) + "/address", data={"address": address})
    ((asked, question),) = shop.outgoing()
    assert asked.address == address
    assert "is changed" in shop.client.post(path_in(question, "address")).text
    ((_, letter),) = shop.outgoing()
    return letter


def test_the_old_mailbox_takes_a_change_back_and_all_that_followed_it(shop: Site) -> None:
    lilit = shop.put(LILIT)
    take_back = path_in(move_to(shop, lilit, NEW), "take-back")
    theirs = path_in(move_to(shop, lilit, "third@other.example"), "take-back")
    path = shop.preferences_path(lilit)
    shop.client.post(f"{path}/address", data={"address": "fourth@other.example"})
    ((_, waits),) = shop.outgoing()
    before = shop.dump()
    page = shop.client.get(take_back)
    assert (page.status_code, page.text.count("<button")) == (200, 1)
    assert "l…@reader.example" in page.text
    assert "Ես չէի" in shop.client.get(f"{take_back}?lang=hy").text
    assert shop.dump() == before
    assert "the old one again" in shop.client.post(take_back).text
    assert (reader(shop).public_id, shop.state(LILIT)) == (lilit.public_id, "active")
    # No link that went to the other mailboxes leads anywhere, and nothing of them is kept.
    for link in (theirs, path_in(waits, "address")):
        assert shop.client.post(link).status_code == 410
    assert reader(shop).address == LILIT
    assert not [line for line in shop.dump() if 'INTO "previous_address"' in line]
    # And what is held goes to the reader's mailbox as ever.
    assert "on its way" in shop.client.post(f"{path}/data").text
    assert [delivery.address for delivery, _ in shop.outgoing()] == [LILIT]


def test_a_change_is_not_taken_back_where_another_reads_now_or_too_late(shop: Site) -> None:
    lilit = shop.put(LILIT)
    take_back = path_in(move_to(shop, lilit, NEW), "take-back")
    late = shop.clock.now() + timedelta(days=30, seconds=1)
    shop.sign_up(LILIT)
    assert shop.client.get(take_back).status_code == 200
    ((_, question),) = shop.outgoing()
    shop.client.post(path_in(question, "confirm"))
    assert shop.client.get(take_back).status_code == 410
    assert shop.client.post(take_back).status_code == 410
    assert reader(shop, NEW).public_id == lilit.public_id
    with shop.database.write() as tx:
        tx.subscribers.forget(reader(shop).public_id, shop.clock.now(), "test")
    assert shop.client.get(take_back).status_code == 200
    shop.clock.instant = late
    for answer in (shop.client.get(take_back), shop.client.post(take_back)):
        assert answer.status_code == 404
    assert reader(shop, NEW).public_id == lilit.public_id


def test_an_old_list_brings_no_address_back_until_its_mailbox_confirms(shop: Site) -> None:
    lilit = shop.put(LILIT)
    take_back = path_in(move_to(shop, lilit, NEW), "take-back")

    def bring(dry_run: bool = False) -> dict[str, int]:
        report = import_subscribers(
            *(shop.database, shop.keyring),
            open_subscriber_file(f"email\n{LILIT}\n{NEW}\n".encode()),
            newsletter="weekly",
            consent="an old list",
            actor="anna",
            now=shop.clock.now(),
            dry_run=dry_run,
        )
        return {str(outcome): rows for outcome, rows in report.outcomes.items() if rows}

    assert bring() == {"already there": 2}
    shop.client.post(shop.unsubscribe_path(lilit))
    assert bring(dry_run=True) == bring() == {"left earlier": 2}
    # Also not the one that a take-back gives up: what was known of it went into the reader.
    shop.client.post(take_back)
    assert bring() == {"left earlier": 2}
    move_to(shop, lilit, NEW)
    shop.sign_up(LILIT)
    assert bring() == {"waits for confirmation": 1, "left earlier": 1}
    ((_, question),) = shop.outgoing()
    shop.client.post(path_in(question, "confirm"))
    assert reader(shop).public_id != lilit.public_id
    assert bring() == {"already there": 1, "left earlier": 1}
    with shop.database.read() as tx:
        assert tx.former_addresses.hashes(lilit.public_id) == []


def test_nobody_gets_at_the_data_by_changing_the_address(shop: Site) -> None:
    lilit = shop.put(LILIT, name="Lilit")
    shop.client.post(shop.preferences_path(lilit) + "/data")
    shop.outgoing()
    move_to(shop, lilit, NEW)
    wish = shop.preferences_path(lilit) + "/data"
    before = shop.dump()
    page = shop.client.post(wish).text
    assert "from September 5, 2025 on" in page
    assert "editors@paper.example" in page
    assert "on its way" not in page
    assert shop.dump() == before
    answered = f"550 <{LILIT.upper()}>: try {NEW}."
    with shop.database.write() as tx:
        tx.connection.execute(sa.update(t.delivery).values(reply_text=answered))
    shop.clock.instant += timedelta(days=30)
    assert "on its way" in shop.client.post(wish).text
    ((delivery, mail),) = shop.outgoing()
    assert delivery.address == NEW
    data = path_in(mail, "data")
    held = shop.client.post(data, data={"act": "download"})
    assert LILIT not in held.text.lower()
    assert held.json()["deliveries"][0]["reply_text"] == f"550 <L…@READER.EXAMPLE>: try {NEW}."
    addresses = [one["address"] for one in held.json()["deliveries"]]
    assert addresses == ["l…@reader.example", NEW, "l…@reader.example", NEW]
    (kept,) = held.json()["previous_addresses"]
    assert kept["address"] == "l…@reader.example"


def test_the_answer_is_the_same_for_an_address_that_is_taken(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT)) + "/address"
    shop.put("ani@reader.example")
    with shop.database.write() as tx:
        hashed = shop.keyring.hash_address("angry@reader.example")
        tx.subscribers.suppress(hashed, SuppressionReason.COMPLAINT, shop.clock.now(), "test")
    answers = {
        shop.client.post(path, data={"address": address}).text
        for address in ("ani@reader.example", "angry@reader.example", LILIT)
    }
    assert len(answers) == 1
    assert shop.outgoing() == []
    assert shop.client.post(path, data={"address": NEW}).text in answers
    ((delivery, mail),) = shop.outgoing()
    # And it is looked at again when the button is pressed.
    shop.put(NEW)
    assert shop.client.post(path_in(mail, "address")).status_code == 410
    assert reader(shop).address == LILIT
    assert delivery.address == NEW


def test_an_address_that_somebody_only_typed_in_or_has_left_is_not_taken(shop: Site) -> None:
    lilit = shop.put(LILIT)
    shop.put(NEW, "pending")
    shop.put(NEW, "active", "kitchen")
    old_link = shop.unsubscribe_path(reader(shop, NEW), "kitchen")
    shop.client.post(old_link)
    shop.client.post(shop.preferences_path(lilit) + "/address", data={"address": NEW})
    ((delivery, mail),) = shop.outgoing()
    assert delivery.address == NEW
    question = path_in(mail, "address")
    assert "Your address is changed" in shop.client.post(question).text
    moved = reader(shop, NEW)
    assert moved.public_id == lilit.public_id
    # What was left with that address stays left, and the old link brings nobody back.
    assert (shop.state(NEW), shop.state(NEW, "kitchen")) == ("active", "unsubscribed")
    assert "Put me back" not in shop.client.get(old_link).text
    with shop.database.read() as tx:
        assert tx.subscribers.find(LILIT) is None


def test_an_address_that_is_confirmed_meanwhile_stays_theirs(shop: Site) -> None:
    lilit = shop.put(LILIT)
    shop.put(NEW, "pending")
    shop.client.post(shop.preferences_path(lilit) + "/address", data={"address": NEW})
    ((_, mail),) = shop.outgoing()
    shop.put(NEW, "paused")
    assert shop.client.post(path_in(mail, "address")).status_code == 410
    assert reader(shop).address == LILIT


def test_an_address_that_is_taken_in_the_same_moment_stays_theirs(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.client.post(shop.preferences_path(shop.put(LILIT)) + "/address", data={"address": NEW})
    ((_, mail),) = shop.outgoing()
    shop.put(NEW)
    # As PostgreSQL shows it to one of two who press at once: free when looked at.
    monkeypatch.setattr(change_address, "_may_have", lambda *_: True)
    for _ in range(2):
        assert shop.client.post(path_in(mail, "address")).status_code == 410
    assert reader(shop).address == LILIT
    assert shop.outgoing() == []


def test_who_may_not_be_mailed_does_not_get_around_it_by_another_address(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT)) + "/address"
    with shop.database.write() as tx:
        hashed = shop.keyring.hash_address(LILIT)
        tx.subscribers.suppress(hashed, SuppressionReason.COMPLAINT, shop.clock.now(), "test")
    shop.client.post(path, data={"address": NEW})
    assert shop.outgoing() == []


def test_a_slip_or_an_office_is_told_at_the_field_of_another_address(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT)) + "/address"
    answer = shop.client.post(path, data={"address": "lilit@gmial.com"})
    assert answer.status_code == 422
    assert "Did you mean lilit@gmail.com?" in answer.text
    assert 'name="use" value="lilit@gmail.com"' in answer.text
    assert shop.outgoing() == []
    sure = {"address": "lilit@gmial.com", "sure": "lilit@gmial.com"}
    for form, went in ((sure, "lilit@gmial.com"), (sure | {"use": NEW}, NEW)):
        assert "If that address can be taken" in shop.client.post(path, data=form).text
        assert [delivery.address for delivery, _ in shop.outgoing()] == [went]


def test_a_forwarded_link_mails_no_town(shop: Site) -> None:
    path = shop.preferences_path(shop.put(LILIT))
    for number in range(20):
        shop.client.post(f"{path}/address", data={"address": f"victim{number}@other.example"})
        shop.client.post(f"{path}/data")
    assert len(shop.outgoing()) == 6
    for wrong in ("", "lilit", "a@b@c", "x" * 300 + "@reader.example", "a\r\nBcc: b@c.example"):
        answer = shop.client.post(f"{path}/address", data={"address": wrong})
        assert answer.status_code == 422
        assert 'id="address-problem"' in answer.text
        assert re.search("is no e-mail address|Please write your e-mail", answer.text)


@pytest.mark.parametrize("suppressed", [LILIT, "@reader.example"])
def test_whom_no_mail_may_go_to_is_told_whom_to_write_to_for_their_data(
    shop: Site, suppressed: str
) -> None:
    lilit = shop.put(LILIT)
    forbid(shop, suppressed)
    before = shop.dump()
    page = shop.client.post(shop.preferences_path(lilit) + "/data").text
    assert "on its way" not in page
    assert "No mail of ours may go to" in page
    assert "editors@paper.example" in page
    assert LILIT not in page
    assert shop.dump() == before


@pytest.mark.parametrize("suppressed", [NEW, "@other.example", "*.example"])
def test_a_letter_heeds_what_forbids_mail_to_the_mailbox_it_goes_to(
    shop: Site, suppressed: str
) -> None:
    lilit = shop.put(LILIT)
    shop.client.post(shop.preferences_path(lilit) + "/address", data={"address": NEW})
    forbid(shop, suppressed)
    assert shop.outgoing() == []


@pytest.mark.parametrize(
    ("suppressed", "told"),
    [
        *((one, []) for one in (LILIT, "@reader.example", "*.example")),
        *((one, [LILIT]) for one in (NEW, "@other.example", "*.other.example")),
    ],
)
def test_what_is_told_to_the_old_mailbox_heeds_what_forbids_mail_there_alone(
    shop: Site, suppressed: str, told: list[str]
) -> None:
    shop.client.post(shop.preferences_path(shop.put(LILIT)) + "/address", data={"address": NEW})
    ((_, mail),) = shop.outgoing()
    shop.client.post(path_in(mail, "address"))
    forbid(shop, suppressed)
    assert [letter.address for letter, _ in shop.outgoing()] == told


def forbid(shop: Site, written: str) -> None:
    """Suppress an address, or whole domains, for legal reasons."""
    now, legal = shop.clock.now(), SuppressionReason.LEGAL
    with shop.database.write() as tx:
        if written[0] in "@*":
            tx.suppressions.add_rules([DomainRule(written, legal, now, "test")], "test")
        else:
            tx.subscribers.suppress(shop.keyring.hash_address(written), legal, now, "test")


def test_what_is_held_goes_to_the_readers_own_mailbox_alone(shop: Site) -> None:
    lilit = shop.put(LILIT, name="Lilit")
    answer = shop.client.post(shop.preferences_path(lilit) + "/data")
    assert LILIT not in answer.text
    ((delivery, mail),) = shop.outgoing()
    assert delivery.address == LILIT
    path = path_in(mail, "data")
    before = shop.dump()
    assert LILIT not in shop.client.get(path).text
    assert shop.dump() == before

    held = shop.client.post(path, data={"act": "download"})
    assert held.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    document = held.json()
    assert document["subscriber"]["address"] == LILIT
    (subscription,) = document["subscriptions"]
    assert (subscription["newsletter"], subscription["state"]) == ("weekly", "active")
    assert subscription["consent_wording"] == "Paper slips of 2019"
    (sent,) = document["deliveries"]
    assert (sent["address"], sent["subject"]) == (LILIT, "Your data: the Courier")
    assert {change["act"] for change in document["changes"]} == {"active", "data asked"}

    assert shop.client.post(path, data={"act": "burn"}).status_code == 400
    shop.clock.instant += timedelta(days=1, seconds=1)
    for answer in (shop.client.get(path), shop.client.post(path, data={"act": "download"})):
        assert answer.status_code == 404


def test_a_reader_is_forgotten_by_their_own_button(shop: Site) -> None:
    lilit = shop.put(LILIT, name="Lilit")
    shop.client.post(shop.preferences_path(lilit) + "/address", data={"address": NEW})
    shop.client.post(shop.preferences_path(lilit) + "/data")
    data = next(path_in(mail, "data") for d, mail in shop.outgoing() if d.address == LILIT)
    page = shop.client.post(data, data={"act": "forget"})
    assert "You are forgotten" in page.text
    for word in ("lilit", "Lilit"):
        assert word not in "\n".join(shop.dump()), word
    with shop.database.read() as tx:
        assert tx.subscribers.suppression(shop.keyring.hash_address(LILIT)) == "forgotten"
    assert shop.client.post(data, data={"act": "forget"}).status_code == 404
    assert shop.client.post(data, data={"act": "download"}).status_code == 404


def test_a_scanner_that_follows_every_link_changes_nothing(shop: Site) -> None:
    lilit = shop.put(LILIT)
    path = shop.preferences_path(lilit)
    shop.client.post(f"{path}/address", data={"address": NEW})
    shop.client.post(f"{path}/data")
    shop.choose(path, {"newsletter": ["weekly", "kitchen"]})
    mails = [mail for _, mail in shop.outgoing()]
    assert len(mails) == 3
    before = shop.dump()
    links = {link for mail in mails for link in links_in(mail.html + mail.text)}
    ours = [link for link in links if link.startswith(BASE_URL)]
    assert len({link.split("/")[3] for link in ours}) == 3
    for link in (*ours, BASE_URL + path, BASE_URL + shop.unsubscribe_path(lilit)):
        for method in ("GET", "HEAD", "OPTIONS"):
            shop.client.request(method, link.removeprefix(BASE_URL).rstrip("."))
    assert shop.dump() == before


def test_no_link_opens_what_another_is_for(shop: Site) -> None:
    lilit = shop.put(LILIT)
    later = shop.clock.now() + timedelta(days=1)
    preferences = shop.preferences_path(lilit).rpartition("/")[2]
    data = shop.keyring.sign_until(Purpose.DATA, later, lilit.public_id)
    before = shop.dump()
    for path, form in (
        (f"/data/{preferences}", {"act": "forget"}),
        (f"/address/{preferences}", {}),
        (f"/address/{data}", {}),
        (f"/take-back/{data}", {}),
        (f"/take-back/{preferences}", {}),
        (f"/preferences/{data}", {"none": "1"}),
        (f"/preferences/{data}/address", {"address": NEW}),
        (f"/preferences/{data}/data", {}),
        (f"/unsubscribe/{data}", {}),
    ):
        assert shop.client.get(path).status_code in (404, 405)
        assert shop.client.post(path, data=form).status_code == 404
    assert shop.dump() == before


def test_a_reason_is_told_if_the_reader_likes(shop: Site) -> None:
    path = shop.unsubscribe_path(shop.put(LILIT))
    told = {"from": "goodbye", "reason": "too_much"}
    assert "Would you tell us why?" not in shop.client.get(path).text
    # Not before having left, and telling it is no way of leaving.
    shop.client.post(path, data=told)
    assert (shop.state(LILIT), left_because(shop)) == ("active", None)
    assert "Would you tell us why?" in shop.client.post(path, data={"from": "page"}).text
    assert "Thank you for telling us." in shop.client.post(path, data=told).text
    assert left_because(shop) == "too_much"
    for wrong in ("", "boredom", "x" * 5000):
        answer = shop.client.post(path, data={"from": "goodbye", "reason": wrong})
        assert answer.status_code == 400
    assert left_because(shop) == "too_much"
    undo = re.search(r'name="undo" value="([^"]+)"', shop.client.get(path).text)
    assert undo is not None
    shop.client.post(path, data={"undo": undo[1]})
    assert (shop.state(LILIT), left_because(shop)) == ("active", None)
    # From the old page, in another window.
    stale = shop.client.post(path, data=told).text
    assert "off the list" not in stale
    assert stale == shop.client.get(path).text
    assert (shop.state(LILIT), left_because(shop)) == ("active", None)


def reader(shop: Site, address: str = LILIT) -> Subscriber:
    with shop.database.read() as tx:
        found = tx.subscribers.find(address)
    assert found is not None
    return found


def departments(shop: Site) -> tuple[str, ...]:
    subscription = shop.subscription(LILIT)
    assert subscription is not None
    return subscription.departments


def left_because(shop: Site) -> str | None:
    subscription = shop.subscription(LILIT)
    assert subscription is not None
    return subscription.left_because
