"""What every page of the desk has in common."""

import re

from newsletter.publication.editors import Role, Theme
from newsletter.web.desk.table import desk_table
from newsletter.workflows.editors import describe_editor
from tests.web.desk.people import put_editor, sign_in, somebody, stranger
from tests.web.site import NOW, Site


def test_every_page_of_the_desk_carries_its_headers(site: Site) -> None:
    admin = somebody(site, Role.ADMIN)
    pages = [one.path for one in desk_table() if one.method == "GET"]
    for path in pages:
        for person in (admin, stranger(site)):
            answer = person.get("/desk" + re.sub(r"\{\w+\}", "unknown", path))
            policy = answer.headers["content-security-policy"]
            for part in (
                *("default-src 'none'", "script-src 'self'", "style-src 'self'"),
                *("frame-src 'self'", "frame-ancestors 'none'", "form-action 'self'"),
            ):
                assert part in policy, path
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            # What stands in a field is text, such as a snippet for the site.
            markup = re.sub(r"(<textarea[^>]*>)[^<]*", r"\1", answer.text)
            assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", markup), path


def test_the_desk_speaks_as_its_editor_likes(site: Site) -> None:
    editor = put_editor(site, Role.ADMIN, name="Lilit")
    person = sign_in(site, editor)
    assert '<html lang="en" dir="ltr">' in person.get("/desk/").text
    describe_editor(
        site.database, editor.public_id, name="Lilit", language="hy", theme=Theme.DARK, now=NOW
    )
    page = person.get("/desk/").text
    assert '<html lang="hy" dir="ltr" data-theme="dark">' in page
    assert re.search("[\u0530-\u058f]", page)


def test_a_page_that_is_not_there_says_so(site: Site) -> None:
    answer = somebody(site, Role.ADMIN).get("/desk/nowhere")
    assert answer.status_code == 404
