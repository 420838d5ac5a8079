"""`newsletter issue`: draft, look at, approve and send issues."""

from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    NewsletterOption,
    NowOption,
    SlotOption,
)
from newsletter.cli.output import print_json, print_rows, say
from newsletter.cli.sending import send_now
from newsletter.errors import UsageError
from newsletter.issues.model import Issue, IssueState
from newsletter.rendering.fill import strip_personal, strip_personal_text
from newsletter.storage.mailings import DeliveryRow
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.look_up import find_issue, find_slot
from newsletter.workflows.notices import preview_link
from newsletter.workflows.publish import approve_issue, check_issue, move_issue
from newsletter.workflows.reads import sync_reads
from newsletter.workflows.report import report_issue

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Draft, look at, approve and send issues."
)
ACTOR = "command line"


@app.command("draft")
def draft(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    fetch: Annotated[bool, typer.Option(help="poll sources and counters first")] = True,
) -> None:
    """Choose the stories of the coming issue and keep them as a draft."""
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        chosen = only_newsletter(settings, newsletter)
        place = find_slot(installation, settings, chosen, slot)
        failed = []
        if fetch:
            failed = [r.error for r in fetch_stories(installation) if r.error]
            failed += [r.error for r in sync_reads(installation) if r.error]
        result = draft_issue(installation, chosen, place, actor=ACTOR)
        link = preview_link(installation, result.issue.public_id)
    notices = (*failed, *result.notices)
    if json:
        print_json({**_document(result.issue), "notices": notices, "preview": link})
        return
    _print_issue(result.issue)
    for notice in notices:
        say(notice)
    say(f"preview: {link} (while `newsletter run` or `newsletter web` serves it)")


@app.command("list")
def list_issues(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many")] = 20,
) -> None:
    """List the issues, the newest first."""
    with open_from_file(config, now=now) as installation:
        if newsletter is not None:
            only_newsletter(installation.settings(), newsletter)
        with installation.database.read() as tx:
            issues = tx.issues.recent(newsletter, limit)
    if json:
        print_json({"issues": [_document(issue) for issue in issues]})
        return
    print_rows(
        [(i.newsletter, i.slot, i.state, f"{i.send_at:%Y-%m-%d %H:%M}", i.subject) for i in issues],
        ("newsletter", "slot", "state", "goes out (UTC)", "subject"),
    )


@app.command("show")
def show(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Show an issue's stories, why each was chosen, and what was passed over."""
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        link = preview_link(installation, issue.public_id)
    if json:
        print_json({**_document(issue), "preview": link})
    else:
        _print_issue(issue)
        say(f"preview: {link}")


@app.command("preview")
def preview(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where the files go")] = Path("preview"),
) -> None:
    """Write the issue as it would go out: issue.html and issue.txt."""
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        issue = find_issue(installation, settings, newsletter, slot)
        rendered, findings = check_issue(installation, settings, issue)
    try:
        out.mkdir(parents=True, exist_ok=True)
        html, text = out / "issue.html", out / "issue.txt"
        html.write_text(strip_personal(rendered.html), encoding="utf-8")
        text.write_text(strip_personal_text(rendered.text), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out {out}: can't be written ({error.strerror})") from error
    if json:
        print_json({"slot": issue.slot, "html": html, "text": text, "findings": findings})
    else:
        print(html)
        print(text)


@app.command("check")
def check(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Say what may be wrong with an issue. Exit status 1 if something stops it."""
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        issue = find_issue(installation, settings, newsletter, slot)
        rendered, findings = check_issue(installation, settings, issue)
    if json:
        size = len(rendered.html.encode())
        print_json({"slot": issue.slot, "html_bytes": size, "findings": findings})
    for finding in () if json else findings:
        print(f"{finding.level}: {finding.sentence}")
    if not findings and not json:
        print("nothing to complain of")
    raise typer.Exit(1 if any(finding.level == "stop" for finding in findings) else 0)


@app.command("approve")
def approve(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Approve a draft: it goes out at its time. A held issue that is late goes out at once."""
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        moved = approve_issue(installation, issue, actor=ACTOR)
        late = moved.send_at <= installation.clock.now()
    when = "at once" if late else f"at {moved.send_at:%Y-%m-%d %H:%M} UTC"
    _answer(moved, json=json, sentence=f"goes out {when}, where `newsletter run` does its work")


def _mover(name: str, to: IssueState, summary: str) -> None:
    """A command that does nothing but move an issue to another state."""

    @app.command(name, help=summary)
    def move(
        config: ConfigOption = DEFAULT_CONFIG,
        newsletter: NewsletterOption = None,
        slot: SlotOption = None,
        json: JsonOption = False,
        now: NowOption = None,
    ) -> None:
        with open_from_file(config, now=now) as installation:
            issue = find_issue(installation, installation.settings(), newsletter, slot)
            moved = move_issue(installation, issue, to, actor=ACTOR, reason=f"{name} by hand")
        _answer(moved, json=json)


_mover("hold", IssueState.HELD, "Hold a draft or an approved issue: it does not go out by itself.")
_mover("pause", IssueState.PAUSED, "Pause an issue that is being sent.")
_mover("resume", IssueState.SENDING, "Go on sending a paused issue.")
_mover("cancel", IssueState.CANCELLED, "Cancel an issue; if nothing was sent it can be redrafted.")


@app.command("send")
def send(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Send an approved issue now, or go on with one that was broken off.

    Exit status 1 if somebody could not be served yet.
    """
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        outcome = send_now(installation, issue, actor=ACTOR)
        report = report_issue(installation, issue)
    if json:
        print_json({"issue": issue.slot, "worker": outcome.elsewhere, **report.totals()})
    elif outcome.elsewhere:
        print(f"issue {issue.slot} is queued; the running worker sends it")
    else:
        print(report.sentence())
    raise typer.Exit(0 if outcome.elsewhere or report.counts.open == 0 else 1)


@app.command("report")
def report(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Account for every reader of an issue."""
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        found = report_issue(installation, issue, each=json)
    if json:
        readers = [_reader_row(row) for row in found.deliveries]
        print_json({"issue": issue.slot, **found.totals(), "deliveries": readers})
    else:
        print(found.sentence())


def _reader_row(row: DeliveryRow) -> dict[str, Any]:
    reply = " ".join(filter(None, (str(row.reply_code or ""), row.reply_text)))
    return {
        "address": row.address,
        "state": row.state,
        "attempts": row.attempts,
        "doubts": row.doubts,
        "reason": row.reason,
        "relay": row.relay,
        "reply": reply,
    }


def _answer(issue: Issue, *, json: bool, sentence: str = "") -> None:
    if json:
        print_json(_document(issue))
    else:
        print(f"issue {issue.slot} is {issue.state}{'; it ' + sentence if sentence else ''}")


def _document(issue: Issue) -> dict[str, Any]:
    """An issue for machines: items in one list, each with its section."""
    return {
        "newsletter": issue.newsletter,
        "slot": issue.slot,
        "state": issue.state,
        "send_at": issue.send_at,
        "title": issue.title,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "held_because": issue.held_because,
        "items": [
            {
                "section": section.slug,
                "position": item.position,
                "headline": item.headline,
                "url": item.url,
                "byline": item.byline,
                "department": item.department,
                "excerpt": item.excerpt,
                "picture": item.picture.url if item.picture else None,
                "credit": item.picture.credit if item.picture else "",
                "published_at": item.published_at,
                "reads": item.reads,
                "reasons": item.reasons,
            }
            for section in issue.sections
            for item in section.items
        ],
        "passed_over": [
            {"section": section.slug, "headline": runner.headline, "reason": runner.reason}
            for section in issue.sections
            for runner in section.runners_up
        ],
    }


def _print_issue(issue: Issue) -> None:
    print(f"{issue.newsletter} {issue.slot}: {issue.state}")
    print(f"subject: {issue.subject}")
    if issue.held_because:
        print(f"held: {issue.held_because}")
    for section in issue.sections:
        print(f"\n{section.title} ({section.window})")
        for item in section.items:
            print(f"{item.position:>3}. {item.headline}")
            print(f"     {' '.join(item.reasons)}")
        for runner in section.runners_up:
            print(f"   - {runner.headline}: {runner.reason}")
