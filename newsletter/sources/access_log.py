"""Reads from a web server's access log, in the combined format of nginx and Apache.

A line counts where it is a GET that was answered with 200 or 304, of a story's
path, by no bot, and does not repeat the same visitor's request of the same
story within half an hour. What is counted is thus visits: web analytics
commonly end a visit after 30 minutes of silence.

Format: https://httpd.apache.org/docs/2.4/logs.html#combined; a virtual host may
stand before it and other fields after it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from hashlib import blake2b

from newsletter.sources.bots import is_bot
from newsletter.sources.recent_visits import RecentVisits

REPEAT_SECONDS = 30 * 60

# A path of the log as a story's public id and whether it carries our mails' tag.
FindStory = Callable[[str], tuple[str, bool] | None]

_TEXT = rb'[^"\\]*(?:\\.[^"\\]*)*'
_LINE = re.compile(
    # [host:port] client ident user [time] "request" status bytes ["referrer" "agent"]
    rb"(?:\S+:\d+ )?(\S+) \S+ [^\[]+ \[([^\]]{26})\] "
    + rb'("GET '
    + _TEXT
    + rb'") (\d{3}) \S+'
    + rb'(?: "'
    + _TEXT
    + rb'" "('
    + _TEXT
    + rb')")?'
)
_FORM = "%d/%b/%Y:%H:%M:%S %z"
# A day and more: lines of a log that is read on are of hours.
_MAX_STAMPS = 2_000
# What a page's last name may end in; with any other ending it is a file beside the pages.
_PAGE_ENDINGS = (b".html", b".htm", b".php", b".asp", b".aspx", b".shtml")
# What machines ask for, and the start page.
_NO_PAGE = re.compile(
    rb"/(?:wp-[^?]*|xmlrpc\.php|index\.php|cgi-bin/.*|(?:.*/)?(?:feed|rss|atom)/?)?"
)
# So many paths that no story has are counted; then the rarer half of them is forgotten.
_MAX_OTHERS = 4_000
_LONGEST_PATH = 200


@dataclass
class LogTally:
    """What the lines came to; ``reads`` and ``own`` by story's public id and local day.

    ``own`` are those among the reads that our mails caused. ``bare`` lines name
    no agent at all, as the common format does. ``others`` counts how often readers
    were given pages that are no story's, by path; of very many the most frequent.
    """

    lines: int = 0
    malformed: int = 0
    bare: int = 0
    bots: int = 0
    repeats: int = 0
    reads: Counter[tuple[str, date]] = field(default_factory=Counter)
    own: Counter[tuple[str, date]] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)


class LogCounter:
    """Counts the lines of one counter's logs, in the order of time.

    ``zone`` is the paper's. ``salt_of`` gives the secret of a day with which
    visitors are hashed. ``recent`` holds visits that may still be repeated; it is
    kept up as lines come.
    """

    def __init__(
        self,
        find_story: FindStory,
        zone: tzinfo,
        salt_of: Callable[[date], bytes],
        recent: RecentVisits | None = None,
    ) -> None:
        self.tally = LogTally()
        self.recent = RecentVisits(REPEAT_SECONDS) if recent is None else recent
        self._find_story = find_story
        self._zone = zone
        self._salt_of = salt_of
        self._stamps: dict[bytes, tuple[int, date, bytes] | None] = {}
        self._day: tuple[date, bytes] | None = None

    def take(self, lines: Iterable[bytes]) -> None:
        """Count whole lines, without their ends."""
        tally, find_story = self.tally, self._find_story
        for line in lines:
            tally.lines += 1
            # Most lines are pictures, scripts and styles. What can be no story's
            # is told by its path, before the line is taken apart.
            start = line.find(b'"GET /')
            if start < 0:
                tally.malformed += b'] "' not in line
                continue
            target = line[start + 5 : line.find(b" ", start + 5)]
            story = find_story(target.decode("latin-1"))
            if story is not None:
                self._take_request(line, start, *story)
            else:
                self._take_other(line, start, target)

    def _take_request(self, line: bytes, start: int, story: str, own: bool) -> None:
        match = _LINE.match(line)
        # What looks like a request elsewhere in the line is a visitor's invention.
        when = match and match.start(3) == start and self._instant(match[2])
        if not match or not when:
            self.tally.malformed += 1
            return
        client, status, agent = match[1], match[4], match[5]
        if status not in (b"200", b"304"):
            return
        if agent is None:
            self.tally.bare += 1
            return
        if is_bot(agent.decode("utf-8", "replace")):
            self.tally.bots += 1
            return
        at, day, salt = when
        if self.recent.repeats(visit_key(salt, client, agent, story), at):
            self.tally.repeats += 1
            return
        self.tally.reads[story, day] += 1
        if own:
            self.tally.own[story, day] += 1

    def _take_other(self, line: bytes, start: int, target: bytes) -> None:
        """Count a page that is no story's, as far as readers were given it."""
        path = target.partition(b"?")[0]
        name = path.rpartition(b"/")[2]
        if b"." in name and not name.endswith(_PAGE_ENDINGS):
            return
        if _NO_PAGE.fullmatch(path):
            return
        match = _LINE.match(line)
        if not match or match.start(3) != start or match[4] not in (b"200", b"304"):
            return
        if match[5] is None or is_bot(match[5].decode("utf-8", "replace")):
            return
        others = self.tally.others
        others[path[:_LONGEST_PATH].decode("utf-8", "replace")] += 1
        if len(others) > _MAX_OTHERS:
            self.tally.others = Counter(dict(others.most_common(_MAX_OTHERS // 2)))

    def _instant(self, stamp: bytes) -> tuple[int, date, bytes] | None:
        """Seconds since 1970, the paper's day and its salt; None where this is no time."""
        minute = stamp[:17] + stamp[20:]
        if minute not in self._stamps:
            if len(self._stamps) >= _MAX_STAMPS:
                self._stamps.clear()
            self._stamps[minute] = self._read_minute(minute)
        known = self._stamps[minute]
        seconds = stamp[18:20]
        if known is None or not seconds.isdigit():
            return None
        return known[0] + int(seconds), known[1], known[2]

    def _read_minute(self, minute: bytes) -> tuple[int, date, bytes] | None:
        text = minute.decode("latin-1")
        try:
            instant = datetime.strptime(f"{text[:17]}:00{text[17:]}", _FORM)  # noqa: DTZ007
            day = instant.astimezone(self._zone).date()
        except (ValueError, OverflowError):
            return None
        if self._day is None or self._day[0] != day:
            self._day = (day, self._salt_of(day))
        return int(instant.timestamp()), *self._day


def visit_key(salt: bytes, client: bytes, agent: bytes, story: str) -> bytes:
    """A visitor's visit of a story: keyed, so that it tells nobody the address.

    ``salt`` (at most 64 bytes) differs every day, so that no visitor is followed
    from one day to the next.
    """
    told = b"\0".join((client, agent, story.encode()))
    return blake2b(told, key=salt, digest_size=12).digest()
