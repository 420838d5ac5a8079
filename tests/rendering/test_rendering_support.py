"""What mail programs support of what our mails use, beside the same issue in MJML."""

import mjml
import pytest

from bench.mjml_issue import write_mjml
from newsletter.rendering.model import RenderedIssue
from newsletter.rendering.view import view_issue
from tests.rendering.sample_issue import (
    BASE_URL,
    NEWSLETTER,
    PUBLICATION,
    WHOLE_NEWSLETTER,
    sample_issue,
    whole_issue,
)
from tests.rendering.support import count_features, read_support, support_of


@pytest.fixture(scope="module")
def support() -> dict[str, float]:
    return read_support()


def test_more_of_our_mail_is_supported_than_of_the_same_issue_in_mjml(
    rendered: RenderedIssue, whole: RenderedIssue, support: dict[str, float]
) -> None:
    for made, issue, newsletter in (
        (rendered, sample_issue(), NEWSLETTER),
        (whole, whole_issue(), WHOLE_NEWSLETTER),
    ):
        view = view_issue(issue, PUBLICATION, newsletter, base_url=BASE_URL)
        in_mjml = mjml.mjml2html(write_mjml(view, PUBLICATION, newsletter))
        for html in (made.html, in_mjml):
            assert len(count_features(html).keys() & support.keys()) > 35
        ours, theirs = support_of(made.html, support), support_of(in_mjml, support)
        assert ours.by_feature > theirs.by_feature > 80
        assert ours.by_use > theirs.by_use > 80


def test_features_are_counted_where_they_stand_in_the_body() -> None:
    counted = count_features(
        "<!DOCTYPE html><head><style>p { display: grid }</style></head>"
        '<!--[if mso]><video></video><![endif]--><p style="padding-left: 2em; display: flex">'
        '<h2 style="color: rgb(0, 0, 0)"></h2><h3></h3>'
        '<a href="mailto:a@b.example" target="x">x</a></p>'
    )
    for feature in ("css-padding", "css-unit-em", "css-display-flex", "css-rgb", "html-target"):
        assert counted[feature] == 1, feature
    assert counted["html-h1-h6"] == 2
    assert counted["html-mailto-links"] == 1
    assert not counted.keys() & {"html-video", "css-display-grid", "html-style"}


def test_support_is_weighed_by_readers(support: dict[str, float]) -> None:
    # Everybody shows a paragraph; flexible boxes fail for some, and var() for more.
    assert support["html-p"] > 0.9
    assert support["html-p"] > support["css-display-flex"] > support["css-variables"] > 0
