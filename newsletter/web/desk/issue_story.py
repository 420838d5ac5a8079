"""A story's words and picture, for the mail of one issue only."""

from starlette.responses import Response

from newsletter.errors import NotFound
from newsletter.issues.model import Item, ItemField
from newsletter.issues.places import find_place
from newsletter.stories.model import Picture
from newsletter.web.desk.places import asked_issue
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


def show_story(visit: Visit) -> Response:
    """The form of one item."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    found = find_place(issue, visit.param("story"))
    if found is None:
        raise NotFound("that story is not in the issue, or not any more", subject="story")
    item = found[1]
    picture = item.picture or item.site.picture
    across, down = (item.picture.focus if item.picture else None) or _MIDDLE
    return visit.page(
        "issue_story",
        issue=issue,
        item=item,
        address=f"{visit.root}/issues/{issue.public_id}",
        picture=picture,
        picture_address=_address(visit, picture, item) if picture else "",
        across=round(across * 100),
        down=round(down * 100),
        fields={field: visit.words.gettext(name) for field, name in FIELD_NAMES.items()},
    )


def _address(visit: Visit, picture: Picture, item: Item) -> str:
    files = picture.files or (item.site.picture.files if item.site.picture else ())
    return f"{visit.static_root}/media/{files[0].name}" if files else picture.url
