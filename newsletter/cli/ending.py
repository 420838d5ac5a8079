"""How a command ends: its exit status, and one line for what a person can mend."""

import os
import sys
from collections.abc import Callable

from newsletter.errors import Advice, ConfigError, NewsletterError, Remedy, UsageError

FAILED = 1
WRONG_USAGE = 2
_COMMANDS = {
    Remedy.PAUSE: "newsletter issue pause --slot {}",
    Remedy.CORRECT: "newsletter issue correct --slot {}",
    Remedy.HISTORY: "newsletter issue edit history --slot {}",
    Remedy.SHOW: "newsletter issue show --slot {}",
    Remedy.SOURCES: "newsletter stories list",
    Remedy.FIND_STORY: "newsletter stories fetch, newsletter issue edit search",
    Remedy.SUBJECT: "newsletter issue correct --slot {} --subject",
    Remedy.PREHEADER: "newsletter issue correct --slot {} --preheader",
    Remedy.REMOVE: "newsletter issue correct --slot {} --remove {}",
    Remedy.WITHDRAW: "newsletter issue correct --slot {} --withdraw {}",
}


def tell_advice(advice: Advice) -> str:
    """The sentence, and the command that does it."""
    if advice.remedy is None:
        return advice.sentence
    return f"{advice.sentence} ({_COMMANDS[advice.remedy].format(advice.subject, advice.item)})"


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
