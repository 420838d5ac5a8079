"""SpamAssassin asked, by its local rules alone: nothing of an issue leaves this machine."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from newsletter.checks.model import Finding, Level
from newsletter.checks.spam import check_spam, read_verdict
from newsletter.log import get_logger

log = get_logger(__name__)

PROGRAM = "spamassassin"
# It reads its rules anew for each message, which takes about a second.
SECONDS = 20.0
_AT_ONCE = 4

_LINES = (
    "report_safe 0",
    "add_header all Report _REPORT_",
    # What this machine's user has taught it, or has seen before, says nothing of readers' filters.
    "use_bayes 0",
    "use_auto_welcomelist 0",
)


def judge_spam(messages: Mapping[str, bytes]) -> dict[str, tuple[Finding, ...]]:
    """What SpamAssassin's local rules say against each message; nothing where it is missing.

    Where it is there and fails, that is said.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        return {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="spam") as pool:
        said = pool.map(lambda message: _judge(program, message), messages.values())
        return dict(zip(messages, said, strict=True))


def _judge(program: str, message: bytes) -> tuple[Finding, ...]:
    lines = [f"--cf={line}" for line in _LINES]
    with tempfile.TemporaryDirectory() as home:
        try:
            done = subprocess.run(
                [program, "--local", "--nocreate-prefs", *lines],
                input=message.replace(b"\r\n", b"\n"),
                capture_output=True,
                timeout=SECONDS,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "LANG": "C.UTF-8"},
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("spamassassin_failed", error=str(error))
            return _tell_failure(_why(error))
    verdict = read_verdict(done.stdout)
    if verdict is None:
        log.warning("spamassassin_failed", status=done.returncode, error=_last(done.stderr))
        return _tell_failure(_last(done.stderr) or f"it ended with status {done.returncode}")
    log.info("spam_judged", score=verdict.score)
    return check_spam(verdict)


def _why(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it gave no answer within {error.timeout:g} seconds"
    return str(error)


def _tell_failure(why: str) -> tuple[Finding, ...]:
    """That nobody judged the mail: silence would be taken for praise."""
    return (
        Finding(
            Level.INFO,
            "spam",
            f"SpamAssassin did not judge the mail: {why.rstrip('.')}.",
            f"Try {PROGRAM} --lint on this machine, or switch it off: [checks] spam = false.",
            PROGRAM,
        ),
    )


def _last(errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
