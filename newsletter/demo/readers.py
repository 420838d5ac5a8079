"""Made-up readers of the demo paper: names that people of the diaspora bear, at no real address."""

import math
import tomllib
from pathlib import Path

NAMES = Path(__file__).parent / "names.toml"
# RFC 2606, section 2: nobody can own a name under .example.
_DOMAINS = (
    *("readers.example", "glendale.example", "yerevan.example", "fresno.example"),
    *("beirut.example", "watertown.example", "marseille.example", "letters.example"),
)


def made_up_readers(count: int) -> list[tuple[str, str]]:
    """``count`` pairs of name and address, no address twice; fewer are the beginning of more."""
    lists = tomllib.loads(NAMES.read_text("utf-8"))
    first_names, last_names = lists["first"].split(), lists["last"].split()
    pairs = len(first_names) * len(last_names)
    step = _step(pairs)
    readers = []
    for number in range(count):
        turn, place = divmod(number, pairs)
        mixed = place * step % pairs
        first = first_names[mixed % len(first_names)]
        last = last_names[mixed // len(first_names)]
        domain = _DOMAINS[number * 5 % len(_DOMAINS)]
        # Once all pairs have been through, a number keeps the next ones apart.
        readers.append((f"{first} {last}", f"{first}.{last}{turn or ''}@{domain}".lower()))
    return readers


def _step(pairs: int) -> int:
    """How far to go for the next pair: steps that share no factor with the count of pairs meet
    each pair once, and in no order that shows."""
    step = int(pairs * 0.618)
    while math.gcd(step, pairs) != 1:
        step += 1
    return step
