"""The npm packages that the tests measure with; `make npm` installs them."""

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / ".npm" / "node_modules"


def find_npm_file(path: str) -> Path:
    """A file of the packages; AssertionError tells how they come here."""
    found = _FOLDER / path
    assert found.exists(), f"{found} is missing; call make npm"
    return found
