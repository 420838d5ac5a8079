"""What the demo leaves running: the service's pages with the outbox beside them."""

import threading
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.routing import Mount

from newsletter.demo.outbox import create_outbox
from newsletter.demo.run import DemoResult
from newsletter.demo.server import serve_in_thread
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.deliver import work
from newsletter.workflows.installation import Installation
from newsletter.workflows.reader_uploads import work_uploads


def serve_demo(
    result: DemoResult,
    installation: Installation,
    port: int,
    stop: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Serve preview, outbox and sign-up page on ``port``, and send what the pages queue."""
    pages = create_app(WebContext.of(installation))
    outbox = create_outbox(result.outbox, installation.templates)
    app = Starlette(
        routes=[Mount("/outbox", app=outbox), Mount("/", app=pages)],
        # Of mounted apps nobody else ends what they have begun.
        lifespan=pages.router.lifespan_context,
    )
    sender = threading.Thread(target=work, args=(installation, stop.is_set), name="sender")
    importer = threading.Thread(target=_import_files, args=(installation, stop), name="importer")
    with serve_in_thread(app, port=port):
        sender.start()
        importer.start()
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
    importer.join()


def _import_files(installation: Installation, stop: threading.Event) -> None:
    """Import what is brought to the desk, as the scheduler does."""
    while not stop.wait(1):
        work_uploads(installation, stop.is_set)
