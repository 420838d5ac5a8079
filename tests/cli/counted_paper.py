"""A paper with counters in a folder of its own, for the reads commands."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from newsletter.config import load_config
from newsletter.storage.database import Database
from newsletter.workflows.installation import seed_settings
from tests.acceptance.command_line import CONFIG, Answer
from tests.contracts.nouns import NOW, a_story

Call = Callable[..., Answer]
DAY = date(2025, 8, 5)


class Paper:
    """A folder with a config, and a database that knows two stories."""

    def __init__(self, folder: Path, call: Call, counters: str) -> None:
        self.folder = folder
        self._call = call
        self._now = NOW
        config = CONFIG.format(feed="https://paper.example/feed/", port=2525)
        by_hand = '[[reads]]\nslug = "by-hand"\nsource = "site"\nkind = "csv"\n'
        (folder / "config.toml").write_text(config.replace(by_hand, counters), encoding="utf-8")
        (folder / "data").mkdir()
        self._url = f"sqlite:///{folder}/data/newsletter.sqlite"
        database = Database.open(self._url)
        database.migrate()
        seed_settings(database, load_config(folder / "config.toml", {}), NOW)
        with database.write() as tx:
            tx.stories.save([a_story(1), a_story(2)])
        database.close()

    def reads(self, *arguments: str, now: str = "", status: int = 0) -> Answer:
        """Call `newsletter reads`, a minute after the last call unless ``now`` says when."""
        self._now += timedelta(minutes=1)
        clock = ("--now", now or self._now.isoformat())
        if arguments[0] in ("learn", "snippet"):
            clock = ()
        answer = self._call(self.folder, "reads", *arguments, *clock)
        assert answer.status == status, answer.err + answer.out
        return answer

    def report(self, *arguments: str, now: str = "", status: int = 0) -> list[dict[str, Any]]:
        answer = self.reads(*arguments, "--json", now=now, status=status)
        reports: list[dict[str, Any]] = answer.json["reads"]
        return reports

    def sums(self, slug: str, *, less_own: bool = False, until: date = DAY) -> dict[str, int]:
        database = Database.open(self._url)
        with database.read() as tx:
            sums = tx.reads.sums({"site": slug}, DAY - timedelta(days=40), until, less_own=less_own)
        database.close()
        return sums

    def write(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path


def counter(slug: str, kind: str, *more: str) -> str:
    return "\n".join((f'[[reads]]\nslug = "{slug}"\nsource = "site"\nkind = "{kind}"', *more, ""))
