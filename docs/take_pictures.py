"""Take the pictures of README and docs anew, by `make pictures`: what the demo leaves running."""

import io
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import open_browser

PICTURES = Path(__file__).parent / "pictures"
# A day of the paper's summer, so that the pictures only change when the service does.
NOW = "2026-08-05T15:00:00Z"
_COLOURS = 256


def main() -> None:
    """Write docs/pictures/*.png."""
    PICTURES.mkdir(exist_ok=True)
    with running_demo() as links, open_browser() as browser:
        for name, address, width, height, scheme in (
            ("issue", links["the issue"] + "/html", 680, 1560, "light"),
            ("issue-phone-dark", links["the issue"] + "/html?view=dark", 390, 1560, "dark"),
            ("preview", links["the issue"], 1280, 900, "light"),
        ):
            with _open(browser, width, height, scheme) as page:
                page.goto(address, wait_until="networkidle")
                keep(page, name)
        take_the_desk(browser, links["the desk"])


def take_the_desk(browser: Browser, link: str) -> None:
    """The desk on its draft, from the first page to the review; and the report of what was sent."""
    with _open(browser, 1280, 900, "light") as page:
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("Waits for you").wait_for()
        # Half of the page below is empty.
        page.set_viewport_size({"width": 1280, "height": 520})
        keep(page, "desk-home")
        page.set_viewport_size({"width": 1280, "height": 1400})
        report = page.locator("[aria-labelledby=last] a").evaluate("link => link.href")
        page.get_by_role("link", name="Look at the issue").click()
        page.wait_for_load_state("networkidle")
        issue = page.url
        page.get_by_label("Note from the editors").fill(
            "Good morning. This weekend we sit down: with a goalkeeper, a choir and a train."
        )
        page.locator("#told").get_by_text("wrote the note").first.wait_for()
        page.keyboard.press("Tab")
        page.wait_for_load_state("networkidle")
        keep(page, "desk-issue")
        cookies = page.context.cookies()
        page.goto(f"{issue}/review", wait_until="networkidle")
        page.get_by_role("button", name="Approve").wait_for()
        keep(page, "desk-review")
        page.goto(report, wait_until="networkidle")
        keep(page, "desk-report")
    with _open(browser, 390, 1400, "dark") as page:
        page.context.add_cookies(cookies)  # type: ignore[arg-type]
        page.goto(issue, wait_until="networkidle")
        keep(page, "desk-phone-dark")


def keep(page: Page, name: str) -> None:
    """Write what the screen shows, as small as a picture of pages and drawings can be."""
    # What is made behind a page comes a while after it.
    page.locator("[data-refresh]").first.wait_for(state="detached")
    path = PICTURES / f"{name}.png"
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    drawn = taken.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    drawn.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} KB")


@contextmanager
def _open(browser: Browser, width: int, height: int, scheme: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    try:
        yield context.new_page()
    finally:
        context.close()


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
