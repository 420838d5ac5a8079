"""Take the README's pictures anew, by `make pictures`: what the demo leaves running."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser import open_browser

PICTURES = Path(__file__).parent / "pictures"
# A day of the paper's summer, so that the pictures only change when the service does.
NOW = "2026-08-05T15:00:00Z"


def main() -> None:
    """Write docs/pictures/*.png."""
    PICTURES.mkdir(exist_ok=True)
    with running_demo() as links, open_browser() as browser:
        for name, address, width, height, scheme in (
            ("issue", links["the issue"] + "/html", 680, 1560, "light"),
            ("issue-phone-dark", links["the issue"] + "/html?view=dark", 390, 1560, "dark"),
            ("preview", links["the issue"], 1280, 900, "light"),
        ):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(address, wait_until="networkidle")
            page.screenshot(path=PICTURES / f"{name}.png")
            context.close()
            print(PICTURES / f"{name}.png")


@contextmanager
def running_demo() -> Iterator[dict[str, str]]:
    """The demo in a folder of its own; what it printed to click on, by its words."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "newsletter", "demo", "--port", "0", "--now", NOW]
        process = subprocess.Popen(
            [*command, "--dir", f"{folder}/demo"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            links = {}
            for line in process.stderr or ():
                if match := re.match(r"([a-z ]+):\s+(http\S+)$", line):
                    links[match[1]] = match[2]
                if line.startswith("Ctrl+C"):
                    break
            try:
                yield links
            finally:
                process.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
