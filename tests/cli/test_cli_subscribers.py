"""`newsletter subscribers`: bringing readers in, taking that back, and what may not be mailed."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli.opening import open_from_file
from newsletter.subscribers.model import Consent, SubscriptionWish
from tests.acceptance.command_line import Answer, write_config
from tests.cli.conftest import Call

MAILCHIMP = (
    "Email Address,First Name,Last Name,Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,"
    "CONFIRM_IP,LEID,EUID,NOTES,TAGS\n"
    'ani@reader.example,Ani,Petrosyan,"1 Main St",2,2019-05-01 08:00:00,203.0.113.9,'
    '2019-05-01 08:09:10,203.0.113.9,17,ab12,,"""VIP"",""Blog, weekly"""\n'
)


class Desk:
    """The command line in a folder with a config."""

    def __init__(self, folder: Path, call: Call) -> None:
        self.folder = folder
        self._call = call
        write_config(folder, feed="http://127.0.0.1:9/", port=9)

    def __call__(self, *arguments: str, status: int = 0) -> Answer:
        answer = self._call(self.folder, "subscribers", *arguments)
        assert answer.status == status, answer.err + answer.out
        return answer

    def bring(self, text: str, *options: str, name: str = "list.csv", status: int = 0) -> Any:
        (self.folder / name).write_text(text, encoding="utf-8")
        consent = ("--consent", "told on paper")
        return self("import", name, *consent, "--json", *options, status=status).json

    def state(self, address: str) -> str | None:
        answer = self._call(self.folder, "subscribers", "find", address, "--json")
        if answer.status:
            return None
        (found,) = answer.json["subscriptions"] or [{"state": None}]
        return str(found["state"])


@pytest.fixture
def desk(tmp_path: Path, call: Call) -> Desk:
    return Desk(tmp_path, call)


def counts(document: Any) -> dict[str, int]:
    return {outcome: n for outcome, n in document["outcomes"].items() if n}


def test_what_is_asked_for_after_a_goodbye_is_told_and_expires_alone(desk: Desk) -> None:
    gone = "email,status\nani@reader.example,unsubscribed\n"
    assert counts(desk.bring(gone)) == {"taken off": 1}
    consent = Consent("form", "Send me the paper.", datetime(2025, 8, 5, tzinfo=UTC), "footer")
    config = desk.folder / "config.toml"
    with open_from_file(config) as installation, installation.database.write() as tx:
        reader = tx.subscribers.find("ani@reader.example")
        assert reader is not None
        tx.wishes.hold(reader.public_id, "weekly", SubscriptionWish(consent), "reader")
    found = desk("find", "ani@reader.example")
    assert "asked again by form, 2025-08-05, not confirmed: Send me the paper." in found.out
    (subscription,) = desk("find", "ani@reader.example", "--json").json["subscriptions"]
    assert (subscription["state"], subscription["wish"]["placement"]) == ("unsubscribed", "footer")
    dry = desk("expire", "--dry-run", "--json").json
    assert (dry["unconfirmed"], desk("expire", "--json").json["unconfirmed"]) == (1, 1)
    (subscription,) = desk("find", "ani@reader.example", "--json").json["subscriptions"]
    assert (subscription["state"], subscription["wish"]) == ("unsubscribed", None)
    old = desk.bring("email\nani@reader.example\n", name="old.csv")
    assert counts(old) == {"left earlier": 1}


def test_an_export_of_another_service_is_recognised_and_said(desk: Desk) -> None:
    document = desk.bring(MAILCHIMP)
    assert document["file"] == {
        "format": "Mailchimp",
        "encoding": "utf-8",
        "separator": ",",
        "columns": ["address", "first name", "last name", "time of consent", "attribute tags"],
        "not_taken": ["Address", "MEMBER_RATING", "NOTES"],
    }
    assert counts(document) == {"added": 1}
    found = desk("find", "ani@reader.example", "--json").json
    assert found["subscriber"]["name"] == "Ani Petrosyan"
    assert found["subscriber"]["attributes"] == {"tags": ["VIP", "Blog, weekly"]}
    (subscription,) = found["subscriptions"]
    assert subscription["at"] == "2019-05-01T08:09:10+00:00"
    assert subscription["placement"] == "Mailchimp"
    assert subscription["wording"] == "told on paper"
    shown = desk("import", "list.csv", "--consent", "x", "--dry-run").err
    assert 'Mailchimp, utf-8, separated by ","; taken: address' in shown
    assert "not taken: Address, MEMBER_RATING, NOTES" in shown


def test_who_never_opted_in_is_left_out_unless_that_is_wanted(desk: Desk) -> None:
    """A contact of a shop or of transactional mail has neither time in Mailchimp's export."""
    desk.bring("email\nold@reader.example\n")
    head, row = MAILCHIMP.splitlines(keepends=True)
    times = ("2019-05-01 08:00:00", "2019-05-01 08:09:10")
    buyer = row.replace("ani@", "buyer@").replace(times[0], "").replace(times[1], "")
    single = row.replace("ani@", "single@").replace(times[1], "")
    text = head + row + buyer + buyer.replace("buyer@", "old@") + single
    for options in ((), ("--dry-run",)):
        document = desk.bring(text, *options, name="shop.csv")
        assert document["outcomes"]["no opt-in in the file"] == 1
        assert document["lines"]["no opt-in in the file"] == [3]
        assert document["outcomes"]["already there"] == (3 if options else 1)
    assert desk.state("buyer@reader.example") is None
    assert desk.state("old@reader.example") == "active"
    assert desk.state("single@reader.example") == "active"
    document = desk.bring(text, "--without-opt-in", name="shop.csv")
    assert counts(document) == {"added": 1, "already there": 3}
    assert desk.state("buyer@reader.example") == "active"
    gone = MAILCHIMP.replace("TAGS\n", "TAGS,UNSUB_TIME\n") + buyer
    assert counts(desk.bring(gone, name="gone.csv")) == {"taken off": 2}


LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    "5b,ani@reader.example,Ani,{},enabled,2025-01-02 03:04:05 +0000 UTC,x\n"
    "5c,eva@reader.example,Eva,{},enabled,CREATED,x\n"
)


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+01:00"])
def test_a_time_beyond_the_calendar_is_no_time(desk: Desk, at: str) -> None:
    document = desk.bring(LISTMONK.replace("CREATED", at))
    assert counts(document) == {"added": 2}
    found = desk("find", "eva@reader.example", "--json").json
    assert not found["subscriptions"][0]["at"].startswith((at[:4], "0000"))
    (desk.folder / "theirs.csv").write_text(f"email,at\nx@reader.example,{at}\n", encoding="utf-8")
    taken = desk("suppressions", "import", "theirs.csv", "--json").json
    assert (taken["suppressed"], taken["refused"]) == (1, 0)


def test_a_line_end_within_a_tag_stops_no_import(desk: Desk) -> None:
    document = desk.bring(MAILCHIMP.replace('""Blog, weekly""', "Blog\rweekly"))
    assert counts(document) == {"added": 1}


def test_a_dry_run_says_what_the_import_then_does(desk: Desk) -> None:
    desk.bring("email\nhere@reader.example\ngoes@reader.example\n")
    desk("suppress", "never@reader.example")
    text = (
        "email,status\nnew@reader.example,\nhere@reader.example,\nNEW@reader.example,\n"
        "goes@reader.example,unsubscribed\nnever@reader.example,\na@@b,\n"
        "gone@reader.example,unsubscribed\ngone@reader.example,bounced\n"
    )
    dry = desk.bring(text, "--dry-run", status=1)
    assert desk.state("new@reader.example") is None
    assert desk.state("goes@reader.example") == "active"
    wet = desk.bring(text, status=1)
    assert counts(dry) == counts(wet)
    assert counts(wet) == {
        "added": 1,
        "already there": 1,
        "repeated in the file": 2,
        "taken off": 2,
        "suppressed": 1,
    }
    assert dry["refused"] == wet["refused"] == 1
    assert wet["lines"]["repeated in the file"] == [4, 9]
    assert (dry["import"], dry["dry_run"]) == (None, True)
    imports = desk("imports", "--json").json["imports"]
    assert next(one["id"] for one in imports) == wet["import"]
    assert len(imports) == 2
    assert wet["import"] in desk("imports").out


def test_refused_rows_that_find_no_room_are_told_in_a_sentence(desk: Desk) -> None:
    (desk.folder / "list.csv").write_text("email\nno address\n", encoding="utf-8")
    answer = desk(
        *("import", "list.csv", "--consent", "on paper", "--refused", "/dev/full"), status=2
    )
    assert "/dev/full: can't be written" in answer.err


def test_refused_rows_go_to_a_file_that_runs_no_formula(desk: Desk) -> None:
    desk.bring(
        'email,name\nani@reader.example,Ani\n=HYPERLINK(1)@x,"=cmd|calc"\n',
        *("--refused", "refused.csv"),
        status=1,
    )
    with (desk.folder / "refused.csv").open(encoding="utf-8", newline="") as stream:
        head, row = csv.reader(stream)
    assert head == ["line", "why"]
    assert row[0] == "3"
    assert "is no e-mail address" in row[1]
    assert row[2:] == ["'=HYPERLINK(1)@x", "'=cmd|calc"]


def test_columns_asked_for_become_attributes_and_come_out_again(desk: Desk) -> None:
    text = "email,Member Rating,Town\nani@reader.example,5,Gyumri\nlilit@reader.example,,=x\n"
    desk.bring(text, "--attributes", "member_rating, Town")
    found = desk("find", "ani@reader.example", "--json").json
    assert found["subscriber"]["attributes"] == {"member_rating": "5", "town": "Gyumri"}
    desk("export", "--out", "out.csv")
    with (desk.folder / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["attributes"] for row in rows] == [
        '{"member_rating": "5", "town": "Gyumri"}',
        '{"town": "=x"}',
    ]
    wrong = desk("import", "list.csv", "--consent", "Foire d'\udce9t\udce9", status=2)
    assert "--consent is not written in UTF-8" in wrong.err
    wrong = desk("import", "list.csv", "--consent", "x", "--attributes", "Age", status=2)
    assert 'no other column "Age"; there are: Member Rating, Town' in wrong.err


def test_an_import_is_taken_back_in_one_command(desk: Desk) -> None:
    first = desk.bring("email\nstays@reader.example\ngoes@reader.example\n")
    second = desk.bring(
        "email,status\nnew@reader.example,\ngoes@reader.example,unsubscribed\n"
        "dead@reader.example,bounced\nstays@reader.example,\nleft@reader.example,\n"
    )
    assert counts(second) == {"added": 2, "already there": 1, "taken off": 2}
    done = desk("import", "--undo", second["import"], "--json").json
    assert done == {
        "import_id": second["import"],
        "subscriptions_removed": 3,
        "people_removed": 3,
        "brought_back": 1,
        "suppressions_lifted": 1,
    }
    people = ["stays", "goes", "new", "dead", "left"]
    assert [desk.state(f"{person}@reader.example") for person in people] == [
        *("active", "active", None, None, None)
    ]
    again = desk("import", "--undo", second["import"], "--json").json
    assert again["subscriptions_removed"] == again["people_removed"] == 0
    states = {one["id"]: one["state"] for one in desk("imports", "--json").json["imports"]}
    assert states == {first["import"]: "finished", second["import"]: "undone"}
    # Taken back, the file may come in again.
    assert counts(desk.bring("email\nnew@reader.example\n", name="b.csv")) == {"added": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import",), "name the file to import"),
        (("import", "none.csv", "--consent", "x"), "none.csv: can't be read"),
        (("import", "list.csv"), "--consent: say how they agreed"),
        (("import", "list.csv", "--undo", "x"), "--undo ID takes an import back"),
        (
            ("import", "list.csv", "--consent", "x", "--refused", "no/where.csv"),
            "no/where.csv: can't be written",
        ),
        (("suppress", "@reader.example", "--reason", "bounced"), "legal or complaint"),
        (("suppressions", "import", "none.csv"), "none.csv: can't be read"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    (desk.folder / "list.csv").write_text("email\nani@reader.example\n", encoding="utf-8")
    answer = desk(*arguments, status=2)
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_an_unknown_import_is_told(desk: Desk) -> None:
    assert 'there is no import "nothing"' in desk("import", "--undo", "nothing", status=1).err


def test_what_is_no_domain_is_told(desk: Desk) -> None:
    for wrong in ("@nowhere", "*.", "@", "@a b.example", "*.*.example"):
        assert "names no domain" in desk("suppress", wrong, status=1).err


def test_domains_are_suppressed_and_lifted(desk: Desk) -> None:
    desk.bring("email\na@reader.example\nb@mail.reader.example\nc@other.example\n")
    audience = lambda: desk("stats", "--json").json["newsletters"]["weekly"]["audience"]  # noqa: E731
    desk("suppress", "*.reader.example")
    assert audience() == 2
    desk("suppress", "@Reader.example", "--reason", "complaint")
    assert audience() == 1
    # Whoever comes later is covered as well.
    assert counts(desk.bring("email\nd@reader.example\ne@x.y.reader.example\n", name="b.csv")) == {
        "suppressed": 2
    }
    assert "c@other.example" not in desk("suppressions", "list").out
    rules = desk("suppressions", "list", "--json").json["rules"]
    assert [(rule["pattern"], rule["reason"]) for rule in rules] == [
        ("*.reader.example", "legal"),
        ("@reader.example", "complaint"),
    ]
    desk("suppress", "*.reader.example", "--lift")
    assert audience() == 2
    desk("suppress", "@reader.example", "--lift")
    assert audience() == 3
    assert "was not suppressed" in desk("suppress", "@reader.example", "--lift", status=1).err


def test_the_suppression_list_goes_out_and_comes_in(desk: Desk) -> None:
    desk.bring("email\nani@reader.example\n")
    for wanted in ("ani@reader.example", "unknown@reader.example", "@spam.example"):
        desk("suppress", wanted)
    desk("suppressions", "export", "--out", "out.csv")
    with (desk.folder / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["address"] for row in rows] == ["'@spam.example", "ani@reader.example", ""]
    assert all(row["reason"] == "legal" for row in rows)
    assert rows[2]["hash"]
    for wanted in ("ani@reader.example", "unknown@reader.example", "@spam.example"):
        desk("suppress", wanted, "--lift")
    back = desk("suppressions", "import", "out.csv", "--json").json
    assert (back["suppressed"], back["rules"], back["already"], back["refused"]) == (2, 1, 0, 0)
    again = desk("suppressions", "import", "out.csv", "--json").json
    assert (again["suppressed"], again["rules"], again["already"]) == (0, 0, 3)
    found = desk("find", "unknown@reader.example", "--json").json
    held = {"subscriber": None, "suppressed": "legal", "subscriptions": []}
    assert found == held | {"former_addresses": 0}
    # Another installation can't know whose its hashes are.
    text = (desk.folder / "out.csv").read_text(encoding="utf-8")
    (desk.folder / "other.csv").write_text(text.replace(rows[2]["key"], "other234"), "utf-8")
    other = desk("suppressions", "import", "other.csv", "--json", status=1).json
    assert (other["suppressed"], other["already"], other["refused"]) == (0, 2, 1)
    assert "to the installation that made it" in str(other["refused_rows"])


def test_a_list_of_others_is_suppressed_line_by_line(desk: Desk) -> None:
    (desk.folder / "theirs.csv").write_text(
        "ani@reader.example\na@@b\n*.spam.example\n", encoding="utf-8"
    )
    arguments = ("suppressions", "import", "theirs.csv", "--reason", "complaint")
    answer = desk(*arguments, "--json", "--refused", "refused.csv", status=1)
    assert (answer.json["suppressed"], answer.json["rules"], answer.json["refused"]) == (1, 1, 1)
    assert "a@@b" in (desk.folder / "refused.csv").read_text(encoding="utf-8")
    assert desk("find", "x@a.spam.example", "--json").json["suppressed"] == "complaint"


@pytest.mark.parametrize(
    ("text", "encoding", "format_"),
    [
        (
            "address;reason\nani@reader.example;complaint\n@spam.example;\n;\na@@b;\n",
            "utf-16",
            "plain CSV",
        ),
        ("E-Mail-Adresse;Grund\nani@reader.example;x\n@spam.example;\n", "utf-8-sig", "plain CSV"),
        ("1\tani@reader.example\n2\t@spam.example\n3\ta@@b\n", "utf-16-le", "plain CSV"),
        (
            MAILCHIMP.replace("TAGS\n", "TAGS,CLEAN_TIME\n").replace('weekly"""\n', 'weekly""",x\n')
            + "@spam.example\na@@b\n",
            "utf-8",
            "Mailchimp",
        ),
    ],
)
def test_a_list_is_understood_however_it_was_written(
    desk: Desk, text: str, encoding: str, format_: str
) -> None:
    (desk.folder / "theirs.csv").write_bytes(text.encode(encoding))
    arguments = ("suppressions", "import", "theirs.csv", "--json")
    dry = desk(*arguments, "--dry-run", status=1).json
    assert desk("find", "ani@reader.example", "--json", status=1).status == 1
    wet = desk(*arguments, status=1).json
    assert (dry.pop("dry_run"), wet.pop("dry_run")) == (True, False)
    assert dry == wet
    assert (wet["suppressed"], wet["rules"], wet["refused"]) == (1, 1, 1)
    assert wet["file"]["format"] == format_
    again = desk(*arguments, "--dry-run", status=1).json
    assert (again["suppressed"], again["rules"], again["already"]) == (0, 0, 2)
    reason = "complaint" if ";complaint" in text else "legal"
    assert desk("find", "ani@reader.example", "--json").json["suppressed"] == reason
    said = desk("suppressions", "import", "theirs.csv", "--dry-run", status=1)
    assert said.err.startswith(f"{format_}, utf-")
    assert "would be" in said.out


def test_what_is_no_list_suppresses_nothing(desk: Desk) -> None:
    (desk.folder / "theirs.csv").write_text("name;town\nAni;Gyumri\n", encoding="utf-8")
    refused = desk("suppressions", "import", "theirs.csv", status=2)
    assert "the file names no addresses" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_cell_of_any_length_costs_its_own_row(desk: Desk) -> None:
    rows = (
        f'email,name\na@b.example,A\nb@b.example,"{"x" * 140_000}"\nc@b.example,"C\nd@b.example,\n'
    )
    document = desk.bring(rows, status=1)
    assert counts(document) == {"added": 2}
    assert [row["line"] for row in document["refused_rows"]] == [3, 4]
    assert desk.state("d@b.example") == "active"


def test_a_filter_counts_lists_exports_and_narrows(desk: Desk) -> None:
    desk.bring(
        "email,language,Town\nani@reader.example,hy,Yerevan\nbob@reader.example,en,Paris\n"
        "eve@reader.example,en,Yerevan\n",
        "--attributes",
        "town",
    )
    document = desk("count", "attribute.Town = yerevan", "--json").json
    assert document == {
        "filter": "attribute.town = yerevan",
        "readers": 2,
        "subscriptions": [{"newsletter": "weekly", "state": "active", "subscriptions": 2}],
    }
    assert desk("count", "language = hy").out.splitlines() == ["1 readers", "  1 active on weekly"]
    found = desk("find", "--filter", "attribute.town = yerevan", "--limit", "1", "--json").json
    assert [row["address"] for row in found["found"]] == ["ani@reader.example"]
    assert found["more"] is True
    listed = desk("find", "--filter", "language = en")
    assert listed.out.splitlines()[0] == "bob@reader.example on weekly: active"
    exported = desk("export", "--filter", "not language = hy").out
    assert [row["address"] for row in csv.DictReader(exported.splitlines())] == [
        "bob@reader.example",
        "eve@reader.example",
    ]


def test_a_mistake_in_a_filter_is_one_line(desk: Desk) -> None:
    refused = desk("count", "town = Yerevan", status=2)
    assert "filter, character 1: “town” is no field; there are newsletter" in refused.err
    assert len(refused.err.splitlines()) == 1
    assert "[tracking] clicks is" in desk("count", "clicks(90d) = 0", status=2).err
    assert "one of the two" in desk("find", status=2).err


def test_the_segment_of_a_newsletter_narrows_its_audience(desk: Desk) -> None:
    desk.bring("email,language\nani@reader.example,hy\nbob@reader.example,en\n")
    config = desk.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    narrowed = text.replace("[[newsletter]]\n", '[[newsletter]]\nsegment = "language = hy"\n')
    config.write_text(narrowed, encoding="utf-8")
    assert desk("stats", "--json").json["newsletters"]["weekly"]["audience"] == 1
    config.write_text(narrowed.replace("= hy", "< hy"), encoding="utf-8")
    refused = desk("stats", status=2)
    assert 'newsletter "weekly": segment: filter, character 10: language is not' in refused.err


def test_stats_tell_how_the_lists_grew(desk: Desk) -> None:
    desk.bring("email\nani@reader.example\nbob@reader.example\n")
    document = desk("stats", "--by", "month", "--json").json
    (growth,) = document["growth"]
    assert (growth["newsletter"], growth["added"], growth["left"]) == ("weekly", 2, {})
    heads, row = desk("stats", "--since", "2020-01-01").out.splitlines()[-2:]
    assert heads.split()[:3] == ["begins", "newsletter", "placement"]
    assert "weekly" in row
    assert "write it as 2026-01-31" in desk("stats", "--since", "May", status=2).err
    assert "nobody came or left" in desk("stats", "--since", "2999-01-01").err
