"""`newsletter demo`: the whole job on a small paper made up for it."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.options import JsonOption, NowOption, parse_now
from newsletter.cli.output import print_json, progress_bar, say
from newsletter.cli.signals import stop_on_signals
from newsletter.demo.run import DemoResult, free_port, run_demo
from newsletter.demo.serving import serve_demo
from newsletter.log import configure_logging
from newsletter.workflows.installation import Installation


def demo(
    site: Annotated[
        str | None, typer.Option(metavar="URL", help="a real site's stories instead")
    ] = None,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="where everything is kept")
    ] = Path("demo-data"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="of the pages; 0 takes any")] = 8000,
    subscribers: Annotated[int, typer.Option(min=1, max=100_000, help="made-up readers")] = 200,
    serve: Annotated[bool, typer.Option(help="leave the pages running until Ctrl+C")] = True,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Draft this week's issue of a made-up paper, send it to made-up readers, and show it all."""
    configure_logging(level="warning")
    clock = parse_now(now)
    chosen_port = free_port(port)
    with stop_on_signals() as stop, progress_bar("sending", subscribers) as progress:

        def show(result: DemoResult, installation: Installation) -> None:
            _print(result, json=json)
            serve_demo(result, installation, chosen_port, stop, say)

        result = run_demo(
            folder=folder,
            clock=clock,
            port=chosen_port,
            subscribers=subscribers,
            site=site,
            say=say,
            progress=progress,
            until_stopped=show if serve else None,
        )
    if not serve:
        _print(result, json=json)
    raise typer.Exit(0 if result.counts.accepted == result.subscribers else 1)


def _print(result: DemoResult, *, json: bool) -> None:
    if json:
        print_json(result.document())
        return
    counts = result.counts
    print(
        f"sent {result.issue.slot} “{result.issue.subject}” to {counts.accepted} of "
        f"{result.subscribers} subscribers in {result.seconds:.1f} s"
    )
    print(f"outbox: {result.outbox}")
