"""`newsletter issue preview`: the issue as a reader would get it, in files to look at."""

import json as json_format
from dataclasses import asdict
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
    named_instant,
)
from newsletter.cli.output import print_json, say
from newsletter.errors import RenderError, UsageError
from newsletter.rendering.chromium import PACKAGE, find_chromium
from newsletter.rendering.screenshots import LOOKS, take_screenshots
from newsletter.workflows.look_up import find_issue
from newsletter.workflows.preview import (
    RECIPIENT,
    Pictures,
    Preview,
    gather_pictures,
    preview_issue,
)

OutOption = Annotated[Path, typer.Option(metavar="DIR", help="where the files go")]
ScreenshotsOption = Annotated[
    bool, typer.Option("--screenshots/--no-screenshots", help="take pictures of it by Chromium")
]
_NO_BROWSER = (
    f"No screenshots were taken, since there is no Chromium here: apt-get install {PACKAGE} brings "
    "one, and --no-screenshots does without."
)


def preview(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    out: OutOption = Path("preview"),
    screenshots: ScreenshotsOption = True,
) -> None:
    """Write the issue as a reader would get it: issue.html, issue.txt and issue.eml.

    Its links to unsubscribe and the like open nothing. preview.json holds sizes and what the
    checks say. Where Chromium is installed there are pictures of it too: desktop.png, phone.png,
    dark.png, images-off.png, no-styles.png.
    """
    program = find_chromium() if screenshots else None
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        issue = find_issue(installation, settings, newsletter, slot)
        made = preview_issue(installation, settings, issue, at=named_instant(now))
        pictures = gather_pictures(installation, made.html) if program else Pictures({}, ())
    notes = [*pictures.notes, *([_NO_BROWSER] if screenshots and program is None else [])]
    failure: RenderError | None = None
    try:
        files = _write_parts(out, made)
        try:
            _write_screenshots(out, made, pictures, program, files)
        except RenderError as error:
            failure = error
            notes.append(f"{error}.")
        document = _document(made, files, notes)
        # Last, so that whoever waits for it finds the others whole.
        files["preview"] = out / "preview.json"
        files["preview"].write_text(
            json_format.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise UsageError(f"--out {out}: can't be written ({error.strerror})") from error
    if json:
        print_json(document)
    else:
        for file in files.values():
            print(file)
        for note in notes:
            say(note)
    raise typer.Exit(1 if failure is not None else 0)


def _write_parts(out: Path, made: Preview) -> dict[str, Path]:
    out.mkdir(parents=True, exist_ok=True)
    files = {"html": out / "issue.html", "text": out / "issue.txt", "message": out / "issue.eml"}
    files["html"].write_text(made.html, encoding="utf-8")
    files["text"].write_text(made.text, encoding="utf-8")
    files["message"].write_bytes(made.message)
    return files


def _write_screenshots(
    out: Path, made: Preview, pictures: Pictures, program: str | None, files: dict[str, Path]
) -> None:
    """Add the pictures to ``files``; those of an earlier preview are gone in any case."""
    for look in LOOKS:
        (out / f"{look.name}.png").unlink(missing_ok=True)
    if program is not None:
        for name, png in take_screenshots(made.html, pictures.found, program):
            files[name] = out / f"{name}.png"
            files[name].write_bytes(png)


def _document(made: Preview, files: dict[str, Path], notes: list[str]) -> dict[str, Any]:
    """For machines: ``sizes`` in octets, ``files`` by what they are."""
    return {
        "newsletter": made.issue.newsletter,
        "slot": made.issue.slot,
        "state": made.issue.state,
        "recipient": RECIPIENT,
        "sizes": asdict(made.sizes),
        "findings": [asdict(finding) for finding in made.findings],
        "files": {name: str(path) for name, path in files.items()},
        "notes": notes,
    }
