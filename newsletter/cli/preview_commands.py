"""`newsletter issue preview`: the issue as a reader would get it, in files to look at."""

import json as json_format
import re
from collections.abc import Sequence
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
    PreviewedVariant,
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

# Of a folder, in characters; file systems take 255 octets, and a letter may have four.
_LONGEST_NAME = 60


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
    dark.png, images-off.png, no-styles.png. Each variant but the full one in the issue's own
    language has all of that in a folder of its name.
    """
    program = find_chromium() if screenshots else None
    with open_from_file(config, now=now, adopts=False) as installation:
        settings = installation.settings()
        issue = find_issue(installation, settings, newsletter, slot)
        made = preview_issue(installation, settings, issue, at=named_instant(now))
        html = "".join(one.html for one in made.variants)
        pictures = gather_pictures(installation, html) if program else Pictures({}, ())
    notes = [*pictures.notes, *([_NO_BROWSER] if screenshots and program is None else [])]
    failure: RenderError | None = None
    try:
        folders = name_folders(out, made.variants)
        written = [
            _write_parts(folder, one) for folder, one in zip(folders, made.variants, strict=True)
        ]
        try:
            for folder, one, files in zip(folders, made.variants, written, strict=True):
                _write_screenshots(folder, one, pictures, program, files)
        except RenderError as error:
            failure = error
            notes.append(f"{error}.")
        document = _document(made, written, notes)
        # Last, so that whoever waits for it finds the others whole.
        written[0]["preview"] = out / "preview.json"
        written[0]["preview"].write_text(
            json_format.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise UsageError(f"--out {out}: can't be written ({error.strerror})") from error
    if json:
        print_json(document)
    else:
        for file in (file for files in written for file in files.values()):
            print(file)
        for note in notes:
            say(note)
    raise typer.Exit(1 if failure is not None else 0)


def name_folders(out: Path, variants: Sequence[PreviewedVariant]) -> list[Path]:
    """A folder for each variant: ``out`` itself, then those below it, each of another name."""
    names: dict[str, str] = {}
    for one in variants[1:]:
        name = "-".join(re.findall(r"\w+", one.variant.name))[:_LONGEST_NAME]
        free, number = name, 2
        while free.casefold() in names:
            free, number = f"{name}-{number}", number + 1
        names[free.casefold()] = free
    return [out, *(out / name for name in names.values())]


def _write_parts(out: Path, made: PreviewedVariant) -> dict[str, Path]:
    out.mkdir(parents=True, exist_ok=True)
    files = {"html": out / "issue.html", "text": out / "issue.txt", "message": out / "issue.eml"}
    files["html"].write_text(made.html, encoding="utf-8")
    files["text"].write_text(made.text, encoding="utf-8")
    files["message"].write_bytes(made.message)
    return files


def _write_screenshots(
    out: Path,
    made: PreviewedVariant,
    pictures: Pictures,
    program: str | None,
    files: dict[str, Path],
) -> None:
    """Add the pictures to ``files``; those of an earlier preview are gone in any case."""
    for look in LOOKS:
        (out / f"{look.name}.png").unlink(missing_ok=True)
    if program is not None:
        for name, png in take_screenshots(made.html, pictures.found, program):
            files[name] = out / f"{name}.png"
            files[name].write_bytes(png)


def _document(made: Preview, written: list[dict[str, Path]], notes: list[str]) -> dict[str, Any]:
    """For machines: ``sizes`` in octets, ``files`` by what they are.

    Both are those of the canonical variant, which ``variants`` has once more, the first.
    """
    variants = [
        {
            "variant": one.variant.name,
            "language": one.variant.language,
            "departments": list(one.variant.departments),
            "sizes": asdict(one.sizes),
            "files": {name: str(path) for name, path in files.items()},
        }
        for one, files in zip(made.variants, written, strict=True)
    ]
    return {
        "newsletter": made.issue.newsletter,
        "slot": made.issue.slot,
        "state": made.issue.state,
        "recipient": RECIPIENT,
        "sizes": variants[0]["sizes"],
        "findings": [asdict(finding) for finding in made.findings],
        "files": variants[0]["files"],
        "variants": variants,
        "notes": notes,
    }
