"""How a command ends: its exit status, and one line for what a person can mend."""

import os
import sys
from collections.abc import Callable

from newsletter.errors import ConfigError, NewsletterError, Remedy, UsageError

FAILED = 1
WRONG_USAGE = 2
_COMMANDS = {
    Remedy.PAUSE: "newsletter issue pause --slot {}",
    Remedy.CORRECT: "newsletter issue correct --slot {}",
    Remedy.HISTORY: "newsletter issue edit history --slot {}",
}


def run_to_status(act: Callable[[], None]) -> int:
    """Run ``act``; 0, or the status of the error it was ended by, which is then told."""
    try:
        act()
    except (ConfigError, UsageError) as error:
        print(f"newsletter: {error}", file=sys.stderr)
        return WRONG_USAGE
    except NewsletterError as error:
        command = f": {_COMMANDS[error.remedy].format(error.subject)}" if error.remedy else ""
        print(f"newsletter: {error}{command}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has had enough; the interpreter must not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
