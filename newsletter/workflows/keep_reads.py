"""From what a counter told to reads by day: matched to stories, judged, and kept."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter.log import get_logger
from newsletter.publication.campaign import carries_tag
from newsletter.publication.model import Settings
from newsletter.publication.sources import Reads
from newsletter.sources.growth import Growth, Verdict, judge_day, judge_total, may_be_jump
from newsletter.sources.model import ReadBatch, ReadDoubt, ReadKind, StoryKey
from newsletter.sources.text import cap_problems
from newsletter.storage.transaction import Transaction
from newsletter.stories.canonical import canonical_url

log = get_logger(__name__)

# The window of "most read of the month".
_RECENT = timedelta(days=30)
# A cache that lags is fresh again within a day; days are whole ones, so it takes two.
_RESET_AFTER = timedelta(days=2)
_NAMED = 10

DayCounts = Mapping[tuple[str, date], int]


@dataclass(frozen=True)
class ReadReport:
    """What asking or importing one counter came to.

    ``rows`` of the counter of which ``matched`` named a story; ``unmatched`` are
    the first addresses that no story has, of ``unmatched_count``. ``set_aside``
    says which reads wait for a person, ``note`` what else there is to know, and
    ``waiting`` why the counter was not asked at all.
    """

    reads: str
    kind: str = ""
    rows: int = 0
    matched: int = 0
    unmatched_count: int = 0
    unmatched: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())
    set_aside: tuple[str, ...] = ()
    note: str = ""
    waiting: str = ""
    error: str = ""


def keep_batch(
    tx: Transaction, settings: Settings, reads: Reads, batch: ReadBatch, now: datetime
) -> ReadReport:
    """Keep what a poll or a file brought, within the caller's transaction."""
    tx.reads.lock(reads.slug)
    keys = [row.story for row in batch.days] + [row.story for row in batch.totals]
    found = _identify(tx, reads.source, keys)
    # Several addresses may mean one story (with and without a campaign tag).
    days: Counter[tuple[str, date]] = Counter()
    own: Counter[tuple[str, date]] = Counter()
    for row in batch.days:
        if row.story in found:
            place = (found[row.story], row.day)
            days[place] += row.count
            if row.story.url and carries_tag(row.story.url, settings.tracking.utm_source):
                own[place] += row.count
    totals: Counter[str] = Counter()
    for total in batch.totals:
        if total.story in found:
            totals[found[total.story]] += total.total
    desk = _Desk(tx, reads, batch.kind, settings, now)
    changed = bool(days or totals) and desk.note_kind()
    desk.set_days(days)
    told = own or _own_clicks(tx, settings, reads, days, totals, now)
    tx.reads.put_days(reads.slug, [(s, d, batch.kind, n) for (s, d), n in told.items()], own=True)
    desk.count_totals(totals, days_told={story for story, _ in days}, changed=changed)
    return report_batch(
        desk,
        rows=len(keys),
        matched=sum(key in found for key in keys),
        unmatched=sorted({_name(key) for key in keys if key not in found}),
        problems=batch.problems,
    )


def _own_clicks(
    tx: Transaction,
    settings: Settings,
    reads: Reads,
    days: DayCounts,
    totals: Mapping[str, int],
    now: datetime,
) -> DayCounts:
    """The clicks in our mails that a counter which sees no campaign tag has counted as reads.

    By story and local day, on the days that it tells of: of totals those since the last poll.
    """
    if not days and not totals:
        return {}
    told = {day for _, day in days}
    if totals:
        zone = settings.publication.zone
        last = tx.reads.state(reads.slug).last_success_at or now - _RECENT
        told |= {last.astimezone(zone).date(), now.astimezone(zone).date()}
    stories = {story for story, _ in days} | totals.keys()
    clicks = tx.links.story_clicks(min(told), max(told))
    return {key: count for key, count in clicks.items() if key[0] in stories}


def keep_added(
    tx: Transaction,
    settings: Settings,
    reads: Reads,
    counts: DayCounts,
    own: DayCounts,
    now: datetime,
) -> "_Desk":
    """Add visits that we counted ourselves; the desk says what it set aside."""
    desk = _Desk(tx, reads, ReadKind.VISITS, settings, now)
    if counts:
        desk.note_kind()
    desk.add_days(counts)
    rows = [(story, day, ReadKind.VISITS, n) for (story, day), n in own.items()]
    tx.reads.add_to_days(reads.slug, rows, own=True)
    return desk


def report_batch(
    desk: "_Desk",
    *,
    rows: int,
    matched: int,
    unmatched: Sequence[str] = (),
    problems: Sequence[str] = (),
    note: str = "",
) -> ReadReport:
    """The report of what the desk kept, in the log too; the first ``unmatched`` are named."""
    slug = desk.reads.slug
    told = (*problems, *cap_problems(desk.problems, "counts that had to be judged"))
    aside = desk.told_aside()
    for problem in (*told, *aside):
        log.warning("reads_problem", reads=slug, problem=problem)
    log.info("reads_synced", reads=slug, rows=rows, unmatched=len(unmatched))
    return ReadReport(
        reads=slug,
        kind=str(desk.kind),
        rows=rows,
        matched=matched,
        unmatched_count=len(unmatched),
        unmatched=tuple(unmatched[:_NAMED]),
        problems=told,
        set_aside=aside,
        note=note,
    )


def confirm_doubts(
    tx: Transaction, slug: str, now: datetime, *, leave_out: bool = False
) -> list[ReadDoubt]:
    """Count what was set aside, or take its totals as where counting goes on from."""
    doubts = tx.reads.doubts(slug)
    if not leave_out:
        tx.reads.add_to_days(slug, [(d.story, d.day, d.kind, d.reads) for d in doubts])
    for doubt in doubts:
        if doubt.total is not None:
            tx.reads.put_totals(slug, now, [(doubt.story, doubt.total)], doubt.kind)
    tx.reads.drop_doubts(slug, doubts)
    return doubts


class _Desk:
    """Where one counter's numbers are judged before they are kept."""

    def __init__(
        self, tx: Transaction, reads: Reads, kind: ReadKind, settings: Settings, now: datetime
    ) -> None:
        self.reads = reads
        self.kind = kind
        self.problems: list[str] = []
        self._tx = tx
        self._now = now
        self._today = now.astimezone(settings.publication.zone).date()
        self._before = tx.reads.kind_of(reads.slug)
        doubts = tx.reads.doubts(reads.slug)
        self._pending = {(d.story, d.day): d for d in doubts if d.kind is kind}

    def note_kind(self) -> bool:
        """Tell of a counter that counts something else now; True where it does.

        What was set aside of the former kind is dropped: it would rank nothing.
        """
        if self._before in (None, self.kind):
            return False
        self.problems.append(
            f"{self.reads.slug} counts {self.kind} now, and {self._before} before: the two are "
            "not mixed, counting starts anew"
        )
        self._tx.reads.change_kind(self.reads.slug, self.kind, self._now)
        doubts = self._tx.reads.doubts(self.reads.slug)
        self._tx.reads.drop_doubts(self.reads.slug, [d for d in doubts if d.kind is not self.kind])
        return True

    def set_days(self, days: DayCounts) -> None:
        """Take numbers that are each the whole of a day."""
        if not days:
            return
        stored = self._tx.reads.day_values(self.reads.slug, self.kind, {day for _, day in days})
        largest = self._tx.reads.largest_day(self.reads.slug, self.kind)
        usual = self._usual_days(days)
        kept = []
        for (story, day), count in days.items():
            growth = judge_day(stored.get((story, day), 0), count, largest, usual.get(story, 0))
            if growth.verdict is Verdict.JUMPED:
                self._set_aside(ReadDoubt(story, day, self.kind, growth.reads))
                continue
            self._clear(story, day)
            if growth.verdict is Verdict.BACK:
                self.problems.append(
                    f"the count of {self._title(story)} on {day} went back from "
                    f"{stored[story, day]} to {count}: the new number stands"
                )
            kept.append((story, day, self.kind, count))
        self._tx.reads.put_days(self.reads.slug, kept)

    def add_days(self, counts: DayCounts) -> None:
        """Take numbers that add to their days."""
        if not counts:
            return
        stored = self._tx.reads.day_values(self.reads.slug, self.kind, {day for _, day in counts})
        largest = self._tx.reads.largest_day(self.reads.slug, self.kind)
        usual = self._usual_days(counts)
        kept = []
        for (story, day), count in counts.items():
            waiting = self._pending.get((story, day))
            added = count + (waiting.reads if waiting else 0)
            before = stored.get((story, day), 0)
            growth = judge_day(before, before + added, largest, usual.get(story, 0))
            if growth.verdict is Verdict.JUMPED:
                self._set_aside(ReadDoubt(story, day, self.kind, added))
                continue
            self._clear(story, day)
            kept.append((story, day, self.kind, added))
        self._tx.reads.add_to_days(self.reads.slug, kept)

    def count_totals(
        self, totals: Mapping[str, int], *, days_told: Collection[str], changed: bool
    ) -> None:
        """Turn running totals into today's reads by what they grew since the last poll.

        A story seen for the first time has been counted in the batch's days where
        the counter can tell them. Else its reads fall on today, the only day we
        know anything of, if it is young enough that all of them are recent; an
        older story's first total is only where counting starts, and so is every
        total of a counter whose kind ``changed``.
        """
        if not totals:
            return
        last = {} if changed else self._tx.reads.last_totals(self.reads.slug, self.kind)
        largest = self._largest_growth(last, totals)
        stories = {s.public_id: s for s in self._tx.stories.by_ids(list(totals))}
        grown, points = [], []
        for story, total in totals.items():
            previous = last.get(story)
            old = self._now - stories[story].published_at > _RECENT
            if previous is None and (days_told or old or changed):
                points.append((story, total))
                continue
            fallen = self._fallen(story, previous)
            growth = judge_total(previous, total, largest[previous is None], fallen)
            if self._must_wait(story, growth, previous, total):
                continue
            for doubt in self._total_doubts(story):
                self._clear(story, doubt.day)
            self._tell_of(story, growth, previous, total)
            if growth.verdict is not Verdict.BACK:
                points.append((story, total))
                grown.append((story, self._today, self.kind, growth.reads))
        self._tx.reads.add_to_days(self.reads.slug, grown)
        self._tx.reads.put_totals(self.reads.slug, self._now, points, self.kind)

    def _largest_growth(
        self, last: Mapping[str, int], totals: Mapping[str, int]
    ) -> Mapping[bool, int]:
        """The most that a story grew by, for one seen before and (True) for one that was not.

        By this poll and all before it, without what jumps in this one. A story not seen
        before is compared with whole days too: other stories' first totals are among them.
        Asked for only where something may have jumped, for it looks at every total kept.
        """
        slug, now = self.reads.slug, [(last.get(s, 0), total) for s, total in totals.items()]
        if not any(may_be_jump(previous, total) for previous, total in now):
            return {False: 0, True: 0}
        day = self._tx.reads.largest_day(slug, self.kind)
        # What a person left out is among the totals, but on no day.
        before = min(day, self._tx.reads.largest_growth(slug, self.kind))
        seen = [
            totals[story] - previous
            for story, previous in last.items()
            if story in totals and not may_be_jump(previous, totals[story])
        ]
        most = max(before, *seen, 0)
        return {False: most, True: max(most, day)}

    def _must_wait(self, story: str, growth: Growth, previous: int | None, total: int) -> bool:
        """Set aside what a single look can't tell; True where it waits.

        A jump waits for a person. A fall may be a cache that lags: only one that
        has lasted for two days is taken as a reset, with what it grew to meanwhile.
        """
        if growth.verdict not in (Verdict.JUMPED, Verdict.RESET):
            return False
        fell = growth.verdict is Verdict.RESET
        since = self._today
        for doubt in self._total_doubts(story):
            if fell is (previous is not None and (doubt.total or 0) < previous):
                since = min(since, doubt.day)
            else:
                self._clear(story, doubt.day)
        if fell and self._today - since >= _RESET_AFTER:
            return False
        self._set_aside(ReadDoubt(story, since, self.kind, growth.reads, total))
        return True

    def told_aside(self) -> tuple[str, ...]:
        """What waits for a person or another day: told every time until it is decided."""
        return cap_problems(list(self._tell_aside()), "counts that are set aside")

    def _tell_aside(self) -> Iterator[str]:
        waiting = self._pending.values()
        known = any(doubt.total is not None for doubt in waiting)
        last = self._tx.reads.last_totals(self.reads.slug, self.kind) if known else {}
        confirm = f"`newsletter reads confirm --reads {self.reads.slug}`"
        for doubt in waiting:
            previous, title = last.get(doubt.story), self._title(doubt.story)
            if doubt.total is not None and previous is not None and doubt.total < previous:
                yield (
                    f"the count of {title} fell from {previous} to {doubt.total}: a cache that "
                    f"lags, or a reset; its {doubt.reads} {doubt.kind} count if it stays below for "
                    f"{_RESET_AFTER.days} days, or at once by {confirm}"
                )
            else:
                yield (
                    f"{doubt.reads} {doubt.kind} of {title} on {doubt.day} are set aside, for "
                    "they are a hundredfold of what was usual; if they are right, count them by "
                    f"{confirm}"
                )

    def _tell_of(self, story: str, growth: Growth, previous: int | None, total: int) -> None:
        if growth.verdict is Verdict.RESET:
            self.problems.append(
                f"the count of {self._title(story)} fell from {previous}, stayed below it and is "
                f"{total} now: taken as a counter that was reset"
            )
        elif growth.verdict is Verdict.BACK:
            self.problems.append(
                f"the count of {self._title(story)} went back from {previous} to {total}: nothing "
                f"is counted until it is past {previous} again"
            )

    def _usual_days(self, days: DayCounts) -> Mapping[str, float]:
        return self._tx.reads.usual_days(self.reads.slug, self.kind, {story for story, _ in days})

    def _total_doubts(self, story: str) -> list[ReadDoubt]:
        return [d for d in self._pending.values() if d.story == story and d.total is not None]

    def _fallen(self, story: str, previous: int | None) -> int | None:
        """What a story's total showed last since a fall that is not decided; None without one."""
        shown = [doubt.total for doubt in self._total_doubts(story) if doubt.total is not None]
        return next((total for total in shown if total < (previous or 0)), None)

    def _set_aside(self, doubt: ReadDoubt) -> None:
        self._pending[doubt.story, doubt.day] = doubt
        self._tx.reads.put_doubts(self.reads.slug, [doubt])

    def _clear(self, story: str, day: date) -> None:
        doubt = self._pending.pop((story, day), None)
        if doubt is not None:
            self._tx.reads.drop_doubts(self.reads.slug, [doubt])

    def _title(self, story: str) -> str:
        found = self._tx.stories.by_ids([story])
        return f"“{found[0].title}”" if found else story


def _identify(tx: Transaction, source: str, keys: Sequence[StoryKey]) -> dict[StoryKey, str]:
    """The public ids of the stories that a counter names, by its own keys."""
    canonical = {
        key: StoryKey(canonical_url(key.url) if key.url else None, key.native_id) for key in keys
    }
    found = tx.stories.identify(source, list(dict.fromkeys(canonical.values())))
    return {key: found[known] for key, known in canonical.items() if known in found}


def _name(key: StoryKey) -> str:
    return key.url or key.native_id or ""
