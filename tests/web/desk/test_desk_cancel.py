"""An issue that is cancelled, by whom, and the way back."""

import pytest

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from newsletter.workflows.publish import start_sending
from newsletter.workflows.tick import ACTOR
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.desk.send_shop import PATH, open_send_shop, stored
from tests.web.desk.test_desk_review import approve, read, text_of
from tests.web.site import Site


@pytest.fixture
def lilit(site: Site) -> Person:
    shop = open_send_shop(site)
    shop.put("reader@mail.example")
    return sign_in(shop, put_editor(shop, Role.PUBLISHER, "lilit@paper.example", name="Lilit"))


def test_a_cancelled_one_is_made_a_draft_again_and_waits_for_its_approval(lilit: Person) -> None:
    approve(lilit)
    lilit.post(f"{PATH}/cancel")
    with lilit.site.database.write() as tx:
        tx.skipped_slots.skip("weekly", stored(lilit.site).slot, "nare", lilit.site.clock.now())
    page = read(lilit, f"{PATH}/report")
    assert page.css_first(f'form[action="{PATH}/cancel/undo"] button') is not None
    viewer = somebody(lilit.site, Role.VIEWER)
    assert read(viewer, f"{PATH}/report").css(f'form[action="{PATH}/cancel/undo"]') == []
    answer = lilit.post(f"{PATH}/cancel/undo")
    assert answer.headers["location"] == f"{PATH}/review?done=drafted-again"
    assert stored(lilit.site).state is IssueState.DRAFT
    with lilit.site.database.read() as tx:
        assert tx.skipped_slots.of("weekly") == frozenset()
    assert lilit.post(f"{PATH}/cancel/undo").status_code == 409


def test_what_is_late_by_then_is_held(lilit: Person) -> None:
    lilit.post(f"{PATH}/cancel")
    lilit.site.clock.instant = stored(lilit.site).send_at
    lilit.post(f"{PATH}/cancel/undo")
    assert stored(lilit.site).state is IssueState.HELD
    assert "its time passed while it was cancelled" in text_of(read(lilit))


def test_what_was_on_its_way_is_no_draft_again(lilit: Person) -> None:
    site = lilit.site
    assert site.context.installation is not None
    approve(lilit)
    start_sending(site.context.installation, stored(site), actor=ACTOR)
    lilit.post(f"{PATH}/stop")
    assert stored(site).state is IssueState.CANCELLED
    page = read(lilit, f"{PATH}/report")
    assert "has it drafted anew" in text_of(page)
    assert page.css(f'form[action="{PATH}/cancel/undo"]') == []
    assert lilit.post(f"{PATH}/cancel/undo").status_code == 409


def test_an_editor_cancels_no_approved_one(lilit: Person) -> None:
    editor = somebody(lilit.site, Role.EDITOR)
    approve(lilit)
    assert read(editor).css(f'form[action="{PATH}/cancel"]') == []
    assert editor.post(f"{PATH}/cancel").status_code == 403
    assert stored(lilit.site).state is IssueState.APPROVED
    editor.post(f"{PATH}/hold", {"reason": "The lead is wrong"})
    editor.post(f"{PATH}/cancel")
    assert stored(lilit.site).state is IssueState.CANCELLED
