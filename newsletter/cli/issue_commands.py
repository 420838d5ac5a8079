"""`newsletter issue`: draft, look at, approve and send issues."""

from typing import Annotated

import typer

from newsletter.checks.model import stops
from newsletter.cli.edit_commands import ActorOption
from newsletter.cli.edit_commands import app as edit_app
from newsletter.cli.ending import tell_advice
from newsletter.cli.issue_answers import issue_document, print_checks, print_issue, print_state
from newsletter.cli.issue_correction import (
    BecauseOption,
    HeadlineOption,
    LinkOption,
    PreheaderOption,
    RemoveOption,
    SubjectOption,
    SummaryOption,
    WithdrawOption,
    describe_correction,
    read_correction,
    read_link_request,
    read_reason,
)
from newsletter.cli.issue_explanation import explain_issue
from newsletter.cli.issue_report import STANDARD_OUTPUT, print_report, write_csv, write_json
from newsletter.cli.issue_words import BlockOption, BlockSourceOption, NoteOption, read_block
from newsletter.cli.opening import open_from_file
from newsletter.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    NewsletterOption,
    NowOption,
    SlotOption,
    named_instant,
)
from newsletter.cli.output import print_json, print_rows, progress_bar, say
from newsletter.cli.preview_commands import preview
from newsletter.cli.rehearse_commands import rehearse
from newsletter.cli.schedule_commands import schedule, skip
from newsletter.cli.sending import send_now
from newsletter.cli.trial_commands import mail_test
from newsletter.errors import UsageError
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.editions import edition_with_slot
from newsletter.workflows.approve import approve_issue, waits_for_second
from newsletter.workflows.check_issue import check_whole_issue
from newsletter.workflows.correct_links import LinkRequest, correct_links, links_alone_suffice
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.instructions import read_instructions
from newsletter.workflows.look_up import find_issue, find_slot
from newsletter.workflows.notices import preview_link
from newsletter.workflows.publish import move_issue
from newsletter.workflows.reads import sync_reads
from newsletter.workflows.relay_doors import paused_relays
from newsletter.workflows.report import open_report, report_issue
from newsletter.workflows.revise import revise_issue
from newsletter.workflows.settle import settle_doubt
from newsletter.workflows.unserved import CALLED_OFF
from newsletter.workflows.waves import wave_lines

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
    fetch: Annotated[
        bool, typer.Option(help="poll sources and counters first, and look up what was chosen")
    ] = True,
    explain: Annotated[
        bool, typer.Option("--explain", help="show the choice as a table, with the runners-up")
    ] = False,
    pin: Annotated[
        list[str] | None,
        typer.Option(
            "--pin",
            metavar="[SECTION[/PLACE]=]STORY",
            help="give it this place, else the next one of the editors' pick; may come again",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="STORY", help="it must not come; may come again"),
    ] = None,
    hold: Annotated[
        list[str] | None,
        typer.Option("--hold", metavar="STORY", help="keep it for the next issue; may come again"),
    ] = None,
    note: NoteOption = None,
    block: BlockOption = None,
    block_source: BlockSourceOption = None,
) -> None:
    """Choose the stories of the coming issue and keep them as a draft.

    A STORY is named by its id or its whole address.
    """
    written = read_block(block, block_source)
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        chosen = edition_with_slot(
            only_newsletter(settings, newsletter), slot, settings.publication
        )
        place = find_slot(installation, settings, chosen, slot)
        failed = []
        if fetch:
            failed = [r.error for r in fetch_stories(installation) if r.error]
            failed += [r.error for r in sync_reads(installation) if r.error]
        said = read_instructions(installation, chosen, pin or (), exclude or (), hold or ())
        # The clock runs on; the same instant named gives the same issue, byte for byte.
        result = draft_issue(
            installation,
            chosen,
            place,
            actor=ACTOR,
            instructions=said,
            fresh=fetch,
            at=named_instant(now),
            note=note or "",
            block=written,
        )
        link = preview_link(installation, result.issue.public_id)
    notices = (*failed, *result.notices)
    if json:
        print_json({**issue_document(result.issue), "notices": notices, "preview": link})
        return
    if explain:
        print_checks(result.issue)
        explain_issue(result.issue, result.issue.covers_until)
    else:
        print_issue(result.issue)
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
    with open_from_file(config, now=now, adopts=False) as installation:
        if newsletter is not None:
            only_newsletter(installation.settings(), newsletter)
        with installation.database.read() as tx:
            issues = tx.issues.recent(newsletter, limit)
            holds = tx.mailings.holds(installation.clock.now())
    if json:
        documents = [
            {**issue_document(issue), "held_up": holds.get(issue.public_id)} for issue in issues
        ]
        print_json({"issues": documents})
        return
    print_rows(
        [
            (
                *(i.newsletter, i.slot, i.edition.replace("_", " "), state),
                *(f"{i.send_at:%Y-%m-%d %H:%M}", i.subject),
            )
            for i in issues
            for state in [f"{i.state}, held up" if i.public_id in holds else i.state]
        ],
        ("newsletter", "slot", "edition", "state", "goes out (UTC)", "subject"),
    )
    for issue in issues:
        if issue.public_id in holds:
            say(f"{issue.newsletter} {issue.slot} is {holds[issue.public_id].sentence()}")


@app.command("show")
def show(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Show an issue's stories, why each was chosen, what was passed over, and its waves."""
    with open_from_file(config, now=now, adopts=False) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        link = preview_link(installation, issue.public_id)
        waves = wave_lines(installation, issue)
        paused = paused_relays(installation)
        with installation.database.read() as tx:
            corrections = tx.links.corrections(issue.public_id)
            hold = tx.mailings.holds(installation.clock.now()).get(issue.public_id)
    if json:
        print_json(
            {
                **issue_document(issue),
                "preview": link,
                "waves": waves,
                "paused_relays": paused,
                "held_up": hold,
                "corrections": corrections,
            }
        )
    else:
        print_issue(issue)
        if hold is not None:
            say(f"it is {hold.sentence()}")
        for correction in corrections:
            say(f"since {correction.at:%Y-%m-%d %H:%M} UTC {describe_correction(correction)}")
        for wave in waves if len(waves) > 1 else ():
            say(f"wave {wave.sentence()}")
        for relay in paused:
            say(f"relay {relay.relay} is {relay.sentence()}")
        say(f"preview: {link}")


app.add_typer(edit_app, name="edit")
app.command("preview")(preview)


@app.command("check")
def check(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    fetch: Annotated[
        bool,
        typer.Option(help="ask the hosts of links whether these are alive, and DNS of the sender"),
    ] = True,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="ask also for links that were alive minutes ago")
    ] = False,
) -> None:
    """Say what may be wrong with an issue, and the mend. Exit status 1 if something stops it."""
    with open_from_file(config, now=now, adopts=False) as installation:
        settings = installation.settings()
        issue = find_issue(installation, settings, newsletter, slot)
        checked = check_whole_issue(installation, settings, issue, ask=fetch, fresh=fresh)
    if json:
        print_json(
            {
                "slot": issue.slot,
                "html_bytes": checked.html_octets,
                "encoded_bytes": checked.encoded_octets,
                "variants": checked.variants,
                "findings": checked.findings,
            }
        )
    for finding in () if json else checked.findings:
        print(f"{finding.level}: {finding.told}")
    if not checked.findings and not json:
        print("nothing to complain of")
    raise typer.Exit(1 if stops(checked.findings) else 0)


app.command("rehearse")(rehearse)
app.command("test")(mail_test)
app.command("schedule")(schedule)
app.command("skip")(skip)


@app.command("approve")
def approve(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="only if that is still the newest version")
    ] = None,
) -> None:
    """Approve a draft: it goes out at its time. A held issue that is late goes out at once.

    Where approval = "two", a second person has to approve it too (--as NAME).
    """
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        moved = approve_issue(installation, issue, actor=actor, version=version)
        late = moved.send_at <= installation.clock.now()
    if waits_for_second(moved):
        told = f"was approved by {moved.first_approved_by}; another has to approve it too"
        print_state(moved, json=json, sentence=told)
        return
    when = "at once" if late else f"at {moved.send_at:%Y-%m-%d %H:%M} UTC"
    print_state(moved, json=json, sentence=f"goes out {when}, where `newsletter run` does its work")


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
            found = report_issue(installation, moved) if to in CALLED_OFF else None
        if found is None or not found.counts.total:
            print_state(moved, json=json)
        elif json:
            print_json({**issue_document(moved), **found.totals()})
        else:
            print(found.sentence())


_mover("hold", IssueState.HELD, "Hold a draft or an approved issue: it does not go out by itself.")
_mover("pause", IssueState.PAUSED, "Pause an issue that is being sent.")
_mover("resume", IssueState.SENDING, "Go on sending a paused issue.")
_mover("recall", IssueState.RECALLED, "Stop an issue for good: who was not served gets nothing.")
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

    Exit status 1 if somebody could not be served yet, or nobody got it.
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
    falls_short = report.counts.open > 0 or report.counts.reached_nobody
    raise typer.Exit(1 if falls_short and not outcome.elsewhere else 0)


@app.command("report")
def report(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    each: Annotated[bool, typer.Option(help="with --json: list each reader")] = True,
    csv: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="list each reader in a CSV; - is standard output"),
    ] = None,
) -> None:
    """Account for every reader of an issue: by reason, relay, domain, revision and wave."""
    if json and csv == STANDARD_OUTPUT:
        raise UsageError("--json and --csv - can't both have standard output; name a file")
    with open_from_file(config, now=now, adopts=False) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        with open_report(installation, issue) as opened:
            if csv is not None:
                say(f"{write_csv(opened, csv):,} readers")
            if json:
                write_json(opened, each=each)
            elif csv != STANDARD_OUTPUT:
                print_report(opened.report)


@app.command("settle")
def settle(
    reader: Annotated[
        str, typer.Argument(metavar="READER", help="an address, or a recipient of `issue report`")
    ],
    accepted: Annotated[bool, typer.Option("--accepted", help="it has arrived")] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="it has not: send it once more, with the same bytes")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Settle the doubt about a reader's message that may or may not have been taken."""
    if accepted == resend:
        raise UsageError("say what became of it: either --accepted or --resend")
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        settled = settle_doubt(installation, issue, reader, resend=resend, actor=ACTOR)
    if json:
        print_json(
            {
                **issue_document(settled.issue),
                "recipient": settled.row.recipient_id,
                "delivery": settled.row.state,
            }
        )
    elif resend:
        print(f"{reader} gets the same message once more, where `newsletter run` does its work")
    else:
        print(f"the message to {reader} counts as accepted")


@app.command("correct")
def correct(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    subject: SubjectOption = None,
    preheader: PreheaderOption = None,
    note: NoteOption = None,
    block: BlockOption = None,
    block_source: BlockSourceOption = None,
    headline: HeadlineOption = None,
    summary: SummaryOption = None,
    link: LinkOption = None,
    withdraw: WithdrawOption = None,
    because: BecauseOption = None,
    remove: RemoveOption = None,
) -> None:
    """Correct a paused issue for the readers who were not served yet, as its next revision.

    With --link and --withdraw alone nothing is sent: the links in mails that were
    sent lead elsewhere, also of an issue that is sent whole. A STORY is named by its
    place, as `newsletter issue show` prints it, or by its id.
    """
    written = read_block(block, block_source)
    others = (subject, preheader, note, written, headline, summary, remove)
    request = read_link_request(
        link=link,
        withdraw=withdraw,
        because=because,
        others=any(option is not None for option in others),
    )
    if request is not None:
        with open_from_file(config, now=now) as installation:
            issue = find_issue(installation, installation.settings(), newsletter, slot)
            if request.withdrawn or links_alone_suffice(installation, issue):
                _correct_links(installation, issue, request, json=json)
                return
    correction = read_correction(
        subject=subject,
        preheader=preheader,
        note=note,
        block=written,
        headline=headline,
        summary=summary,
        link=link,
        remove=remove,
    )
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        with installation.database.read() as tx:
            total = tx.mailings.counts(issue.public_id).total
        with progress_bar("correcting", total) as advance:
            revision = revise_issue(
                installation,
                issue,
                correction,
                actor=ACTOR,
                told=read_reason(because),
                on_progress=advance,
            )
    if json:
        told = [tell_advice(notice) for notice in revision.notices]
        made = {name: value for name, value in vars(revision).items() if name != "issue"}
        made["notices"] = told
        print_json({**issue_document(revision.issue), "revision": made})
        return
    print(
        f"issue {issue.slot} has a revision {revision.number} for {revision.readers:,} readers: "
        f"{', '.join(revision.changes)}"
    )
    for notice in revision.notices:
        say(tell_advice(notice))
    say(f"it stays paused: newsletter issue resume --slot {issue.slot}")


def _correct_links(
    installation: Installation, issue: Issue, request: LinkRequest, *, json: bool
) -> None:
    made = correct_links(installation, issue, request, actor=ACTOR)
    if json:
        print_json({**issue_document(issue), "corrections": made})
        return
    for correction in made:
        print(f"issue {issue.slot}: {describe_correction(correction)}")
    say("so it is in every mail of it within seconds, and its page in the archive says so")
