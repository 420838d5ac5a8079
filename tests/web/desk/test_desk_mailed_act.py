"""The pages of the preview mail's buttons."""

import pytest
from structlog.testing import capture_logs

from newsletter.errors import StorageError
from newsletter.issues.acts import EditLine, Line
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.editors import Role
from newsletter.tokens import Purpose
from newsletter.web.desk import mailed_act
from newsletter.workflows.approve import approve_issue
from newsletter.workflows.edit_issue import edit_issue
from tests.waiting import wait_until
from tests.web.desk.people import FROM_US, Person, put_editor, stranger
from tests.web.desk.send_shop import ISSUE, open_send_shop
from tests.web.desk.test_desk_issue import stored
from tests.web.site import Site


def path_of(site: Site, role: Role, act: str, *stories: str) -> str:
    """The address of a button of the issue as it is now."""
    editor, issue = put_editor(site, role), stored(site)
    token = site.keyring.sign_until(
        Purpose.MAILED_ACT,
        issue.send_at,
        *(editor.public_id, issue.public_id, str(issue.version), act, *stories),
    )
    return f"/desk/act/{token}"


@pytest.fixture
def visitor(site: Site) -> Person:
    """Whoever holds the mail, signed in nowhere."""
    return stranger(open_send_shop(site))


def move(site: Site, to: IssueState, reason: str = "") -> None:
    with site.database.write() as tx:
        now = site.clock.now()
        assert tx.issues.move(ISSUE, frozenset(IssueState), to, "nare", now, reason=reason)


def press(visitor: Person, path: str) -> int:
    return visitor.client.post(path, headers=FROM_US).status_code


def pressed(visitor: Person, path: str) -> str:
    """Press it; the page that tells what came of it, once that is known."""
    answer = visitor.client.post(path, headers=FROM_US)
    if answer.status_code == 303:
        assert answer.headers["location"] == f"{path}/pressed"
        answer = visitor.get_made(f"{path}/pressed")
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("act", "state"), [("approve", IssueState.APPROVED), ("hold", IssueState.HELD)]
)
def test_opening_changes_nothing_and_pressing_does_it_once(
    visitor: Person, act: str, state: IssueState
) -> None:
    path = path_of(visitor.site, Role.PUBLISHER, act)
    before = visitor.site.dump()
    for _ in range(3):
        page = visitor.get(path)
        assert page.status_code == 200
        assert page.text.count(f'<form method="post" action="{path}">') == 1
    assert visitor.site.dump() == before
    pressed(visitor, path)
    assert stored(visitor.site).state is state
    assert press(visitor, path) == 409


def test_an_approval_that_fails_behind_its_page_leaves_no_token_in_the_log(
    visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rest(*_: object, **__: object) -> None:
        raise StorageError("the database rests", subject="database")

    monkeypatch.setattr(mailed_act, "look_over", rest)
    path = path_of(visitor.site, Role.PUBLISHER, "approve")
    with capture_logs() as logged:
        assert press(visitor, path) == 303
        assert wait_until(lambda: any(one["event"] == "background_failed" for one in logged), 10)
    assert path.removeprefix("/desk/act/") not in str(logged)
    assert stored(visitor.site).state is IssueState.DRAFT


def test_a_swap_names_both_and_does_it(visitor: Person) -> None:
    issue: Issue = stored(visitor.site)
    section = next(one for one in issue.sections if len(one.items) > 1)
    path = path_of(visitor.site, Role.EDITOR, "swap", section.items[-1].story_id, "nowhere")
    assert section.items[-1].headline in visitor.get(path).text.replace("&#39;", "'")
    # The story that was to come is gone meanwhile: told, and nothing changed.
    assert press(visitor, path) == 404
    assert stored(visitor.site) == issue


def test_a_second_approval_is_given_by_who_signs_in(visitor: Person) -> None:
    site = visitor.site
    first = path_of(site, Role.PUBLISHER, "approve")
    two = {"approval": "two"}
    newsletters = tuple(
        one.model_copy(update=two) if one.slug == "weekly" else one
        for one in site.settings.newsletter
    )
    settings = site.settings.model_copy(update={"newsletter": newsletters})
    with site.database.write() as tx:
        latest = tx.settings.latest()
        assert latest is not None
        tx.settings.append(settings.model_dump(mode="json", by_alias=True), "t", site.clock.now())
    done = pressed(visitor, first)
    assert "Another person has to approve it too" in done
    assert "It is approved" not in done
    assert stored(site).state is IssueState.DRAFT
    second = path_of(site, Role.ADMIN, "approve")
    page = visitor.get(second)
    assert "Sign in, so that we know it is you" in page.text
    assert '<form method="post">' not in page.text
    assert press(visitor, second) == 409
    installation = site.context.installation
    assert installation is not None
    assert approve_issue(installation, stored(site), actor="other").state is IssueState.APPROVED


def test_what_must_be_mended_keeps_this_button_shut_too(visitor: Person) -> None:
    site = visitor.site
    assert site.context.installation is not None
    edit_issue(
        site.context.installation, ISSUE, EditLine(Line.SUBJECT, "Dear {{ name }}"), actor="nare"
    )
    path = path_of(site, Role.PUBLISHER, "approve")
    page = visitor.get(path)
    assert f'data-refresh="{path}/checks"' in page.text
    for told in (visitor.get_made(f"{path}/checks").text, pressed(visitor, path)):
        assert "{{ name }}" in told
        assert "before what must be mended is: " in told
        assert "<form" not in told
    # Known by now: told at once.
    assert press(visitor, path) == 409
    assert stored(site).state is IssueState.DRAFT


def test_the_checks_of_what_is_as_it_should_be_have_the_button_below(visitor: Person) -> None:
    path = path_of(visitor.site, Role.PUBLISHER, "approve")
    assert f'<form method="post" action="{path}">' in visitor.get_made(f"{path}/checks").text
    assert visitor.get(f"{path_of(visitor.site, Role.EDITOR, 'hold')}/checks").status_code == 404


def test_what_is_held_is_approved_at_the_desk_where_the_reason_stands(visitor: Person) -> None:
    site = visitor.site
    path = path_of(site, Role.PUBLISHER, "approve")
    assert "Draft" in visitor.get(path).text
    move(site, IssueState.HELD, "Libel: the lawyer says wait")
    page = visitor.get(path)
    assert "Libel: the lawyer says wait" in page.text
    assert "Approve this issue?" not in page.text
    assert "<form" not in page.text
    assert press(visitor, path) == 409
    assert stored(site).state is IssueState.HELD


def test_what_was_approved_long_ago_is_not_asked_for_again(visitor: Person) -> None:
    path = path_of(visitor.site, Role.PUBLISHER, "approve")
    move(visitor.site, IssueState.APPROVED)
    page = visitor.get(path)
    assert "It is approved already" in page.text
    assert "<form" not in page.text


def test_it_says_how_many_readers_it_is_for_and_the_time_it_has_then(visitor: Person) -> None:
    visitor.site.put("reader@mail.example")
    page = visitor.get(path_of(visitor.site, Role.PUBLISHER, "approve"))
    assert "<dt>Readers</dt><dd>1</dd>" in page.text
    delayed = visitor.client.post(path_of(visitor.site, Role.ADMIN, "delay"), headers=FROM_US)
    assert "08:00 Los Angeles" in delayed.text


@pytest.mark.parametrize("path", ["/desk/act/x", "/desk/act/a.b.c.d", "/desk/act/" + "x" * 900])
def test_what_is_no_button_of_ours_is_told_so(visitor: Person, path: str) -> None:
    assert visitor.get(path).status_code == 410
    assert press(visitor, path) == 410


def test_a_form_of_another_site_presses_nothing(visitor: Person) -> None:
    path = path_of(visitor.site, Role.PUBLISHER, "approve")
    answer = visitor.client.post(path, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert stored(visitor.site).state is IssueState.DRAFT
