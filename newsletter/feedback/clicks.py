"""Whether a click was a person's or a program's, and what many of them come to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta, tzinfo

from newsletter.feedback.model import Addressee, Click, ClickSum, ReaderClicks
from newsletter.sources.bots import is_bot

# A mail is read no sooner after it was handed to the relay; gateways follow its links
# while they take it in.
SOONEST_PERSON = timedelta(seconds=10)
# Nobody opens so many stories in so short a time; who looks through a mail for harm does.
BURST_STORIES = 4
BURST_WITHIN = timedelta(seconds=5)

# Browsers and mail programs say by these that nobody asked for the page yet.
# https://www.w3.org/TR/resource-hints and the Sec-Purpose header of the Fetch standard.
_PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PREFETCH_WORDS = ("prefetch", "prerender", "preview")


def is_machine(method: str, agent: str, headers: Mapping[str, str]) -> bool:
    """Whether a request was made by no person: a HEAD, a bot's, or one made ahead of a click.

    ``headers`` are by lower-case name. Scanners that call themselves a browser
    are not told apart here.
    """
    ahead = any(
        word in headers.get(name, "").lower()
        for name in _PREFETCH_HEADERS
        for word in _PREFETCH_WORDS
    )
    return method != "GET" or ahead or is_bot(agent)


def judge_readers_clicks(
    clicks: Iterable[Click],
    addressees: Mapping[tuple[str, str], Addressee],
    links: Mapping[str, tuple[str, str]],
) -> list[Click]:
    """The clicks that a reader made in a mail of theirs, those of scanners marked as such.

    ``addressees`` are by mailing and recipient, ``links`` give the issue and the
    story of each link by its id. A scanner is known by following links as soon as
    the mail is handed over, or those of many stories at once.
    """
    mine: defaultdict[str, list[Click]] = defaultdict(list)
    for click in clicks:
        addressee = addressees.get((click.mailing, click.recipient))
        if addressee is None or links.get(click.link, ("",))[0] != addressee.issue_id:
            continue
        handed_over = addressee.handed_over_at
        early = handed_over is not None and click.at - handed_over < SOONEST_PERSON
        mine[click.recipient].append(click._replace(by_machine=click.by_machine or early))
    return [
        click
        for made in mine.values()
        for click in _mark_bursts(sorted(made, key=lambda click: click.at), links)
    ]


def _mark_bursts(clicks: Sequence[Click], links: Mapping[str, tuple[str, str]]) -> Iterable[Click]:
    """One reader's clicks in the order of time; all of a burst are a machine's."""
    marked: set[int] = set()
    start = 0
    for end, click in enumerate(clicks):
        while click.at - clicks[start].at > BURST_WITHIN:
            start += 1
        window = range(start, end + 1)
        if len({links[clicks[at].link][1] for at in window}) >= BURST_STORIES:
            marked.update(window)
    return [
        click._replace(by_machine=True) if at in marked else click
        for at, click in enumerate(clicks)
    ]


def sum_by_day(clicks: Iterable[Click], zone: tzinfo) -> dict[tuple[str, date], ClickSum]:
    """The clicks on each link on each local day."""
    people: Counter[tuple[str, date]] = Counter()
    machines: Counter[tuple[str, date]] = Counter()
    for click in clicks:
        counter = machines if click.by_machine else people
        counter[click.link, click.at.astimezone(zone).date()] += 1
    return {key: ClickSum(people[key], machines[key]) for key in people | machines}


def sum_by_reader(clicks: Iterable[Click]) -> list[ReaderClicks]:
    """The clicks of each reader on each link."""
    sums: dict[tuple[str, str], ReaderClicks] = {}
    for click in clicks:
        key = (click.recipient, click.link)
        before = sums.get(key) or ReaderClicks(*key, 0, 0, click.at, click.at)
        sums[key] = replace(
            before,
            clicks=before.clicks + (not click.by_machine),
            machine_clicks=before.machine_clicks + click.by_machine,
            first_at=min(before.first_at, click.at),
            last_at=max(before.last_at, click.at),
        )
    return list(sums.values())
