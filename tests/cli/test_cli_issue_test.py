"""`newsletter issue test`: marked, told what became of it, and counted nowhere."""

from email import message_from_bytes
from email.policy import default
from pathlib import Path

from newsletter.demo.catcher import MailCatcher
from tests.acceptance.ready_house import make_house, read_report, reader_addresses
from tests.cli.conftest import Call

SAVED = (
    'name = "Courier Weekly"\n',
    'name = "Courier Weekly"\ntest_addresses = ["desk@paper.example"]\n',
)


def test_a_test_is_marked_and_counted_nowhere(tmp_path: Path, call: Call) -> None:
    with MailCatcher(tmp_path / "outbox") as catcher:
        issue = make_house(tmp_path, catcher.port, reader_addresses(2), changes=[SAVED])
        done = call(tmp_path, "issue", "test", "--to", "Ani@Phone.example", "--json")
        again = call(tmp_path, "issue", "test", "--no-saved", "--to", "ani@phone.example")
        nobody = call(tmp_path, "issue", "test", "--no-saved")
        unknown = call(tmp_path, "issue", "test", "--language", "fr")
        wrong = call(tmp_path, "issue", "test", "--to", "ani")
    assert done.status == again.status == 0, done.err + again.err
    assert done.json["subject"] == f"[Test] {issue.subject}"
    assert [(one["address"], one["state"]) for one in done.json["results"]] == [
        ("ani@phone.example", "accepted"),
        ("desk@paper.example", "accepted"),
    ]
    assert "ani@phone.example: sent (250" in again.out
    mails = [
        message_from_bytes(path.read_bytes(), policy=default)
        for path in sorted((tmp_path / "outbox").glob("*.eml"))
    ]
    assert [mail["to"] for mail in mails] == [
        "ani@phone.example",
        "desk@paper.example",
        "ani@phone.example",
    ]
    for mail in mails:
        assert mail["subject"] == f"[Test] {issue.subject}"
        assert mail["list-id"] is not None
        assert mail["feedback-id"].startswith("test:")
        html = mail.get_body(("html",))
        assert html is not None
        assert issue.items[0].url in html.get_content()
    assert len({mail["message-id"] for mail in mails}) == 3
    assert nobody.status == unknown.status == 2
    assert "set test_addresses of weekly" in nobody.err
    assert 'no language "fr"' in unknown.err
    assert wrong.status != 0
    assert "ani" in wrong.err
    report = read_report(tmp_path)
    assert report["audience"] == 0
    shown = call(tmp_path, "issue", "show", "--json").json
    assert (shown["state"], shown["version"]) == ("approved", 1)
