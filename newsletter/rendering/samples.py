"""Issues made up to try templates on: one for each state that a mail can be in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from newsletter.issues.model import Block, BlockKind, Issue, IssueState, Item, Section
from newsletter.pictures.model import PictureFile
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sections import SectionPlan
from newsletter.stories.model import Picture

_SITE = "https://paper.example"
_SECTIONS = (
    SectionPlan(slug="most-read", kind="most_read", title="Most read"),
    SectionPlan(slug="latest", kind="latest", title="Latest", group_by_department=True),
)
_LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def sample_issues(newsletter: Newsletter) -> Mapping[str, tuple[Issue, Newsletter]]:
    """An issue for each state, by what is odd about it, with the newsletter that it is of.

    Its name, sender and language are those of ``newsletter``.
    """
    whole = newsletter.model_copy(
        update={
            "sections": _SECTIONS,
            "signature": newsletter.signature or "The editor",
        }
    )
    bare = whole.model_copy(update={"signature": ""})
    plain = whole.model_copy(update={"sections": newsletter.sections})
    issues = _issues()
    newsletters = {
        "without note, bylines and excerpts": bare,
        "without pictures": plain,
        "with a number": plain,
    }
    return {name: (issue, newsletters.get(name, whole)) for name, issue in issues.items()}


def _issues() -> dict[str, Issue]:
    full = _full()
    return {
        "with everything": full,
        "without pictures": _each(full, picture=None),
        "without a lead": replace(full, sections=full.sections[:1], lead=""),
        "without note, bylines and excerpts": replace(
            _each(full, byline="", excerpt="", department="", minutes=0, reads=None),
            note="",
            preheader="",
            block=None,
            logo=None,
        ),
        "with long words": replace(
            _each(full, headline=_LONG, byline=_LONG, department=_LONG), title=_LONG, subject=_LONG
        ),
        "in Armenian": replace(
            _each(
                full,
                headline="Սևանի ափին վերաբացվեց փոքրիկ թատրոնը",
                excerpt="Առաջին ներկայացումը նայեցին նաև ձկնորսները։",
                byline="Արամ Գրիգորյան",
                language="hy",
            ),
            language="hy",
            title="Գլխավոր նյութեր",
        ),
        "from right to left": replace(full, language="ar"),
        "with a number": replace(
            full, block=Block(BlockKind.NUMBER, "1,204", "letters"), logo=None
        ),
        "with a quotation": replace(full, block=Block(BlockKind.QUOTE, "We counted coins.", "")),
    }


def _full() -> Issue:
    picture = Picture(
        f"{_SITE}/road.jpg", 1200, 800, "A road below hills", "The road at dawn.", "A. Photographer"
    )
    first = Item(
        story_id="sample1",
        position=1,
        headline="First Lorries Cross as the Border Road Reopens",
        url=f"{_SITE}/1",
        excerpt="Forty drivers waited through the night with tea and playing cards.",
        byline="Lilit Hakobyan",
        department="Region",
        language="en",
        minutes=6,
        picture=picture,
    )
    second = replace(
        first,
        story_id="sample2",
        position=2,
        headline="A Choir Finds Its Second Soprano on a Bus",
        url=f"{_SITE}/2",
        syndicated_from="The Other Paper",
    )
    foreign = replace(
        second,
        story_id="sample3",
        position=3,
        headline="Դասարան՝ բաց երկնքի տակ",
        url=f"{_SITE}/3",
        language="hy",
        syndicated_from="",
        picture=replace(picture, alt="", caption="", width=150, height=100),
    )
    read = replace(first, story_id="sample4", url=f"{_SITE}/4", reads=4310, still_read=True)
    return Issue(
        public_id="sample0000000001",
        newsletter="weekly",
        slot="2025-W32",
        state=IssueState.DRAFT,
        date=date(2025, 8, 5),
        send_at=datetime(2025, 8, 5, 14, tzinfo=UTC),
        covers_from=datetime(2025, 7, 29, 14, tzinfo=UTC),
        covers_until=datetime(2025, 8, 4, 19, tzinfo=UTC),
        title="Top Stories · Week 32",
        subject="First Lorries Cross as the Border Road Reopens",
        preheader="Also: a choir, a bus, and a classroom under the open sky, in this week's issue",
        sections=(
            Section("most-read", "most_read", "Most read stories of the month", "", (read,)),
            Section("latest", "latest", "Latest articles", "", (first, second, foreign)),
        ),
        language="en",
        note="A quiet week in the capital, they said on Monday.",
        block=Block(BlockKind.QUESTION, "Which road should we drive next?", "We read every answer"),
        logo=Picture("", files=(PictureFile("logo", f"{'0' * 40}.png", 960, 96),)),
    )


def _each(issue: Issue, **changes: object) -> Issue:
    return replace(
        issue,
        sections=tuple(
            replace(
                section,
                items=tuple(replace(item, **changes) for item in section.items),  # type: ignore[arg-type]
            )
            for section in issue.sections
        ),
    )
