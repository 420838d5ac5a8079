"""What comes right after the confirmation."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, Mailing
from newsletter.issues.model import IssueState
from newsletter.publication.model import Settings
from newsletter.workflows.forget import forget_subscriber
from tests.rendering.sample_issue import sample_issue
from tests.web.site import BASE_URL, SETTINGS, Site, make_blank, open_site
from tests.web.test_web_issues import put_issue, rendered_html
from tests.web.test_web_subscribe import confirm_path

LILIT, ANNA = "lilit@reader.example", "anna@reader.example"


@pytest.fixture
def generous(tmp_path: Path) -> Iterator[Site]:
    """A site whose weekly sends the latest issue at once."""
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["newsletter"][0]["welcome_issue"] = True
    settings = Settings.model_validate(document)
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as opened:
        yield opened


def confirm(site: Site, address: str, **fields: str) -> list[tuple[Delivery, Mailing]]:
    """Sign up and confirm; the mails that come for it."""
    site.sign_up(address)
    site.client.post(confirm_path(site), data=fields)
    return site.outgoing()


def test_a_welcome_mail_says_what_comes_and_how_to_leave(site: Site) -> None:
    site.put(LILIT, "pending", "kitchen")
    ((delivery, mail),) = confirm(site, LILIT, also="kitchen")
    assert (delivery.address, mail.subject) == (LILIT, "Welcome: The Courier Weekly")
    assert (mail.kind, mail.reply_to) == ("system", "editors@paper.example")
    assert "The next issue comes on August 8, 2025." in mail.text.replace("\n", " ")
    assert "You also get: From the Kitchen." in mail.text
    assert "/archive/" not in mail.text  # there is no issue yet
    links = re.findall(rf"{BASE_URL}(/\S+)", mail.text)
    for path, word in zip(links, ("What you get", "Unsubscribe"), strict=True):
        assert word in site.client.get(path).text
        assert f'href="{BASE_URL}{path}"' in mail.html
    before = site.dump()
    for path in links:
        site.client.get(path)
    assert site.dump() == before


def test_it_comes_once_and_in_the_readers_language(site: Site) -> None:
    site.client.get("/subscribe/weekly")
    page = site.client.get("/subscribe/weekly?lang=hy").text
    stamp = re.search(r'name="stamp" value="([^"]+)"', page)
    assert stamp is not None
    site.clock.sleep(5)
    site.client.post("/subscribe/weekly?lang=hy", data={"address": LILIT, "stamp": stamp[1]})
    path = confirm_path(site)
    for _ in range(3):
        site.client.post(path)
    ((_, mail),) = site.outgoing()
    assert mail.language == "hy"
    assert mail.subject.startswith("Բարի գալուստ")


def put_sent(site: Site, state: IssueState = IssueState.SENT) -> None:
    issue = sample_issue(state=state)
    put_issue(site, issue, html=rendered_html(site, issue))


def test_the_latest_issue_comes_at_once_where_the_newsletter_wants_it(generous: Site) -> None:
    put_sent(generous)
    generous.clock.instant += timedelta(days=3)
    (_, welcome), (delivery, issue) = confirm(generous, LILIT)
    assert "The latest issue follows at once" in welcome.text
    assert f"{BASE_URL}/archive/weekly/" in welcome.text
    assert (issue.subject, issue.created_at) == (sample_issue().subject, generous.clock.now())
    # It is a whole one: it can be left by one click.
    template = MessageTemplate.of(replace(issue, base_url=BASE_URL), generous.keyring)
    message = message_from_bytes(template.build(delivery), policy=policy.default)
    assert "/unsubscribe/" in message["List-Unsubscribe"]
    assert message["Date"].datetime == generous.clock.now()
    # What the others of the day get is the same mailing, and outlives a reader.
    forget_subscriber(
        generous.database, generous.keyring, LILIT, actor="test", now=generous.clock.now()
    )
    _, (_, other) = confirm(generous, ANNA)
    assert other == issue
    with generous.database.read() as tx:
        assert tx.mailings.counts(sample_issue().public_id).total == 0


@pytest.mark.parametrize(("segment", "mails"), [("language = hy", 1), ("language != hy", 2)])
def test_the_latest_issue_comes_to_those_it_is_for(
    tmp_path: Path, segment: str, mails: int
) -> None:
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["newsletter"][0] |= {"welcome_issue": True, "segment": segment}
    settings = Settings.model_validate(document)
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as narrow:
        put_sent(narrow)
        found = confirm(narrow, LILIT)
    assert len(found) == mails
    assert ("follows at once" in found[0][1].text) is (mails == 2)


@pytest.mark.parametrize("state", [IssueState.RECALLED, IssueState.CANCELLED, IssueState.DRAFT])
def test_an_issue_that_was_called_off_welcomes_nobody(generous: Site, state: IssueState) -> None:
    put_sent(generous, state)
    assert len(confirm(generous, LILIT)) == 1


def test_who_had_the_issue_gets_it_no_second_time(generous: Site) -> None:
    reader = generous.put(LILIT, "unsubscribed")
    issue = replace(sample_issue(), state=IssueState.SENT)
    put_issue(generous, issue, html=rendered_html(generous, issue))
    with generous.database.write() as tx:
        mailing = tx.mailings.of_issue(issue.public_id)[0]
        tx.mailings.enqueue(mailing.public_id, reader.public_id, LILIT, generous.clock.now())
    mails = confirm(generous, LILIT)
    assert [mail.subject for _, mail in mails] == ["Welcome: The Courier Weekly"]


def test_the_issue_that_welcomes_is_in_the_readers_language(generous: Site) -> None:
    put_sent(generous)
    issue = sample_issue()
    with generous.database.write() as tx:
        canonical = tx.mailings.of_issue(issue.public_id)[0]
        armenian = replace(canonical, public_id="armenian", language="hy", subject="Հայերեն")
        tx.mailings.create(armenian, key="armenian", issue_id=issue.public_id, newsletter="weekly")
    for address, query, subject in (
        (LILIT, "?lang=hy", "Հայերեն"),
        (ANNA, "", canonical.subject),
    ):
        page = generous.client.get("/subscribe/weekly").text
        stamp = re.search(r'name="stamp" value="([^"]+)"', page)
        assert stamp is not None
        generous.clock.sleep(8)
        fields = {"address": address, "stamp": stamp[1]}
        generous.client.post(f"/subscribe/weekly{query}", data=fields)
        generous.client.post(confirm_path(generous))
        assert [mail.subject for _, mail in generous.outgoing()][1:] == [subject]
