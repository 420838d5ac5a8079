"""What an issue shows of itself elsewhere: in a shared link, a feed, a list of issues."""

from dataclasses import dataclass

from newsletter.issues.model import Issue, Item
from newsletter.pictures.model import PictureFile
from newsletter.rendering.view import find_lead


@dataclass(frozen=True)
class SharedPicture:
    """A picture that stands for an issue: its address, its size in pixels where known."""

    url: str
    width: int | None
    height: int | None
    alt: str


def share_picture(issue: Issue, base_url: str) -> SharedPicture | None:
    """The lead's picture, else the first one of the issue; our own file where we keep one."""
    item = _pictured_item(issue)
    if item is None or item.picture is None:
        return None
    picture = item.picture
    alt = picture.alt or picture.caption or item.headline
    file = picture.file_for("lead") or picture.file_for("card")
    if file is not None:
        return SharedPicture(f"{base_url}/media/{file.name}", file.width, file.height, alt)
    return SharedPicture(picture.url, picture.width, picture.height, alt)


def small_picture(issue: Issue) -> PictureFile | None:
    """Our own file of the same picture, in the size of a card."""
    item = _pictured_item(issue)
    return item.picture.file_for("card") if item is not None and item.picture else None


def describe_issue(issue: Issue) -> str:
    """The preheader, else the first headlines."""
    return issue.preheader or " · ".join(item.headline for item in issue.items[:3])


def _pictured_item(issue: Issue) -> Item | None:
    _, lead = find_lead(issue) or (None, None)
    return next((item for item in (lead, *issue.items) if item and item.picture), None)
