from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.errors import ConfigError, RenderError
from newsletter.rendering.environment import Templates


def render(folder: Path, text: str, name: str = "page.html", **context: object) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return Templates(folder).render(name, **context)


def test_own_template_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    assert "own" in render(tmp_path, "own", "email/issue.html")


def test_own_template_can_extend_the_shipped_one(tmp_path: Path) -> None:
    text = render(
        tmp_path,
        '{% extends "shipped/email/styles/outlook.css" %}',
        "own.css",
    )
    assert "mso-line-height-rule" in text


def test_missing_own_folder_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        Templates(tmp_path / "missing")


def test_values_are_escaped_in_html_and_not_in_text(tmp_path: Path) -> None:
    assert render(tmp_path, "{{ v }}", v="<b>&") == "&lt;b&gt;&amp;"
    assert render(tmp_path, "{{ v }}", "page.txt", v="<b>&") == "<b>&"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n{{ nobody }}", r"page\.html, line 2: 'nobody' is undefined"),
        ("\n\n{% if %}", r"page\.html, line 3: "),
        ("\n{{ 1 / 0 }}", r"page\.html, line 2: division by zero"),
        ('{% include "gone.html" %}', r'no template "gone\.html"'),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(RenderError, match=sentence):
        render(tmp_path, text)


def test_unknown_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r'"web/nothing\.html"'):
        Templates().render("web/nothing.html")


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("en", "Tuesday, August 5, 2025"),
        ("en-GB", "Tuesday, 5 August 2025"),
        ("hy", "2025 թ. օգոստոսի 5, երեքշաբթի"),
        ("xx", "Tuesday, August 5, 2025"),
    ],
)
def test_days_are_written_in_the_language_of_the_context(
    tmp_path: Path, language: str, day: str
) -> None:
    assert render(tmp_path, "{{ d | day }}", d=date(2025, 8, 5), language=language) == day


def test_instants_are_brought_into_the_zone(tmp_path: Path) -> None:
    late = datetime(2025, 8, 5, 22, tzinfo=UTC)
    yerevan = ZoneInfo("Asia/Yerevan")
    assert render(tmp_path, "{{ t | day('long') }}", t=late, zone=yerevan) == "August 6, 2025"
    assert "2:00" in render(tmp_path, "{{ t | moment }}", t=late, zone=yerevan)


def test_an_instant_without_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no zone was given"):
        render(tmp_path, "{{ t | moment }}", t=datetime(2025, 8, 5, tzinfo=UTC))
    with pytest.raises(RenderError, match="has no time zone"):
        render(tmp_path, "{{ t | moment }}", t=datetime(2025, 8, 5))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("language", "count", "words"),
    [
        ("en", 1, "1 story"),
        ("en", 11, "11 stories"),
        ("en", 1284, "1,284 stories"),
        ("hy", 11, "11 հոդված"),
        ("fr", 0, "0 stories"),
    ],
)
def test_nouns_are_counted_by_the_rules_of_their_words(
    tmp_path: Path, language: str, count: int, words: str
) -> None:
    assert render(tmp_path, "{{ n | counted('stories') }}", n=count, language=language) == words


def test_a_filter_takes_another_language_than_the_page(tmp_path: Path) -> None:
    text = "{{ 3 | counted('min', 'hy') }} {{ gettext_in('en', 'Photo: %(name)s', name='Ani') }}"
    assert render(tmp_path, text, language="hy") == "3 րոպե Photo: Ani"


@pytest.mark.parametrize(
    "text",
    [
        "{% trans name=who %}Photo: {{ name }}{% endtrans %}",
        "{{ gettext('Photo: %(name)s', name=who) }}",
        "{{ gettext_in(language, 'Photo: %(name)s', name=who) }}",
    ],
)
def test_what_fills_a_sentence_is_escaped(tmp_path: Path, text: str) -> None:
    told = render(tmp_path, text, language="hy", who="<b>Ani</b> 100 %(x)s")
    assert told == "Լուսանկարը՝ &lt;b&gt;Ani&lt;/b&gt; 100 %(x)s"
    assert render(tmp_path, text, language="fr", who="Ani") == "Photo: Ani"


def test_a_name_that_a_sentence_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="who"):
        render(tmp_path, "{% trans who %}Photo: {{ who }}{% endtrans %}", language="hy")


def test_unknown_nouns_are_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match='"no_such_noun"'):
        render(tmp_path, "{{ 2 | counted('no_such_noun') }}")
