import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.delivery.model import MailingKind
from newsletter.errors import AddressError, NotFound, TokenError, UsageError
from newsletter.rendering.environment import Templates
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.importing import Imported
from newsletter.subscribers.model import SuppressionReason
from newsletter.workflows.confirm import confirm_subscription
from newsletter.workflows.export_subscribers import export_subscribers
from newsletter.workflows.forget import forget_subscriber
from newsletter.workflows.import_subscribers import ImportReport, add_subscriber, import_subscribers
from newsletter.workflows.leave import undo_unsubscribe
from newsletter.workflows.sign_up import (
    SignUp,
    prepare_confirmations,
    request_subscription,
    sign_confirmation,
)
from newsletter.workflows.suppress import lift_suppression, suppress_address
from newsletter.workflows.welcome import Letters
from tests.web.site import BASE_URL, NOW, Site, make_blank, open_site

LILIT = "lilit@reader.example"


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("blank") / "newsletter.sqlite")


@pytest.fixture
def site(tmp_path: Path, blank: Path) -> Iterator[Site]:
    with open_site(tmp_path, blank) as opened:
        yield opened


def ask(site: Site, address: str = LILIT, newsletter: str = "weekly", name: str = "") -> int:
    """Ask by the form; how many mails go out for it."""
    request_subscription(
        site.database,
        site.keyring,
        site.settings,
        site.templates,
        SignUp(newsletter, address, wording="Send me the paper.", placement="footer", name=name),
        base_url=BASE_URL,
        now=site.clock.now(),
    )
    return len(site.outgoing())


def press(site: Site, token: str) -> str:
    letters = Letters(site.keyring, site.settings, site.templates, BASE_URL)
    confirm_subscription(site.database, letters, token, now=site.clock.now())
    return site.state(LILIT)


def test_the_confirmation_is_a_short_system_mail_first_in_line(site: Site) -> None:
    ask_name = "Lilit <b>Hakobyan</b>"
    request_subscription(
        site.database,
        site.keyring,
        site.settings,
        site.templates,
        SignUp("weekly", LILIT, wording="Send me the paper.", placement="footer", name=ask_name),
        base_url=BASE_URL,
        now=NOW,
    )
    ((delivery, mailing),) = site.outgoing()
    assert (delivery.address, mailing.kind) == (LILIT, MailingKind.SYSTEM)
    assert (mailing.from_address, mailing.reply_to) == (
        "weekly@paper.example",
        "editors@paper.example",
    )
    assert mailing.return_path == "bounces@paper.example"
    assert mailing.newsletter_id is None
    # Nothing of what the visitor wrote beside the address: it may be spam.
    assert "Hakobyan" not in mailing.html + mailing.text
    subscription = site.subscription(LILIT)
    assert subscription is not None
    assert subscription.subscriber.name == ask_name
    assert subscription.consent.wording == "Send me the paper."
    assert subscription.consent.at == NOW


def test_one_mail_a_day_and_three_until_the_reader_acts(site: Site) -> None:
    sent = []
    for _ in range(10):
        sent.append(ask(site))
        assert ask(site, newsletter="kitchen") == 0
        site.clock.instant += timedelta(hours=8)
    assert sent == [1, 0, 0, 1, 0, 0, 1, 0, 0, 0]
    assert site.state(LILIT) == "pending"


def test_after_a_confirmation_the_count_begins_anew(site: Site) -> None:
    for expected in (1, 1, 1, 0):
        assert ask(site) == expected
        site.clock.instant += timedelta(hours=25)
    subscription = site.subscription(LILIT)
    assert subscription is not None
    subscriber = subscription.subscriber
    with site.database.read() as tx:
        newsletter_id = tx.settings.newsletter_id("weekly")
    token = sign_confirmation(
        site.keyring, subscriber, newsletter_id, site.clock.now() + timedelta(days=1)
    )
    assert press(site, token) == "active"
    ((_, welcome),) = site.outgoing()
    assert welcome.subject == "Welcome: The Courier Weekly"
    assert ask(site) == 0
    site.client.post(site.unsubscribe_path(subscriber))
    assert ask(site) == 1
    assert site.state(LILIT) == "unsubscribed"
    assert press(site, token) == "active"


def test_nine_addresses_get_nine_mails_however_many_ask_at_once(site: Site) -> None:
    people = [f"reader{number}@reader.example" for number in range(9)]
    tries = [person.upper() if n % 2 else person for n in range(4) for person in people]
    with ThreadPoolExecutor(8) as threads:
        for future in [
            threads.submit(
                request_subscription,
                site.database,
                site.keyring,
                site.settings,
                site.templates,
                SignUp("weekly", address, wording="w", placement="p"),
                base_url=BASE_URL,
                now=NOW,
            )
            for address in tries
        ]:
            future.result()
    assert sorted(delivery.address for delivery, _ in site.outgoing()) == people


@pytest.mark.parametrize("reason", SuppressionReason)
def test_the_readers_own_confirmation_lifts_what_it_may(
    site: Site, reason: SuppressionReason
) -> None:
    suppress_address(site.database, site.keyring, LILIT, reason, actor="test", now=NOW)
    address_hash = site.keyring.hash_address(LILIT)
    assert ask(site) == (0 if reason.blocks_confirmation else 1)
    subscriber = site.put(LILIT, "pending")
    with site.database.read() as tx:
        newsletter_id = tx.settings.newsletter_id("weekly")
        assert tx.subscribers.audience_size("weekly") == 0
    token = sign_confirmation(site.keyring, subscriber, newsletter_id, NOW + timedelta(days=1))
    assert press(site, token) == ("pending" if reason.blocks_confirmation else "active")
    with site.database.read() as tx:
        assert (tx.subscribers.suppression(address_hash) is reason) is reason.blocks_confirmation
        assert tx.subscribers.audience_size("weekly") == int(not reason.blocks_confirmation)


@pytest.mark.parametrize("written", [LILIT, "@reader.example"])
def test_of_whom_nobody_may_write_to_a_sign_up_keeps_nothing(site: Site, written: str) -> None:
    legal = SuppressionReason.LEGAL
    suppress_address(site.database, site.keyring, written, legal, actor="test", now=NOW)
    assert "check your inbox" in site.sign_up(LILIT, name="Lilit")
    assert site.outgoing() == []
    dump = " ".join(site.dump())
    assert LILIT not in dump
    assert "Lilit" not in dump


def test_a_suppressed_domain_is_mailed_no_confirmation(site: Site) -> None:
    rule, legal = "@reader.example", SuppressionReason.LEGAL
    told = {"actor": "test", "now": NOW}
    suppress_address(site.database, site.keyring, rule, legal, **told)
    assert ask(site) == 0
    assert site.state(LILIT) == "unknown"
    assert ask(site, "ani@other.test.am") == 1
    assert lift_suppression(site.database, site.keyring, rule, **told)
    assert ask(site) == 1


def test_what_is_wrong_is_told_before_anything_is_written(site: Site) -> None:
    before = site.dump()
    with pytest.raises(AddressError):
        ask(site, "a@@b")
    with pytest.raises(UsageError):
        ask(site, name="L\r\nBcc: x@y.example")
    with pytest.raises(NotFound):
        ask(site, newsletter="daily")
    with pytest.raises(TokenError):
        press(site, "a.x.y.z")
    with pytest.raises(TokenError):
        undo_unsubscribe(site.database, site.keyring, site.settings, "a.x.y.z", now=NOW)
    assert site.dump() == before


def bring_in(site: Site, text: str) -> ImportReport:
    return import_subscribers(
        site.database,
        site.keyring,
        open_subscriber_file(text.encode()),
        newsletter="weekly",
        consent="Paper slips at the festival, 2025",
        actor="Ani",
        now=NOW,
    )


def counts(report: ImportReport) -> dict[str, int]:
    return {str(outcome): n for outcome, n in report.outcomes.items() if n}


def test_an_import_twice_is_once(site: Site) -> None:
    text = "email,name\n" + "".join(f"r{n}@reader.example,R {n}\n" for n in range(503))
    seen: list[int] = []
    report = import_subscribers(
        site.database,
        site.keyring,
        open_subscriber_file((text + "a@@b,\n").encode()),
        newsletter="weekly",
        consent="Paper slips",
        actor="Ani",
        now=NOW,
        on_progress=seen.append,
    )
    assert counts(report) == {"added": 503}
    assert (report.rows, report.refused) == (504, 1)
    assert report.refused_rows[0].line == 505
    assert report.refused_rows[0].sentence.startswith('"a@@b" is no e-mail address')
    assert seen == sorted(seen)
    assert seen[-1] == 504
    before = [line for line in site.dump() if "subscriber_import" not in line]
    assert counts(bring_in(site, text)) == {"already there": 503}
    assert [line for line in site.dump() if "subscriber_import" not in line] == before
    subscription = site.subscription("r7@reader.example")
    assert subscription is not None
    assert subscription.consent.how == "import"
    assert subscription.subscriber.name == "R 7"


def test_an_import_brings_back_nobody_who_left(site: Site) -> None:
    site.put("left@reader.example", "unsubscribed")
    site.put("waits@reader.example", "pending")
    site.put("reads@reader.example")
    site.put("goes@reader.example")
    suppress_address(
        site.database,
        site.keyring,
        "Never@reader.example",
        SuppressionReason.COMPLAINT,
        actor="test",
        now=NOW,
    )
    site.put("asked@reader.example")
    forget_subscriber(site.database, site.keyring, "asked@reader.example", actor="test", now=NOW)
    report = bring_in(
        site,
        "email,status\nleft@reader.example,active\nwaits@reader.example,\n"
        "reads@reader.example,\ngoes@reader.example,unsubscribed\nnever@reader.example,\n"
        "asked@reader.example,\nnew@reader.example,\ngone@reader.example,unsubscribed\n"
        "dead@reader.example,cleaned\nslow@reader.example,paused\n",
    )
    assert counts(report) == {
        "added": 2,
        "already there": 1,
        "left earlier": 1,
        "waits for confirmation": 1,
        "suppressed": 2,
        "taken off": 3,
    }
    people = ["left", "waits", "reads", "goes", "never", "asked", "new", "gone", "dead", "slow"]
    assert [site.state(f"{person}@reader.example") for person in people] == [
        *("unsubscribed", "pending", "active", "unsubscribed", "unknown", "unknown", "active"),
        *("unsubscribed", "unsubscribed", "paused"),
    ]
    with site.database.read() as tx:
        assert tx.subscribers.suppression(site.keyring.hash_address("dead@reader.example"))
        assert tx.subscribers.audience_size("weekly") == 2


def test_an_export_moves_readers_to_another_installation(
    site: Site, tmp_path_factory: pytest.TempPathFactory, blank: Path
) -> None:
    people = {"+plus@reader.example": "active", LILIT: "unsubscribed", "p@reader.example": "paused"}
    for address, state in people.items():
        site.put(address, state, name="=SUM(A1)")
    stream = io.StringIO(newline="")
    assert export_subscribers(site.database, "weekly", stream) == 3
    assert export_subscribers(site.database, None, io.StringIO()) == 3
    assert export_subscribers(site.database, "kitchen", io.StringIO()) == 0
    with open_site(tmp_path_factory.mktemp("other"), blank) as other:
        bring_in(other, stream.getvalue())
        for address, state in people.items():
            subscription = other.subscription(address)
            assert subscription is not None
            assert (subscription.state, subscription.subscriber.name) == (state, "=SUM(A1)")


def test_one_person_is_added_suppressed_and_forgotten_by_an_editor(site: Site) -> None:
    def add() -> Imported:
        return add_subscriber(
            site.database,
            site.keyring,
            newsletter="weekly",
            address="Lilit@reader.example",
            wording="Asked on the telephone",
            actor="Ani",
            now=NOW,
        )

    assert add() is Imported.ADDED
    assert add() is Imported.ALREADY_THERE
    suppress_address(
        site.database, site.keyring, LILIT, SuppressionReason.LEGAL, actor="Ani", now=NOW
    )
    assert add() is Imported.SUPPRESSED
    assert lift_suppression(site.database, site.keyring, LILIT, actor="Ani", now=NOW)
    assert not lift_suppression(site.database, site.keyring, LILIT, actor="Ani", now=NOW)
    forget_subscriber(site.database, site.keyring, LILIT, actor="Ani", now=NOW)
    assert add() is Imported.SUPPRESSED
    assert LILIT not in "\n".join(site.dump())
    with pytest.raises(NotFound, match=LILIT):
        forget_subscriber(site.database, site.keyring, LILIT, actor="Ani", now=NOW)
    with pytest.raises(NotFound):
        add_subscriber(
            site.database,
            site.keyring,
            newsletter="daily",
            address=LILIT,
            wording="",
            actor="Ani",
            now=NOW,
        )


def test_a_confirmation_that_fails_is_told_before_anybody_signs_up(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own" / "email").mkdir(parents=True)
    (tmp_path / "own" / "email" / "message.html").write_text("{{ nothing.here }}", "utf-8")
    for templates in (site.templates, Templates(tmp_path / "own")):
        now = site.clock.now()
        prepare_confirmations(site.settings, templates, base_url=BASE_URL, now=now)
        told = capsys.readouterr()
        failed = "confirmation_failed" in told.out + told.err
        assert failed is (templates is not site.templates)
