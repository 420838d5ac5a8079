"""What the demo leaves running: the service, with a draft at its desk and the outbox beside it."""

import threading
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.routing import Mount

from newsletter.demo.outbox import create_outbox
from newsletter.demo.run import DemoResult, leave_draft
from newsletter.demo.server import serve_in_thread
from newsletter.scheduling.scheduler import run_scheduler
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.deliver import work
from newsletter.workflows.installation import Installation


def serve_demo(
    result: DemoResult,
    installation: Installation,
    port: int,
    stop: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Serve desk, preview, outbox and sign-up page on ``port``, until ``stop`` is set.

    Beside them work a scheduler and a sender, as `newsletter run` has them: what is let go at
    the desk, or asked for by a page, arrives in the outbox.
    """
    draft = leave_draft(installation)
    pages = create_app(WebContext.of(installation))
    outbox = create_outbox(result.outbox, installation.templates)
    app = Starlette(
        routes=[Mount("/outbox", app=outbox), Mount("/", app=pages)],
        # Of mounted apps nobody else ends what they have begun.
        lifespan=pages.router.lifespan_context,
    )
    sender = threading.Thread(target=work, args=(installation, stop.is_set), name="sender")
    scheduler = threading.Thread(target=run_scheduler, args=(installation, stop), name="scheduler")
    with serve_in_thread(app, port=port):
        sender.start()
        scheduler.start()
        say(f"a draft waits at the desk: {draft.subject}")
        for words, address in (
            ("the issue", result.preview),
            ("the desk", result.desk),
            ("the outbox", f"{installation.base_url}/outbox/"),
            ("sign up", f"{installation.base_url}/subscribe/weekly"),
            ("the paper", result.paper_url),
        ):
            say(f"{words + ':':<12} {address}")
        say("Ctrl+C ends it")
        stop.wait()
    sender.join()
    scheduler.join()
