"""`python -m bench [NAME …] [--json]`: run the benches named, or all, and print their figures."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from bench import demo, drafting, rendering, starting

BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "demo": demo.measure,
    "drafting": drafting.measure,
    "rendering": rendering.measure,
    "starting": starting.measure,
}


def main() -> None:
    """Print each bench's figures beside what they are meant to stay below."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - BENCHES.keys())
    if unknown:
        parser.error(f"no bench is called {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    figures = {}
    for name in arguments.names or BENCHES:
        print(f"running {name}", file=sys.stderr)
        figures[name] = BENCHES[name]()
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, values in figures.items():
        print(name)
        for key, value in values.items():
            print(f"  {key:<34} {value}")


if __name__ == "__main__":
    main()
