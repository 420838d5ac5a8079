"""The style sheets keep to what the inliner and the mail programs can do."""

import pytest

from newsletter.checks.templates import check_templates
from newsletter.rendering.css import Sheet, parse_sheet
from newsletter.rendering.css_lint import lint_base, lint_dark, lint_kept
from newsletter.rendering.environment import Templates
from tests.rendering.sample_issue import NEWSLETTER, PUBLICATION

LANGUAGES = ["en", "hy", "ar"]


def sheet(templates: Templates, name: str, language: str = "en") -> str:
    return templates.render(
        f"email/styles/{name}.css",
        publication=PUBLICATION,
        language=language,
        scripts=["arabic", "armenian", "hebrew", "latin"],
    )


def coloured(base: Sheet) -> set[str]:
    return {
        selector
        for rule in base.rules
        if any("#" in one.value for one in rule.declarations)
        for selector in rule.selectors
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_base_sheet_is_one_that_premailer_gets_right(
    templates: Templates, language: str
) -> None:
    css = sheet(templates, "base", language)
    assert len(parse_sheet(css).rules) > 60
    assert lint_base(css) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_colour_has_its_evening_counterpart(templates: Templates, language: str) -> None:
    base = sheet(templates, "base", language)
    assert coloured(parse_sheet(base)) > {".page", ".photo", ".ruled", ".kicker"}
    assert lint_dark(base, [sheet(templates, "dark", language)]) == ()


@pytest.mark.parametrize("name", ["phone", "dark"])
def test_kept_rules_are_forceful_and_not_nested(templates: Templates, name: str) -> None:
    css = sheet(templates, name)
    assert lint_kept(css) == ()
    for rule in parse_sheet(css).rules:
        for one in rule.declarations:
            assert one.important or "color-scheme" in one.name, (rule.selectors, one.text)


@pytest.mark.long
def test_the_shipped_templates_pass_the_check_of_a_papers_own(templates: Templates) -> None:
    assert check_templates(templates, PUBLICATION, NEWSLETTER) == ()
