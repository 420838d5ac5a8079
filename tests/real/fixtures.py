"""Session fixtures of the real parts, each started once.

A test module asks for them by ``pytest_plugins = ["tests.real.fixtures"]``. A part
is started once in each worker that needs it: two workers have one each.
"""

import os
from collections.abc import Iterator

import pytest

from tests.real.postfix import Postfix, running_postfix
from tests.real.wordpress import WordPress, running_wordpress


@pytest.fixture(scope="session")
def wordpress() -> Iterator[WordPress]:
    """A WordPress with the paper of ``paper.toml``, dated back from now."""
    with running_wordpress() as site:
        yield site


@pytest.fixture(scope="session")
def postfix() -> Iterator[Postfix]:
    """A Postfix that hands everything to its sink; messages of other tests may lie there too."""
    if os.geteuid() != 0 and os.environ.get("CI") != "true":
        pytest.skip("only root can start a Postfix of one's own")
    with running_postfix() as relay:
        yield relay
