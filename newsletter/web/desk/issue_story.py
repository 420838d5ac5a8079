"""A story's words and picture, for the mail of one issue only."""

from starlette.responses import Response

from newsletter.errors import NotFound
from newsletter.issues.model import Item, ItemField, Section
from newsletter.issues.places import find_place, is_pinned
from newsletter.stories.model import Picture
from newsletter.web.desk.issue import tell_saved
from newsletter.web.desk.issue_fields import Problem, begun_from, text_field
from newsletter.web.desk.places import asked_issue, newsletter_of
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop

FIELD_NAMES = {
    ItemField.HEADLINE: gettext_noop("headline"),
    ItemField.EXCERPT: gettext_noop("summary"),
    ItemField.PICTURE: gettext_noop("picture"),
    ItemField.ALT: gettext_noop("description of the picture"),
    ItemField.CROP: gettext_noop("crop"),
}
_MIDDLE = (0.5, 0.5)


def words_of(item: Item) -> dict[ItemField, str]:
    """The texts of an item that an editor may say otherwise."""
    return {
        ItemField.HEADLINE: item.headline,
        ItemField.EXCERPT: item.excerpt,
        ItemField.ALT: item.picture.alt if item.picture else "",
    }


def show_story(visit: Visit) -> Response:
    """The form of one item."""
    return story_page(visit, visit.param("story"))


def story_page(
    visit: Visit, story: str, problem: Problem | None = None, status: int = 200
) -> Response:
    """The page of a story in the issue; what was typed is kept where there is a problem."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    found = find_place(issue, story)
    if found is None:
        raise NotFound("that story is not in the issue, or not any more", subject="story")
    return _page(visit, found[1], problem, status, found[0])


def gone_story_page(visit: Visit, item: Item, problem: Problem, status: int) -> Response:
    """The page of a story that was taken out while its words were written: they are kept in
    their fields, and it can be put back with them. ``item`` is the story as it stood then."""
    return _page(visit, item, problem, status, None)


def _page(
    visit: Visit, item: Item, problem: Problem | None, status: int, section: Section | None
) -> Response:
    """The page of a story in ``section``; None where it is in none any more."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        versions = tx.issues.versions(issue.public_id)
        names = tx.editors.names()
    picture = item.picture or item.site.picture
    across, down = (item.picture.focus if item.picture else None) or _MIDDLE
    mine = problem if problem and problem.form == "story" else None
    words = words_of(item)
    return visit.page(
        "issue_story",
        status=status,
        issue=issue,
        item=item,
        section=section,
        pinned=is_pinned(issue, item.story_id),
        address=f"{visit.root}/issues/{issue.public_id}",
        problem=problem,
        told=visit.told,
        saved=tell_saved(visit, versions, names, newsletter_of(visit, issue)),
        version=begun_from(visit, issue.version, mine),
        words={field: text_field(visit, field, words[field], mine) for field in words},
        picture=picture,
        picture_address=_address(visit, picture, item) if picture else "",
        shown=visit.field("picture") != "out" if mine else item.picture is not None,
        across=visit.field("across") if mine else round(across * 100),
        down=visit.field("down") if mine else round(down * 100),
        fields={field: visit.words.gettext(name) for field, name in FIELD_NAMES.items()},
    )


def _address(visit: Visit, picture: Picture, item: Item) -> str:
    files = picture.files or (item.site.picture.files if item.site.picture else ())
    return f"{visit.static_root}/media/{files[0].name}" if files else picture.url
