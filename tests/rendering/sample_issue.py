"""An issue of the demo's paper to render in tests: 17 stories, two of them in Armenian."""

from dataclasses import replace
from datetime import UTC, date, datetime

from newsletter.issues.model import Block, BlockKind, Issue, IssueState, Item, Section
from newsletter.pictures.model import PictureFile
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter, Sender
from newsletter.publication.sections import SectionPlan
from newsletter.stories.model import Picture

SITE = "https://paper.example"
BASE_URL = "https://news.paper.example"

PUBLICATION = Publication(
    name="The Araks Courier",
    short_name="the Courier",
    url=SITE,
    timezone="America/Los_Angeles",
    language="en",
    postal_address="12 Bridge Street, Glendale, CA 91200",
    social=("https://www.facebook.com/araks.example", "https://t.me/araks"),
)
NEWSLETTER = Newsletter(
    slug="weekly",
    name="The Courier Weekly",
    sender=Sender(name="The Araks Courier", address="weekly@paper.example"),
    reply_to="editors@paper.example",
    sections=(
        SectionPlan(slug="most-read", kind="most_read", title="Most read stories of the month"),
        SectionPlan(slug="latest", kind="latest", title="Latest articles of the week", count=12),
    ),
)

# Headline, department, byline, minutes, reads.
_MOST_READ = (
    ("The Letter My Great-Grandmother Never Posted", "Community", "Ani Petrosyan", 7, 4310),
    ("A Village of Eleven Keeps Its School Open", "Armenia & Region", "Davit Sargsyan", 5, 3872),
    (
        "Dolma at Scale: Inside the Parish Kitchen That Feeds a Festival",
        "Recipes",
        "Maral Kevorkian",
        4,
        3105,
    ),
    ("Who Pays for the Concert in the Square?", "Opinion", "Hrant Melkonian", 3, 2660),
    ("Chess at Midnight with the Girls of Gyumri", "Arts", "Sona Avetisyan", 6, 2418),
)
# Headline, excerpt, department, byline, minutes, picture size.
_LATEST = (
    (
        "First Lorries Cross as the Border Road Reopens After Three Decades",
        "Forty drivers waited through the night with tea and playing cards. What they carried "
        "matters less than what comes next: a timetable, a customs post, and a promise neither "
        "side has yet put in writing.",
        "Armenia & Region",
        "Lilit Hakobyan",
        6,
        (1200, 675),
    ),
    (
        "Glendale Votes on a Library Wing for Western Armenian",
        "Two council meetings, nine hundred letters, one narrow margin.",
        "Community",
        "Talin Garabedian",
        4,
        (1024, 768),
    ),
    (
        "The Weaver Who Reads Rugs Like Scores",
        "In a loft above the bakery, a pattern from 1894 is played again.",
        "Arts",
        "Sona Avetisyan",
        5,
        (900, 675),
    ),
    (
        "Սևանի ափին վերաբացվեց փոքրիկ թատրոնը",
        "Առաջին ներկայացումը նայեցին նաև ձկնորսները։",
        "Մշակույթ",
        "Արամ Գրիգորյան",
        3,
        (1200, 800),
    ),
    (
        "What a Timetable Can and Cannot Promise",
        "Roads are easier to open than ledgers.",
        "Opinion",
        "Hrant Melkonian",
        3,
        None,
    ),
    (
        "Apricot Growers Count the Days Until the Rain",
        "A late frost took a third of the blossom. The rest hangs on a week of weather.",
        "Armenia & Region",
        "Davit Sargsyan",
        4,
        (800, 1200),
    ),
    (
        "A Choir Finds Its Second Soprano on a Bus",
        "",
        "Arts",
        "",
        0,
        (640, 480),
    ),
    (
        "Three Brothers, One Barbershop, and a Lease That Ends in June",
        "The chairs are from 1961, and so is the argument about the radio.",
        "Community",
        "Maral Kevorkian",
        5,
        (1600, 1067),
    ),
    (
        "Դասարան՝ բաց երկնքի տակ",
        "Գյուղի ուսուցիչը գրատախտակը տարավ այգի, և ոչ ոք չբացակայեց։",
        "Կրթություն",
        "Նարե Սիմոնյան",
        2,
        (1200, 900),
    ),
    (
        "Basturma, Patience and a North Window",
        "Three weeks, a pound of fenugreek and no shortcuts: the recipe as it was handed down.",
        "Recipes",
        "Maral Kevorkian",
        6,
        (1200, 800),
    ),
    (
        "The Dictionary That Fits in a Coat Pocket",
        "A retired printer sets twelve hundred words he fears his grandchildren will not hear.",
        "Books",
        "Ani Petrosyan",
        4,
        None,
    ),
    (
        "Under-15s Take the Cup, and the Long Way Home",
        "The bus broke down in Fresno. The trophy made friends at the garage.",
        "Sport",
        "Vahe Torosyan",
        2,
        (150, 100),
    ),
)


def sample_issue(**changes: object) -> Issue:
    """The issue of the week 32 of 2025, with ``changes`` to its fields."""
    issue = Issue(
        public_id="k3v9x2m7q4d8w1tz",
        newsletter="weekly",
        slot="2025-W32",
        state=IssueState.DRAFT,
        date=date(2025, 8, 5),
        send_at=datetime(2025, 8, 5, 14, tzinfo=UTC),
        covers_from=datetime(2025, 7, 29, 14, tzinfo=UTC),
        covers_until=datetime(2025, 8, 4, 19, tzinfo=UTC),
        title="Top Stories · Week 32",
        subject="First Lorries Cross as the Border Road Reopens",
        preheader="Also: a village school of eleven, dolma at scale, and chess at midnight",
        sections=(
            Section("most-read", "most_read", "Most read stories of the month", "", _ranked()),
            Section("latest", "latest", "Latest articles of the week", "", _latest()),
        ),
        language="en",
        note="A quiet week in the capital, they said on Monday. By Thursday the border road had "
        "reopened, the orchestra had lost its hall, and a grandmother in Glendale had taught "
        "half the internet to fold dolma.",
    )
    return replace(issue, **changes)


# With every part that an issue can have.
WHOLE_NEWSLETTER = NEWSLETTER.model_copy(
    update={
        "signature": "Lilit Hakobyan, editor of The Courier Weekly",
        "sections": (
            NEWSLETTER.sections[0],
            NEWSLETTER.sections[1].model_copy(update={"group_by_department": True}),
        ),
    }
)


def whole_issue(**changes: object) -> Issue:
    """The same issue with a logo, a question to the readers, and its stories by department."""
    question = Block(BlockKind.QUESTION, "Which road should we drive next?", "We read every answer")
    logo = Picture("", files=(PictureFile("logo", f"{'0' * 40}.png", 960, 96),))
    return sample_issue(block=question, logo=logo, **changes)


def _ranked() -> tuple[Item, ...]:
    return tuple(
        Item(
            story_id=f"read{position}",
            position=position,
            headline=headline,
            url=f"{SITE}/2025/07/most-read-{position}/",
            byline=byline,
            department=department,
            language="en",
            minutes=minutes,
            reads=reads,
        )
        for position, (headline, department, byline, minutes, reads) in enumerate(_MOST_READ, 1)
    )


def _latest() -> tuple[Item, ...]:
    return tuple(
        Item(
            story_id=f"late{position}",
            position=position,
            headline=headline,
            url=f"{SITE}/2025/08/story-{position}/",
            excerpt=excerpt,
            byline=byline,
            department=department,
            # The sources rarely know the language; Armenian letters tell it.
            language=None,
            minutes=minutes,
            picture=_picture(position, size),
        )
        for position, (headline, excerpt, department, byline, minutes, size) in enumerate(
            _LATEST, 1
        )
    )


def _picture(position: int, size: tuple[int, int] | None) -> Picture | None:
    if size is None:
        return None
    return Picture(
        url=f"{SITE}/pictures/{position}.png?size={size[0]}x{size[1]}",
        width=size[0],
        height=size[1],
        alt="" if position % 3 == 0 else "A picture of hills below a large moon",
        caption="The road below the mountain opened to lorries at dawn on Thursday."
        if position == 1
        else "",
        credit="Nareh Simonian" if position == 1 else "",
    )
