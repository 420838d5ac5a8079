"""The parts of an issue by name: compared, told in words, and put back as they were.

A part is "subject", "preheader", "title", "note", "block", "lead"; of a story
"story:ID:headline" (or excerpt, picture, alt, crop), "story:ID:place" and
"story:ID:pin"; of a section "section:SLUG:title" and "section:SLUG:shown".
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from newsletter.issues.items import show_picture
from newsletter.issues.model import Issue, Item, ItemField, PartChange, Section
from newsletter.issues.places import (
    change_item,
    change_section,
    find_place,
    find_section,
    is_pinned,
    put_in,
    take_out,
)

LINES = ("subject", "preheader", "title", "note")


def tell_part(issue: Issue, part: str) -> str:
    """A part of the issue in words: a text as it is, a place as "latest/2"."""
    if part in LINES:
        return str(getattr(issue, part))
    if part == "block":
        block = issue.block
        return " · ".join(filter(None, (block.kind, block.text, block.source))) if block else ""
    if part == "lead":
        found = find_place(issue, issue.lead)
        return found[1].headline if found else ""
    kind, name, what = _split(part)
    if kind == "section":
        section = find_section(issue, name)
        if what == "shown":
            return "shown" if section else "left out"
        return section.title if section else ""
    found = find_place(issue, name)
    if what == "pin":
        return "pinned" if is_pinned(issue, name) else "not pinned"
    if what == "place":
        if found is None:
            return "held over" if name in issue.held_over else "out"
        return f"{found[0].slug}/{found[1].position}"
    return _tell_field(found[1], ItemField(what)) if found else ""


def name_part(issues: Sequence[Issue], part: str) -> str:
    """What a part is called: "the subject", "the headline of “Bread rises”"."""
    if part in (*LINES, "block", "lead"):
        return f"the {part}"
    kind, name, what = _split(part)
    if kind == "section":
        titles = (one.title for issue in issues for one in _all_sections(issue) if one.slug == name)
        title = next(titles, name)
        return f"the title of “{title}”" if what == "title" else f"the section “{title}”"
    headline = next((told for issue in issues if (told := _headline(issue, name))), name)
    words = {"alt": "alternative text", "crop": "picture's crop"}
    return f"the {words.get(what, what)} of “{headline}”"


def changes_between(before: Issue, after: Issue, parts: Collection[str]) -> tuple[PartChange, ...]:
    """What became of these parts, in their order by name; those that are the same are left out."""
    told = (
        PartChange(part, tell_part(before, part), tell_part(after, part)) for part in sorted(parts)
    )
    return tuple(change for change in told if change.before != change.after)


def parts_that_differ(before: Issue, after: Issue) -> frozenset[str]:
    """The parts in which two versions of an issue differ; of stories in another order the
    fewest that have moved."""
    parts = {
        part for part in (*LINES, "block") if tell_part(before, part) != tell_part(after, part)
    }
    if before.lead != after.lead:
        parts.add("lead")
    old, new = ({one.slug: one for one in issue.sections} for issue in (before, after))
    parts |= {f"section:{slug}:shown" for slug in old.keys() ^ new.keys()}
    parts |= {
        f"section:{slug}:title"
        for slug in old.keys() & new.keys()
        if old[slug].title != new[slug].title
    }
    places = [
        {
            item.story_id: (section.slug, item)
            for section in issue.sections
            for item in section.items
        }
        for issue in (before, after)
    ]
    for story in places[0].keys() | places[1].keys():
        there, here = places[0].get(story), places[1].get(story)
        if there is None or here is None or there[0] != here[0]:
            parts.add(f"story:{story}:place")
        if there and here:
            parts |= {
                f"story:{story}:{field}"
                for field in ItemField
                if _tell_field(there[1], field) != _tell_field(here[1], field)
            }
        if is_pinned(before, story) != is_pinned(after, story):
            parts.add(f"story:{story}:pin")
    for slug in old.keys() & new.keys():
        parts |= {f"story:{story}:place" for story in _moved(old[slug], new[slug])}
    return frozenset(parts)


def put_back(now: Issue, before: Issue, parts: Collection[str]) -> Issue | None:
    """``now`` with these parts as they were in ``before``; None where one has no place any more.

    What else changed since stays. Places are to be settled afterwards.
    """
    issue = now
    for part in sorted(part for part in parts if part.startswith("section:")):
        _, slug, what = _split(part)
        back = _put_back_section(issue, before, slug, what)
        if back is None:
            return None
        issue = back
    stories = [_split(part)[1] for part in parts if part.endswith(":place")]
    found = {story: find_place(before, story) for story in stories}
    # Gone first, then from the top, so that each comes to the place that it had.
    placed = sorted(
        stories, key=lambda story: (at[0].slug, at[1].position) if (at := found[story]) else ("", 0)
    )
    for story in placed:
        back = _put_back_place(issue, before, story)
        if back is None:
            return None
        issue = back
    for part in sorted(parts):
        if part in LINES:
            issue = replace(issue, **{part: getattr(before, part)})
        elif part == "block":
            issue = replace(issue, block=before.block)
        elif part == "lead":
            issue = replace(issue, lead=before.lead, lead_kept=before.lead_kept)
        elif part.startswith("story:") and not part.endswith(":place"):
            _, story, what = _split(part)
            if what == "pin":
                issue = _put_back_pin(issue, before, story)
            else:
                issue = _put_back_field(issue, before, story, ItemField(what))
    return issue


def _split(part: str) -> tuple[str, str, str]:
    kind, _, rest = part.partition(":")
    name, _, what = rest.rpartition(":")
    return kind, name, what


def _tell_field(item: Item, field: ItemField) -> str:
    picture = item.picture
    match field:
        case ItemField.HEADLINE:
            return item.headline
        case ItemField.EXCERPT:
            return item.excerpt
        case ItemField.PICTURE:
            return "shown" if picture else "left out"
        case ItemField.ALT:
            return picture.alt if picture else ""
        case ItemField.CROP:
            if picture is None or picture.focus is None:
                return "by rule"
            return f"around {picture.focus[0]:.0%}, {picture.focus[1]:.0%}"


def _headline(issue: Issue, story: str) -> str:
    for section in _all_sections(issue):
        named = {one.story_id: one.headline for one in section.runners_up}
        named |= {item.story_id: item.headline for item in section.items}
        if story in named:
            return named[story]
    return ""


def _all_sections(issue: Issue) -> Iterator[Section]:
    yield from issue.sections
    for dropped in issue.dropped:
        yield dropped.section


def _moved(old: Section, new: Section) -> set[str]:
    """The fewest stories of both that stand in another order: all but a longest common row."""
    was = [item.story_id for item in old.items]
    at = {story: n for n, story in enumerate(was)}
    row = [item.story_id for item in new.items if item.story_id in at]
    # Of each story: the longest row that ends with it, as the story before it.
    best: list[tuple[int, int]] = []
    for n, story in enumerate(row):
        length, back = max(
            ((best[m][0], m) for m in range(n) if at[row[m]] < at[story]), default=(0, -1)
        )
        best.append((length + 1, back))
    kept: set[str] = set()
    at_last = max(range(len(row)), key=lambda n: best[n][0], default=-1)
    while at_last >= 0:
        kept.add(row[at_last])
        at_last = best[at_last][1]
    return set(row) - kept


def _put_back_section(issue: Issue, before: Issue, slug: str, what: str) -> Issue | None:
    old, here = find_section(before, slug), find_section(issue, slug)
    if what == "title":
        if old is None or here is None:
            return None
        return change_section(issue, replace(here, title=old.title, made_title=old.made_title))
    if (old is None) == (here is None):
        return issue
    dropped = tuple(one for one in issue.dropped if one.section.slug != slug)
    if here is not None:
        left = tuple(one for one in issue.sections if one.slug != slug)
        was = tuple(one for one in before.dropped if one.section.slug == slug)
        # What came into it since would go with it.
        known = {item.story_id for one in was for item in one.section.items}
        if any(item.story_id not in known for item in here.items):
            return None
        return replace(issue, sections=left, dropped=(*dropped, *was))
    if old is None:
        return issue
    slugs = [one.slug for one in before.sections]
    ahead = set(slugs[: slugs.index(slug)])
    at = max((n for n, one in enumerate(issue.sections, 1) if one.slug in ahead), default=0)
    # Its stories follow as places of their own.
    empty = replace(old, items=())
    return replace(
        issue, sections=(*issue.sections[:at], empty, *issue.sections[at:]), dropped=dropped
    )


def _put_back_place(issue: Issue, before: Issue, story: str) -> Issue | None:
    was, here = find_place(before, story), find_place(issue, story)
    issue = take_out(issue, story)
    if was is not None:
        section, item = was
        if find_section(issue, section.slug) is None:
            return None
        issue = put_in(issue, here[1] if here else item, section.slug, item.position)
    issue = _put_back_pin(issue, before, story)
    return replace(
        issue,
        excluded=_as_before(issue.excluded, before.excluded, story),
        held_over=_as_before(issue.held_over, before.held_over, story),
        sections=tuple(_offered_before(one, before, story) for one in issue.sections),
    )


def _put_back_pin(issue: Issue, before: Issue, story: str) -> Issue:
    pins = tuple(pin for pin in issue.pins if pin.story_id != story)
    return replace(issue, pins=(*pins, *(pin for pin in before.pins if pin.story_id == story)))


def _as_before(now: tuple[str, ...], before: tuple[str, ...], story: str) -> tuple[str, ...]:
    others = tuple(one for one in now if one != story)
    return (*others, story) if story in before else others


def _offered_before(section: Section, before: Issue, story: str) -> Section:
    """The section with that story among its runners-up where it was one."""
    old = find_section(before, section.slug)
    was = (
        [(at, one) for at, one in enumerate(old.runners_up) if one.story_id == story] if old else []
    )
    left = [one for one in section.runners_up if one.story_id != story]
    for at, one in was:
        left.insert(at, one)
    return replace(section, runners_up=tuple(left))


def _put_back_field(issue: Issue, before: Issue, story: str, field: ItemField) -> Issue:
    was, here = find_place(before, story), find_place(issue, story)
    if was is None or here is None:
        return issue
    old, item = was[1], here[1]
    match field:
        case ItemField.HEADLINE:
            site = replace(item.site, headline=old.site.headline)
            item = replace(item, headline=old.headline, site=site)
        case ItemField.EXCERPT:
            site = replace(item.site, excerpt=old.site.excerpt)
            item = replace(item, excerpt=old.excerpt, site=site)
        case ItemField.PICTURE:
            item = show_picture(item, old.picture)
        case ItemField.ALT:
            if old.picture and item.picture:
                item = show_picture(item, replace(item.picture, alt=old.picture.alt))
        case ItemField.CROP:
            if old.picture and item.picture:
                focus, files = old.picture.focus, old.picture.files
                item = show_picture(item, replace(item.picture, focus=focus, files=files))
    return change_item(issue, item)
