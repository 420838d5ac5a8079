"""A newsletter whose issue is under way stays."""

from dataclasses import replace
from pathlib import Path

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from tests.web.desk.people import put_editor, sign_in
from tests.web.desk.settings_shop import latest, open_settings_shop
from tests.web.desk.test_desk_issue import bare_issue
from tests.web.test_web_issues import put_issue


def test_a_newsletter_is_not_removed_while_an_issue_of_it_is_under_way(tmp_path: Path) -> None:
    with open_settings_shop(tmp_path) as shop:
        anna = sign_in(shop, put_editor(shop, Role.ADMIN, "anna@paper.example"))
        put_issue(shop, replace(bare_issue(), newsletter="kitchen", slot="2025-08"))
        remove = "/desk/settings/newsletters/kitchen/remove"
        refused = anna.post(remove, {"version": str(latest(shop).version)})
        assert refused.status_code == 409
        assert "let it end, or cancel it first" in refused.text
        assert any(one.slug == "kitchen" for one in shop.settings.newsletter)
        with shop.database.write() as tx:
            tx.issues.move(
                *(bare_issue().public_id, frozenset(IssueState), IssueState.CANCELLED),
                *("anna", shop.clock.now()),
            )
        done = anna.post(remove, {"version": str(latest(shop).version)})
        assert done.status_code == 303
