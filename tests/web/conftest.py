from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.site import Site, make_blank, open_site


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("blank") / "newsletter.sqlite")


@pytest.fixture
def site(tmp_path: Path, blank: Path) -> Iterator[Site]:
    with open_site(tmp_path, blank) as opened:
        yield opened
