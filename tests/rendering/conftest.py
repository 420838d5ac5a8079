"""What the tests of rendering share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue
from tests.browser import open_browser
from tests.rendering.sample_issue import (
    BASE_URL,
    NEWSLETTER,
    PUBLICATION,
    WHOLE_NEWSLETTER,
    sample_issue,
    whole_issue,
)


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates()


@pytest.fixture(scope="session")
def rendered(templates: Templates) -> RenderedIssue:
    """The sample issue of 17 stories."""
    return render_issue(
        sample_issue(), PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates
    )


@pytest.fixture(scope="session")
def whole(templates: Templates) -> RenderedIssue:
    """The same with every part that an issue can have."""
    return render_issue(
        whole_issue(), PUBLICATION, WHOLE_NEWSLETTER, base_url=BASE_URL, templates=templates
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser
