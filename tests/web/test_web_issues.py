from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.issues.model import Issue, IssueState, Item, RunnerUp, Section
from newsletter.rendering.issue import render_issue
from newsletter.tokens import Purpose
from tests.web.site import BASE_URL, NOW, SETTINGS, Site, open_site


def issue_of(slot: str = "2025-W32", state: IssueState = IssueState.DRAFT) -> Issue:
    lead = Item(
        story_id="story1",
        position=1,
        headline="First Lorries Cross <at> Dawn",
        url="https://paper.example/lorries",
        excerpt="Forty drivers waited through the night.",
        byline="Lilit Hakobyan",
        department="Armenia & Region",
        minutes=6,
        reads=1284,
        reasons=("1,284 reads in 6 days, first of 212 stories",),
    )
    missed = RunnerUp(
        "story2", "Budget Vote Moves", "https://paper.example/budget", 1020, "third of its kind"
    )
    return Issue(
        public_id=f"issue{slot.lower().replace('-', '').replace('.', '')}",
        newsletter="weekly",
        slot=slot,
        state=state,
        date=datetime(2025, 8, 8, tzinfo=UTC).date(),
        send_at=datetime(2025, 8, 8, 14, tzinfo=UTC),
        covers_from=datetime(2025, 8, 1, tzinfo=UTC),
        covers_until=NOW,
        title="Top Stories · Week 32",
        subject=f"The border road reopens, {slot}",
        preheader="Plus a letter never posted",
        sections=(
            Section("most-read", "most_read", "Most read of the month", "July", (lead,), (missed,)),
        ),
        language="en",
    )


def put_issue(site: Site, issue: Issue, *, html: str | None = None) -> Issue:
    """An issue in the database; with a mailing of ``html`` where it has been sent."""
    with site.database.write() as tx:
        assert tx.issues.create(issue, NOW, "test")
        if html is not None:
            mailing = Mailing(
                public_id=f"mailing{issue.public_id}",
                kind=MailingKind.ISSUE,
                subject=issue.subject,
                html=html,
                text="The text part\n\nhttps://news.paper.example/unsubscribe/XXREADERUNSUBSCRIBEXX\n",
                from_name="The Araks Courier",
                from_address="weekly@paper.example",
                created_at=NOW,
                language="en",
                newsletter_id=tx.settings.newsletter_id("weekly"),
            )
            tx.mailings.create(
                mailing, key=issue.public_id, issue_id=issue.public_id, newsletter="weekly"
            )
    return issue


def preview_path(site: Site, issue: Issue) -> str:
    return f"/desk/preview/{site.keyring.sign(Purpose.PREVIEW, issue.public_id)}"


def rendered_html(site: Site, issue: Issue) -> str:
    publication, newsletter = site.settings.publication, site.settings.newsletter[0]
    return render_issue(
        issue, publication, newsletter, base_url=BASE_URL, templates=site.templates
    ).html


def test_the_preview_shows_the_mail_and_why_each_story_is_in_it(site: Site) -> None:
    site.put("lilit@reader.example")
    issue = put_issue(site, issue_of())
    path = preview_path(site, issue)
    page = site.client.get(path)
    assert page.status_code == 200
    assert page.headers["x-robots-tag"] == "noindex"
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    for words in (
        *("Draft, waits for approval", "1 reader", "Friday, August 8, 2025, 07:00 Los Angeles"),
        *("First Lorries Cross &lt;at&gt; Dawn", "1,284 reads in 6 days, first of 212 stories"),
        *("Just missed", "Budget Vote Moves", "1,020 reads", "third of its kind"),
    ):
        assert words in page.text
    html = site.client.get(f"{path}/html")
    assert "First Lorries Cross &lt;at&gt; Dawn" in html.text
    assert "/unsubscribe/preview" in html.text
    assert "frame-ancestors 'self'" in html.headers["content-security-policy"]
    assert html.headers["x-frame-options"] == "SAMEORIGIN"
    text = site.client.get(f"{path}/text")
    assert text.headers["content-type"].startswith("text/plain")
    assert "First Lorries Cross <at> Dawn" in text.text


@pytest.mark.parametrize(
    ("view", "frame"), [("phone", "phone"), ("dark", "dark"), ("x", "desktop")]
)
def test_the_preview_is_looked_at_in_views(site: Site, view: str, frame: str) -> None:
    path = preview_path(site, put_issue(site, issue_of()))
    page = site.client.get(f"{path}?view={view}").text
    assert f'class="frame frame-{frame}"' in page
    assert f'src="{path}/html?view={frame}" sandbox="allow-popups' in page
    assert f'src="{path}/text"' in site.client.get(f"{path}?view=text").text


def test_the_dark_view_is_dark_on_any_screen_and_the_others_light(site: Site) -> None:
    path = preview_path(site, put_issue(site, issue_of()))
    for view, answer in (("dark", "@media all {"), ("desktop", "@media not all {")):
        html = site.client.get(f"{path}/html?view={view}").text
        assert answer in html
        assert "prefers-color-scheme" not in html


def test_the_preview_of_a_sent_issue_is_what_was_sent(site: Site) -> None:
    issue = put_issue(site, issue_of(state=IssueState.SENT), html="<p>as sent</p>")
    path = preview_path(site, issue)
    assert "as sent" in site.client.get(f"{path}/html").text
    text = site.client.get(f"{path}/text").text
    assert "The text part" in text
    assert "XXREADER" not in text


def test_no_state_is_without_words(site: Site) -> None:
    draft = {IssueState.DRAFT}
    held, approved = put_issue(site, issue_of("2025-W01")), put_issue(site, issue_of("2025-W02"))
    with site.database.write() as tx:
        tx.issues.move(held.public_id, draft, IssueState.HELD, "clock", NOW, reason="Too late.")
        tx.issues.move(approved.public_id, draft, IssueState.APPROVED, "Lilit", NOW)
    assert "Held: Too late." in site.client.get(preview_path(site, held)).text
    assert "Approved by Lilit" in site.client.get(preview_path(site, approved)).text
    for number, state in enumerate(IssueState, 10):
        issue = put_issue(site, issue_of(f"2025-W{number}", state))
        assert site.client.get(preview_path(site, issue)).status_code == 200


def test_a_preview_of_nothing(site: Site) -> None:
    assert site.client.get(preview_path(site, issue_of("2025-W40"))).status_code == 404


def test_the_preview_is_looked_at_in_each_language_of_the_newsletter(
    tmp_path: Path, blank: Path
) -> None:
    spoken = SETTINGS.newsletter[0].model_copy(update={"languages": ("en", "hy")})
    settings = SETTINGS.model_copy(update={"newsletter": (spoken, *SETTINGS.newsletter[1:])})
    with open_site(tmp_path, blank, settings=settings) as site:
        path = preview_path(site, put_issue(site, issue_of()))
        page = site.client.get(f"{path}?view=phone&lang=hy").text
        assert f'src="{path}/html?view=phone&amp;lang=hy"' in page
        assert 'lang="hy" aria-current="page">հայերեն</a>' in page
        html = site.client.get(f"{path}/html?view=phone&lang=hy").text
        assert '<html lang="hy"' in html
        assert "?lang=hy" in html
        assert "Բացել դիտարկիչում" in site.client.get(f"{path}/text?lang=hy").text
        assert '<html lang="en"' in site.client.get(f"{path}/html?lang=de").text
