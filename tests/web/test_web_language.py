"""In which language a page speaks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import StorageError
from newsletter.issues.model import IssueState
from newsletter.publication.model import Settings
from newsletter.subscribers.model import Subscriber
from tests.rendering.sample_issue import sample_issue
from tests.web.site import SETTINGS, Site, links_in, make_blank, open_site, stamp_in
from tests.web.test_web_issues import put_issue

LILIT = "lilit@reader.example"
ARMENIAN = "Բաժանորդագրվել"


def in_armenian(*newsletters: str, publication: str = "en") -> Settings:
    """The settings with these newsletters in Armenian."""
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["publication"]["language"] = publication
    for newsletter in document["newsletter"]:
        if newsletter["slug"] in newsletters:
            newsletter["language"] = "hy-AM"
            newsletter["consent"] = ""
    return Settings.model_validate(document)


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Site]:
    """A paper in English whose weekly newsletter is in Armenian."""
    settings = in_armenian("weekly")
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as site:
        yield site


def language_of(page: str) -> tuple[str, str]:
    """The language and the direction that a page says it has."""
    found = re.search(r'<html lang="([^"]*)" dir="([^"]*)">', page)
    assert found is not None
    return found[1], found[2]


def test_a_page_speaks_its_newsletters_language(mixed: Site) -> None:
    page = mixed.client.get("/subscribe/weekly").text
    assert language_of(page) == ("hy", "ltr")
    assert ARMENIAN in page
    assert "Sign up" not in page
    assert "Ամեն ուրբաթ" in page
    assert language_of(mixed.client.get("/subscribe/kitchen").text) == ("en", "ltr")
    assert language_of(mixed.client.get("/archive/weekly/").text)[0] == "hy"
    # No newsletter's page: the publication's.
    assert language_of(mixed.client.get("/").text)[0] == "en"


def test_a_language_without_words_is_english(tmp_path: Path) -> None:
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["publication"]["language"] = "fr"
    settings = Settings.model_validate(document)
    with open_site(tmp_path, make_blank(tmp_path / "b", settings), settings=settings) as site:
        page = site.client.get("/subscribe/weekly").text
    assert language_of(page) == ("en", "ltr")
    assert "Every Friday" in page


def test_a_visitor_picks_another_language_and_keeps_it(mixed: Site) -> None:
    page = mixed.client.get("/?lang=hy").text
    assert language_of(page)[0] == "hy"
    inside = [link for link in links_in(page) if re.match(r"/(subscribe|archive)?/?", link)]
    ours = [link for link in inside if not link.startswith("/static/")]
    assert len(ours) >= 6
    assert [link for link in ours if not link.endswith("?lang=hy")] == []
    # The page is open to all, so it offers the paper's languages.
    assert '<a href="?lang=en" lang="en" hreflang="en" dir="ltr">English</a>' in page
    assert 'aria-current="true">հայերեն</a>' in page
    for nonsense in ("fr", "", "../hy", "x" * 10_000):
        answer = mixed.client.get("/", params={"lang": nonsense})
        assert answer.status_code == 200
        assert language_of(answer.text)[0] == "en"


def test_a_paper_of_one_language_offers_no_choice(site: Site) -> None:
    assert "hreflang" not in site.client.get("/").text


def sign_up(site: Site, address: str, lang: str, name: str = "") -> str:
    page = site.client.get(f"/subscribe/kitchen{lang}").text
    site.clock.sleep(8)
    action = re.search(r'action="([^"]+)"', page)
    assert action is not None
    form = {"address": address, "stamp": stamp_in(page), "name": name}
    return site.client.post(action[1], data=form).text


def test_who_signs_up_in_another_language_is_answered_in_it(mixed: Site) -> None:
    answer = sign_up(mixed, LILIT, "?lang=hy")
    assert language_of(answer)[0] == "hy"
    subscription = mixed.subscription(LILIT, "kitchen")
    assert subscription is not None
    assert subscription.subscriber.language == "hy"
    assert sign_up(mixed, "ani@reader.example", "")
    other = mixed.subscription("ani@reader.example", "kitchen")
    assert other is not None
    assert other.subscriber.language is None

    mails = {delivery.address: mailing for delivery, mailing in mixed.outgoing()}
    assert mails[LILIT].subject.startswith("Խնդրում ենք հաստատել")
    assert mails[LILIT].language == "hy"
    assert mails["ani@reader.example"].subject.startswith("Please confirm")
    link = next(word for word in mails[LILIT].text.split() if "/confirm/" in word)
    path = link.removeprefix("https://news.paper.example")
    assert language_of(mixed.client.get(path).text)[0] == "hy"
    assert language_of(mixed.client.post(path).text)[0] == "hy"


@pytest.mark.parametrize("state", ["active", "paused", "unsubscribed"])
def test_a_form_changes_no_known_readers_language(mixed: Site, state: str) -> None:
    mixed.put(LILIT, state)
    sign_up(mixed, LILIT, "?lang=hy", "Silly")
    subscription = mixed.subscription(LILIT)
    assert subscription is not None
    assert (subscription.subscriber.language, subscription.subscriber.name) == (None, "")
    ((_, mailing),) = mixed.outgoing()
    assert mailing.language == "en"


def test_as_long_as_nothing_is_confirmed_the_newest_mail_says_who_it_is(mixed: Site) -> None:
    told = []
    for lang, name, hours in (
        *(("?lang=hy", "Silly", 1), ("?lang=en", "Not mailed", 25)),
        *(("?lang=en", "Lilit", 25), ("", "", 25)),
    ):
        sign_up(mixed, LILIT, lang, name)
        subscription = mixed.subscription(LILIT, "kitchen")
        assert subscription is not None
        reader = subscription.subscriber
        mailed = [mailing.language for _, mailing in mixed.outgoing()]
        told.append((reader.language, reader.name, mailed))
        mixed.clock.sleep(hours * 3600)
    assert told == [
        ("hy", "Silly", ["hy"]),
        ("hy", "Silly", []),
        ("en", "Lilit", ["en"]),
        ("en", "Lilit", ["en"]),
    ]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (" ", "Խնդրում ենք գրել ձեր էլ. փոստի հասցեն։"),
        ("lilit", "@ նշանը չկա"),
        ("lilit@", "ինչ-որ բան պակասում է"),
        ("lilit@reader", "կետ չկա"),
        ("li lit@reader.example", "կան նշաններ"),
        (f"lilit@{'r' * 300}.example", "շատ երկար է"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_in_the_pages_language(
    mixed: Site, typed: str, why: str
) -> None:
    answer = mixed.sign_up(typed, "weekly")
    problem = re.search(r'id="problem">([^<]*)<', answer)
    assert problem is not None
    assert why in problem[1]
    # What was typed stands there; all else is Armenian.
    assert not re.search("[A-Za-z]{3}", re.sub("«.*»|paper.example", "", problem[1]))


def reader_in(site: Site, language: str) -> Subscriber:
    """A subscriber of the English newsletter whose language the store knows."""
    with site.database.write() as tx:
        reader = Subscriber("reader-of-hy", LILIT, site.clock.now(), language=language)
        tx.subscribers.add(reader, site.keyring.hash_address(LILIT))
    return site.put(LILIT, newsletter="kitchen")


def test_a_readers_own_pages_speak_the_readers_language(mixed: Site) -> None:
    reader = reader_in(mixed, "hy")
    preferences = mixed.preferences_path(reader)
    assert language_of(mixed.client.get(preferences).text)[0] == "hy"
    assert "Պահպանված է։" in mixed.choose(preferences, {"newsletter": "kitchen"}).text
    assert language_of(mixed.client.get(f"{preferences}?lang=en").text)[0] == "en"
    leave = mixed.unsubscribe_path(reader, "kitchen")
    assert "Դուրս գա՞լ ցուցակից" in mixed.client.get(leave).text
    assert mixed.client.post(leave).text == "Դուք այլևս բաժանորդ չեք։\n"
    # Without a language of one's own: the newsletter's.
    other = mixed.put("ani@reader.example")
    assert language_of(mixed.client.get(mixed.unsubscribe_path(other)).text)[0] == "hy"


def test_preferences_speak_the_one_language_of_what_a_reader_gets(mixed: Site) -> None:
    reader = mixed.put(LILIT)
    preferences = mixed.preferences_path(reader)
    assert language_of(mixed.client.get(preferences).text)[0] == "hy"
    left = mixed.choose(preferences, {"none": "1"}).text
    assert language_of(left)[0] == "hy"
    # Newsletters in two languages: the publication's.
    mixed.put("ani@reader.example")
    both = mixed.put("ani@reader.example", newsletter="kitchen")
    assert language_of(mixed.client.get(mixed.preferences_path(both)).text)[0] == "en"


@pytest.mark.parametrize(
    ("path", "accepts", "language"),
    [
        # A newsletter is known: its language, whatever the browser says.
        ("/archive/weekly/2020-W01", "en", "hy"),
        ("/archive/kitchen/2020-01", "hy", "en"),
        # Else the browser may choose among the paper's.
        ("/nothing", "hy-AM,hy;q=0.9,en;q=0.5", "hy"),
        ("/nothing", "fr, hy;q=0.4, en;q=0.8", "en"),
        ("/nothing", "hy;q=0, *", "en"),
        ("/nothing", "hy;q=x,;;,", "en"),
        ("/unsubscribe/a.b.c", "", "en"),
        ("/nothing?lang=hy", "en", "hy"),
    ],
)
def test_a_page_for_what_goes_wrong(mixed: Site, path: str, accepts: str, language: str) -> None:
    answer = mixed.client.get(path, headers={"Accept-Language": accepts})
    assert answer.status_code == 404
    assert language_of(answer.text)[0] == language


def test_an_armenian_papers_failures_are_armenian_for_an_english_browser(tmp_path: Path) -> None:
    settings = in_armenian("weekly", "kitchen", publication="hy")
    with open_site(tmp_path, make_blank(tmp_path / "b", settings), settings=settings) as site:
        answer = site.client.get("/nothing", headers={"Accept-Language": "en-US"})
        assert "Այս հասցեում ոչինչ չկա" in answer.text
        refused = site.client.put("/", headers={"Accept-Language": "en-US"})
        assert refused.status_code == 405
        assert "Այսպես չի ստացվի" in refused.text


def test_without_settings_the_browser_chooses(mixed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Settings:
        raise StorageError("the disk is full", subject="database")

    object.__setattr__(mixed.context, "load_settings", broken)
    answer = mixed.client.get("/", headers={"Accept-Language": "hy"})
    assert answer.status_code == 503
    assert language_of(answer.text)[0] == "hy"
    assert "Մեկ րոպե, խնդրում ենք" in answer.text


def test_the_archive_marks_issues_in_another_language(mixed: Site) -> None:
    issue = sample_issue(state=IssueState.SENT, language="hy", subject="Սևանի ափին")
    put_issue(mixed, issue, html="<p>as sent</p>")
    page = mixed.client.get("/archive/weekly/?lang=en").text
    assert re.search('<h3 lang="hy">.*<bdi>Սևանի ափին</bdi>', page)
