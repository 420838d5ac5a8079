"""A paper of any size for the benches: stories and reads made from a seed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from newsletter.clock import ShiftedClock
from newsletter.config import load_config
from newsletter.sources.model import ReadKind
from newsletter.stories.model import Picture, Story
from newsletter.tokens import derived_public_id
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEPARTMENTS = ("Community", "Armenia & Region", "Arts", "Opinion", "Recipes", "Sports")

CONFIG = """\
data_dir = "data"
[publication]
name = "The Araks Courier"
short_name = "the Courier"
url = "https://paper.example"
timezone = "America/Los_Angeles"
postal_address = "The Araks Courier, 12 Orchard Lane, Glendale, California"
[[source]]
slug = "site"
url = "http://127.0.0.1:9/feed/"  # refused at once: a fresh check waits for nobody
[[reads]]
slug = "site"
source = "site"
kind = "csv"
[pictures]
served_by = "site"
[[newsletter]]
slug = "weekly"
name = "Courier Weekly"
from = { name = "The Araks Courier", address = "newsletter@paper.example" }
approval = "auto"
[[newsletter.section]]
slug = "most-read"
kind = "most_read"
title = "Most read stories of the month"
count = 5
max_per_department = 2
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest articles of the week"
count = 12
window = "7 days"
"""


# One section of each kind, for what an issue costs at most.
EVERY_KIND = """\
[[newsletter.section]]
slug = "rising"
kind = "rising"
title = "Rising"
[[newsletter.section]]
slug = "sports"
kind = "department"
department = "Sports"
title = "Sports"
[[newsletter.section]]
slug = "pick"
kind = "editors_pick"
title = "The editors' pick"
[[newsletter.section]]
slug = "missed"
kind = "you_may_have_missed"
title = "You may have missed"
"""
# Stories and their reads are written so many at a time, which bounds memory.
_BATCH = 2_000


@contextmanager
def installation_with(stories: int, days_of_reads: int = 28) -> Iterator[Installation]:
    """An installation on a fresh SQLite file that knows ``stories`` stories and their reads."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(CONFIG, encoding="utf-8")
        with open_installation(load_config(path, {}), ShiftedClock(NOW)) as installation:
            add_stories(installation, stories, NOW, days_of_reads)
            yield installation


def add_stories(installation: Installation, count: int, now: datetime, days_of_reads: int) -> None:
    """Store ``count`` stories of the sixty days before ``now``, each read on so many days.

    The days are the first of its life; a younger story's are the last ones, so
    that each has as many rows. Reads are small numbers that fall off with age,
    and some stories have many.
    """
    random_source = random.Random(5)
    for start in range(0, count, _BATCH):
        numbers = range(start, min(count, start + _BATCH))
        made = [_story(number, count, now, random_source) for number in numbers]
        with installation.database.write() as tx:
            tx.stories.save(made)
            tx.reads.put_days(
                "site",
                [row for story in made for row in _reads(story, now, days_of_reads, random_source)],
            )


def _reads(
    story: Story, now: datetime, days: int, random_source: random.Random
) -> Iterator[tuple[str, date, ReadKind, int]]:
    size = random_source.paretovariate(1.3) * 40
    last = min(now.date(), story.published_at.date() + timedelta(days=days - 1))
    for number in range(days):
        day = last - timedelta(days=days - 1 - number)
        count = random_source.randrange(1, 3) + int(size * 0.7**number)
        yield story.public_id, day, ReadKind.VIEWS, count


def _story(number: int, of: int, now: datetime, random_source: random.Random) -> Story:
    # Spread over sixty days, so that some hundreds of 5,000 fall into the last week.
    published = now - timedelta(days=60) * (number + 1) / (of + 1)
    title = f"{number}: " + " ".join(
        random_source.sample(("orchard", "council", "school", "river", "choir", "bridge"), 4)
    )
    return Story(
        public_id=derived_public_id("bench", str(number)),
        source="site",
        url=f"https://paper.example/stories/{number}/",
        title=title,
        title_key=title,
        published_at=published,
        published_on=published.date(),
        first_seen_at=published,
        native_id=str(number),
        byline="Lilit Hakobyan",
        departments=(random_source.choice(DEPARTMENTS),),
        excerpt="Forty drivers waited through the night with tea and playing cards. " * 3,
        words=random_source.randrange(150, 1500),
        picture=Picture(
            url=f"https://paper.example/pictures/{number}.jpg",
            width=1200,
            height=800,
            alt="A road below a mountain",
            caption="The road opened at dawn.",
            credit="The Araks Courier",
        ),
    )
