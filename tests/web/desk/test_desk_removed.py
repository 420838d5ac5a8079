"""What is left of a newsletter that was removed: its past issues, to be read."""

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from newsletter.publication.model import Settings
from tests.web.desk.people import somebody
from tests.web.desk.send_shop import ACCEPTED, ISSUE, PATH, answer, begin, open_send_shop, set_up
from tests.web.site import SETTINGS, Site


def remove_weekly(site: Site) -> None:
    """Take it out of the settings, as a config file does that names it no more."""
    others = [one for one in SETTINGS.newsletter if one.slug != "weekly"]
    left: Settings = SETTINGS.model_copy(update={"newsletter": tuple(others)})
    set_up(site, {}, newsletter=left.model_dump(mode="json", by_alias=True)["newsletter"])


def test_past_issues_of_a_removed_newsletter_are_read(site: Site) -> None:
    reader = open_send_shop(site).put("ani@mail.example")
    begin(site)
    answer(site, ACCEPTED)
    with site.database.write() as tx:
        now = site.clock.now()
        tx.issues.move(ISSUE, frozenset(IssueState), IssueState.SENT, "test", now)
    admin = somebody(site, Role.ADMIN)
    before = {page: admin.get(f"{PATH}{page}").text for page in ("", "/mail", "/report")}
    remove_weekly(site)
    # The pages are served anew.
    admin = somebody(site, Role.PUBLISHER)
    for page in ("", "/versions", "/report", "/readers", f"/readers/{reader.public_id}"):
        shown = admin.get(f"{PATH}{page}")
        assert shown.status_code == 200, (page, shown.text)
        if page != "/versions":
            assert "Its newsletter was removed" in shown.text, page
    assert "data-refresh" not in admin.get(PATH).text
    assert "data-refresh" not in admin.get(f"{PATH}/report").text
    assert "Its newsletter was removed" not in before[""] + before["/report"]
    assert admin.get(f"{PATH}/mail").text == before["/mail"]
    assert ISSUE in admin.get("/desk/issues").text
