"""What the log and the versions tell of an issue's changes: each part, before and after."""

from datetime import UTC, datetime

from newsletter.publication.editors import Role
from tests.web.desk.people import Person, put_editor, sign_in
from tests.web.desk.send_shop import ACCEPTED, PATH, answer, begin, open_send_shop, stored
from tests.web.desk.test_desk_review import read, text_of
from tests.web.site import Site


def sit_down(site: Site) -> Person:
    shop = open_send_shop(site)
    for number in range(3):
        shop.put(f"reader{number}@mail.example")
    return sign_in(shop, put_editor(shop, Role.PUBLISHER, "anna@paper.example", name="Anna"))


def test_a_correction_is_told_with_before_and_after(site: Site) -> None:
    anna = sit_down(site)
    begin(site)
    answer(site, ACCEPTED)
    anna.post(f"{PATH}/pause")
    before = stored(site).subject
    anna.post(f"{PATH}/correct", {"subject": "Said rightly"})
    history = read(anna, "/desk/history")
    assert history.css_first(".differences del").text() == before  # type: ignore[union-attr]
    assert history.css_first(".differences ins + ins, .differences del + ins") is not None
    assert "Said rightly" in text_of(history)
    assert "revision 2: the subject" in text_of(read(anna, f"{PATH}/versions"))


def test_each_act_is_told_with_the_state_it_found_and_by_the_subject_of_then(site: Site) -> None:
    anna = sit_down(site)
    before = stored(site).subject
    moved = anna.post(f"{PATH}/time", {"date": "2025-08-07", "time": "09:15"})
    assert moved.status_code == 303
    begin(site)
    answer(site, ACCEPTED)
    anna.post(f"{PATH}/pause")
    anna.post(f"{PATH}/correct", {"subject": "Said rightly"})
    anna.post(f"{PATH}/resume")
    name = site.settings.newsletter[0].name
    lines = [
        " ".join(line.text(separator=" ").split())
        for line in read(anna, "/desk/history").css(".log li")
    ]

    def line_of(act: str) -> str:
        (found,) = [line for line in lines if line.startswith(f"Anna {act} :")]
        return found

    assert f"{name}, {stored(site).slot} · Said rightly" in line_of("went on sending")
    assert f"{name}, {stored(site).slot} · {before}" in line_of("paused")
    assert "state sending paused" in line_of("paused")
    assert "09:15 Los Angeles" in line_of("moved to another time")
    assert "T16:15" not in line_of("moved to another time")


def test_of_long_texts_both_sides_are_shown(site: Site) -> None:
    anna = sit_down(site)
    for text in ("Long before. " * 100, "And then another. " * 100):
        fields = {"act": "lines", "version": str(stored(site).version), "note": text}
        anna.post(PATH, fields)
        site.clock.sleep(600)
    change = read(anna, "/desk/history").css(".differences div")
    sides = [(one.css_first("del"), one.css_first("ins")) for one in change]
    told = [(was.text(), became.text()) for was, became in sides if was and became]
    assert any(a.startswith("Long before.") and b.startswith("And then") for a, b in told)
    # The versions have all of it, in a fold that needs no script.
    versions = read(anna, f"{PATH}/versions")
    whole = [one.text() for one in versions.css(".differences ins") if one.css_first("details")]
    assert any(one.replace("…", "") == ("And then another. " * 100).strip() for one in whole)


def test_a_day_out_of_reach_is_refused_and_an_hour_that_is_skipped_told(site: Site) -> None:
    # The clocks of Los Angeles go from 02:00 to 03:00 on the day after.
    site.clock.instant = datetime(2026, 3, 7, 14, tzinfo=UTC)
    anna = sit_down(site)
    for day in ("9999-12-31", "0001-01-01"):
        answered = anna.post(f"{PATH}/time", {"date": day, "time": "23:59"})
        assert answered.status_code == 400
        assert "is out of reach" in answered.text
    moved = anna.post(f"{PATH}/time", {"date": "2026-03-08", "time": "02:30"})
    assert "it is 03:30 then" in text_of(read(anna, moved.headers["location"]))
    moved = anna.post(f"{PATH}/time", {"date": "2026-03-08", "time": "04:30"})
    assert "told" not in moved.headers["location"]
