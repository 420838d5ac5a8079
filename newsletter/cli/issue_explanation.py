"""`newsletter issue draft --explain`: the choice as a table, winners and runners-up."""

from datetime import datetime

from rich.console import Console
from rich.table import Table

from newsletter.issues.model import Issue, Section
from newsletter.ranking.reasons import about


def explain_issue(issue: Issue, now: datetime) -> None:
    """Print each section's stories with what they rest on, and why others lost."""
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width of its own.
        console = Console(width=160)
    for section in issue.sections:
        console.print(_table(section, issue.lead, now))
        for limit in section.relaxed:
            console.print(f"Too few stories, so {_plain(limit)}.")


def _table(section: Section, lead: str, now: datetime) -> Table:
    table = Table(title=f"{section.title} ({section.window})", title_justify="left", expand=True)
    for name in ("", "Age", "Reads", "Score"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Story", ratio=2)
    table.add_column("Why", ratio=3)
    for item in section.items:
        age = _age(now, item.published_at)
        reads = "" if item.reads is None else f"{item.reads:,}"
        headline = f"{item.headline} [lead]" if item.story_id == lead else item.headline
        table.add_row(
            f"{item.position}",
            age,
            reads,
            _score(item.score),
            _plain(headline),
            " ".join(item.reasons),
        )
    if section.runners_up:
        table.add_section()
    for runner in section.runners_up:
        reads = "" if runner.reads is None else f"{runner.reads:,}"
        table.add_row(
            "-", "", reads, _score(runner.score), _plain(runner.headline), _plain(runner.reason)
        )
    return table


def _age(now: datetime, published_at: datetime | None) -> str:
    if published_at is None:
        return ""
    hours = int((now - published_at).total_seconds() // 3600)
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


def _score(score: float | None) -> str:
    return "" if score is None else about(score)


def _plain(text: str) -> str:
    # Rich reads brackets as markup.
    return text.replace("[", r"\[")
