"""An issue's pictures: fetched, made ready for the mail's slots, and kept by us.

This is done when the issue is drafted, within limits of number and time. What can't
be had is said, and its story stands without a picture: a send never waits for one.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from newsletter.checks.model import Finding, warn
from newsletter.errors import NewsletterError, SourceError, StorageError
from newsletter.issues.model import Issue, Item, Section
from newsletter.log import get_logger
from newsletter.net.response import HostHeld, StatusError, TooSlow, Unreachable
from newsletter.pictures.encode import EncodedPicture
from newsletter.pictures.model import FetchedPicture, PictureFile, SlotName, picture_key
from newsletter.pictures.prepare import prepare_logo, prepare_picture
from newsletter.publication.model import Settings
from newsletter.stories.model import Picture
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

MAX_BYTES = 15_000_000
# More than an issue that Gmail shows to its end can hold.
MAX_PICTURES = 40
# No picture is begun after this; the one that is under way has its own 30 seconds.
SECONDS_A_DRAFT = 90.0
_HOSTS_AT_ONCE = 6
_ACCEPT = "image/avif,image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1"
# A file that no issue and no mail shows is removed when it is as old as this.
UNUSED_AFTER = timedelta(days=30)
# So long an address is remembered without being asked for again.
_REMEMBERED = timedelta(days=90)


# A picture's address, and what an editor wants in the middle of its crop.
Crop = tuple[str, tuple[float, float] | None]


@dataclass(frozen=True)
class Illustrated:
    """The issue with its pictures, and a sentence for each that could not be had."""

    issue: Issue
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Wanted:
    """A picture to fetch. ``known`` is what was made of it before, its files still here."""

    url: str
    allow_private: bool
    known: FetchedPicture | None
    focus: tuple[float, float] | None = None

    @property
    def crop(self) -> Crop:
        return self.url, self.focus


def _crop_of(picture: Picture) -> Crop:
    return picture.url, picture.focus


def illustrate_issue(installation: Installation, settings: Settings, issue: Issue) -> Illustrated:
    """The issue with our own files of the pictures that its mail shows.

    Items that have theirs already are left as they are. With pictures served by
    the site, nothing is fetched.
    """
    if settings.pictures.served_by == "site":
        return Illustrated(issue)
    started = installation.clock.monotonic()
    wanted = _find_wanted(installation, settings, issue)
    if not wanted:
        return Illustrated(issue)
    fetched = _fetch_all(installation, wanted[:MAX_PICTURES])
    late = f"an issue has at most {MAX_PICTURES} pictures"
    failures = {one.crop: late for one in wanted[MAX_PICTURES:]}
    failures |= {crop: why for crop, why in fetched.items() if isinstance(why, str)}
    found = {crop: one for crop, one in fetched.items() if isinstance(one, FetchedPicture)}
    with installation.database.write() as tx:
        tx.pictures.remember(
            {picture_key(*crop): one for crop, one in found.items()}, installation.clock.now()
        )
    notices = tuple(
        f"“{item.headline}” has no picture in the mail: {failures[_crop_of(item.picture)]}."
        for item in _illustrated_items(issue)
        if item.picture and _crop_of(item.picture) in failures
    )
    log.info(
        "pictures_fetched",
        issue=issue.slot,
        pictures=len(found),
        failed=len(failures),
        ms=round((installation.clock.monotonic() - started) * 1000),
    )
    files = {crop: one.files for crop, one in found.items()}
    return Illustrated(_with_files(issue, files, failures), notices)


def show_logo(
    installation: Installation, settings: Settings
) -> tuple[Picture | None, tuple[str, ...]]:
    """The paper's logo as the masthead shows it, and a sentence where it can't be had.

    One that was fetched before is shown on where its site is away. With pictures
    served by the site it is the site's own file.
    """
    url = settings.publication.logo
    if url is None:
        return None, ()
    if settings.pictures.served_by == "site":
        return Picture(url), ()
    now = installation.clock.now()
    key = picture_key(f"logo {url}")
    with installation.database.read() as tx:
        known = tx.pictures.known([key]).get(key)
    if known and not all(installation.pictures.touch(file.name, now) for file in known.files):
        known = None
    private = {_host(source.url) for source in settings.source if source.allow_private}
    wanted = _Wanted(url, _host(url) in private, known)
    try:
        found = _fetch_one(installation, wanted, threading.Lock(), prepare_logo)
    except (SourceError, StorageError) as error:
        log.warning("logo_failed", host=_host(url), error=str(error))
        instead = "the one fetched before is shown" if known else "the name is set in type"
        notice = f"The logo can't be had, so {instead}: {str(error).rstrip('.')}."
        return (Picture(url, files=known.files) if known else None), (notice,)
    with installation.database.write() as tx:
        tx.pictures.remember({key: found}, now)
    return Picture(url, files=found.files), ()


def find_missing(installation: Installation, issue: Issue) -> tuple[Finding, ...]:
    """A warning where the mail shows files that are not on this host."""
    pictures = (issue.logo, *(item.picture for item in issue.items))
    names = {file.name for picture in pictures if picture for file in picture.files}
    missing = sum(installation.pictures.find(name) is None for name in names)
    if not missing:
        return ()
    return (
        warn(
            "pictures",
            f"{missing} of {len(names)} picture files are not in "
            f"{installation.pictures.folder}, where the pages serve them from.",
            "Bring the folder of the host that drafted the issue, or draft it again.",
            "pictures",
        ),
    )


def clean_pictures(installation: Installation) -> int:
    """Remove the files that nothing has shown for thirty days; how many they were."""
    now = installation.clock.now()
    old = list(installation.pictures.unused_since(now - UNUSED_AFTER))
    with installation.database.write() as tx:
        tx.pictures.forget(now - _REMEMBERED)
    if not old:
        return 0
    with installation.database.read() as tx:
        used = tx.pictures.used_names()
    unused = [name for name in old if name not in used]
    for name in unused:
        installation.pictures.remove(name)
    log.info("pictures_cleaned", removed=len(unused))
    return len(unused)


def _illustrated_items(issue: Issue) -> Iterator[Item]:
    """The items whose picture the mail shows: the ranked list has none, the lead always."""
    for section in issue.sections:
        for item in section.items:
            if _shows_picture(issue, section, item):
                yield item


def _shows_picture(issue: Issue, section: Section, item: Item) -> bool:
    return section.kind != "most_read" or item.story_id == issue.lead


def _find_wanted(installation: Installation, settings: Settings, issue: Issue) -> list[_Wanted]:
    """The pictures that are still to be had, in the issue's order, each once."""
    items = {
        _crop_of(item.picture): item
        for item in reversed(list(_illustrated_items(issue)))
        if item.picture and not item.picture.files
    }
    now = installation.clock.now()
    with installation.database.read() as tx:
        stories = tx.stories.by_ids({item.story_id for item in items.values()})
        known = tx.pictures.known([picture_key(*crop) for crop in items])
    source_of = {story.public_id: story.source for story in stories}
    private = {source.slug for source in settings.source if source.allow_private}

    def kept(crop: Crop) -> FetchedPicture | None:
        one = known.get(picture_key(*crop))
        there = one and all(installation.pictures.touch(file.name, now) for file in one.files)
        return one if there else None

    return [
        _Wanted(crop[0], source_of.get(item.story_id) in private, kept(crop), crop[1])
        for crop, item in reversed(items.items())
    ]


def _fetch_all(
    installation: Installation, wanted: Iterable[_Wanted]
) -> dict[Crop, FetchedPicture | str]:
    """What was made of each address, or why nothing: hosts side by side, each one by one."""
    by_host: dict[str, list[_Wanted]] = defaultdict(list)
    for one in wanted:
        by_host[_host(one.url)].append(one)
    end = installation.clock.monotonic() + SECONDS_A_DRAFT
    # A large picture takes some hundred megabytes to decode: one at a time.
    decoding = threading.Lock()

    def fetch(pictures: list[_Wanted]) -> dict[Crop, FetchedPicture | str]:
        return _fetch_from_host(installation, pictures, end, decoding)

    with ThreadPoolExecutor(_HOSTS_AT_ONCE, "pictures") as pool:
        found: dict[Crop, FetchedPicture | str] = {}
        for part in pool.map(fetch, by_host.values()):
            found |= part
        return found


def _fetch_from_host(
    installation: Installation, pictures: list[_Wanted], end: float, decoding: threading.Lock
) -> dict[Crop, FetchedPicture | str]:
    found: dict[Crop, FetchedPicture | str] = {}
    refusal = ""
    for one in pictures:
        if not refusal and installation.clock.monotonic() > end:
            refusal = "there was no time left to fetch it"
        if refusal:
            found[one.crop] = refusal
            continue
        try:
            found[one.crop] = _fetch_one(installation, one, decoding)
        except (SourceError, StorageError) as error:
            log.warning("picture_failed", host=_host(one.url), error=str(error))
            found[one.crop] = str(error).rstrip(".")
            if _host_is_away(error):
                refusal = str(error).rstrip(".")
    return found


def _fetch_one(
    installation: Installation,
    wanted: _Wanted,
    decoding: threading.Lock,
    prepare: Callable[[bytes], Mapping[SlotName, EncodedPicture]] | None = None,
) -> FetchedPicture:
    known = wanted.known
    response = installation.fetcher.get(
        wanted.url,
        max_bytes=MAX_BYTES,
        accept=_ACCEPT,
        etag=known.etag if known else None,
        last_modified=known.last_modified if known else None,
        allow_private=wanted.allow_private,
    )
    if response.is_unchanged and known is not None:
        return known
    with decoding:
        made = prepare(response.body) if prepare else prepare_picture(response.body, wanted.focus)
    now = installation.clock.now()
    files = tuple(
        PictureFile(
            slot, installation.pictures.put(one.data, one.suffix, now), one.width, one.height
        )
        for slot, one in made.items()
    )
    return FetchedPicture(files, response.etag, response.last_modified)


def _host_is_away(error: NewsletterError) -> bool:
    """Whether the next picture of that host would fare the same."""
    if isinstance(error, StatusError):
        return error.status in (429, 503)
    return isinstance(error, HostHeld | Unreachable | TooSlow)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that hold no address; the fetcher says so
        return ""


def _with_files(
    issue: Issue, files: Mapping[Crop, tuple[PictureFile, ...]], failures: Mapping[Crop, str]
) -> Issue:
    def illustrate(section: Section, item: Item) -> Item:
        if item.picture is None or not _shows_picture(issue, section, item):
            return item
        crop = _crop_of(item.picture)
        if crop in failures:
            # What an editor made of a picture goes with it.
            return replace(item, picture=None, site=replace(item.site, picture=None))
        if crop not in files:
            return item
        return replace(item, picture=replace(item.picture, files=files[crop]))

    return replace(
        issue,
        sections=tuple(
            replace(section, items=tuple(illustrate(section, item) for item in section.items))
            for section in issue.sections
        ),
    )
