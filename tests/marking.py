"""Which tests are left to the long loops."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_soon(values: Iterable[Any]) -> list[Any]:
    """The values of a parameter; all but the first are tried in the long loops only."""
    first, *others = values
    return [first, *(_later(one) for one in others)]


def _later(values: Any) -> Any:
    many = values if isinstance(values, tuple) else (values,)
    return pytest.param(*many, marks=pytest.mark.long)
