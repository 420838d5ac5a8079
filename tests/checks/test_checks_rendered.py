from dataclasses import replace

import pytest

from newsletter.checks.model import Finding, Level, stops
from newsletter.checks.rendered import check_rendered
from newsletter.issues.model import Block, BlockKind, Issue
from newsletter.publication.brand import Colours
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.stories.model import Picture
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue


@pytest.fixture(scope="module")
def rendered() -> RenderedIssue:
    return render_issue(
        sample_issue(), PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )


def check(rendered: RenderedIssue, issue: Issue | None = None) -> list[tuple[str, str]]:
    findings = check_rendered(issue or sample_issue(), rendered, PUBLICATION)
    return [(finding.level.value, finding.key) for finding in findings]


def with_body(rendered: RenderedIssue, markup: str) -> RenderedIssue:
    return replace(rendered, html=rendered.html.replace("</body>", f"{markup}</body>"))


def test_the_sample_has_nothing_but_pictures_without_descriptions(rendered: RenderedIssue) -> None:
    assert check(rendered) == [("warn", "alt")]


def test_a_described_issue_has_no_findings(rendered: RenderedIssue) -> None:
    issue = sample_issue()
    described = tuple(
        replace(item, picture=Picture("https://x.example/p.jpg", alt="Hills"))
        for item in issue.sections[1].items
    )
    issue = replace(issue, sections=(replace(issue.sections[1], items=described),))
    assert check_rendered(issue, rendered, PUBLICATION) == ()


@pytest.mark.parametrize(
    ("markup", "what"),
    [
        ("<p>{{ reader }}</p>", "marks"),
        ("<p>{% if x %}</p>", "marks"),
        ('<a href="https://x.example/%7B%7Btoken">x</a>', "marks"),
        ("<p>XXREADERNAMEXX</p>", "marks"),
        ("<p>%%FIRST_NAME%%</p>", "marks"),
        ("<p>*|FNAME|*</p>", "marks"),
        ('<a href="https://x.example/*|UNSUB|*">x</a>', "marks"),
        ('<a href="javascript:alert(1)">x</a>', "links"),
        ('<a href="/archive/weekly">x</a>', "links"),
        ('<a href="#top">x</a>', "links"),
        ('<a href="">x</a>', "links"),
        ('<a href="mailto:">x</a>', "links"),
        ('<a href="https://[broken">x</a>', "links"),
        ('<img src="data:image/png;base64,AAAA" alt="x">', "pictures"),
        ("<form></form>", "elements"),
        ("<svg></svg>", "elements"),
        ("<script></script>", "elements"),
        ("<iframe></iframe>", "elements"),
        ("<style>@import url(https://x.example/x.css);</style>", "elements"),
    ],
)
def test_what_stops_an_issue(rendered: RenderedIssue, markup: str, what: str) -> None:
    assert ("stop", what) in check(with_body(rendered, markup))
    for finding in check_rendered(sample_issue(), with_body(rendered, markup), PUBLICATION):
        assert finding.item


@pytest.mark.parametrize(
    ("changes", "markup", "key", "item"),
    [
        ({"note": ""}, "", "note", "note"),
        ({"sections": sample_issue().sections[:1]}, "", "lead", "lead"),
        ({"sections": ()}, "", "stories", "stories"),
        ({"note": "Dear {{ name }}"}, "", "marks", "note"),
        ({"block": Block(BlockKind.NUMBER, "%%COUNT%%")}, "", "marks", "block"),
        ({"subject": "Dear *|FNAME|*"}, "", "marks", "subject"),
        ({}, "<p>{{ x }}</p>", "marks", "HTML part"),
        ({}, '<a href="http://x.example/a">x</a>', "https", "http://x.example/a"),
        ({}, '<a href="javascript:x()">x</a>', "links", "javascript:x()"),
        ({}, '<a href="">x</a>', "links", "a link without an address"),
        ({}, '<img src="https://x.example/p.jpg">', "alt", "https://x.example/p.jpg"),
        (
            {},
            '<a href="https://x.example/a"><img src="https://x.example/p.jpg" alt=""></a>',
            *("alt", "https://x.example/a"),
        ),
    ],
)
def test_what_is_no_story_is_named_by_its_part(
    changes: dict[str, object], markup: str, key: str, item: str
) -> None:
    issue = sample_issue(**changes)
    rendered = render_issue(
        issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    findings = check_rendered(issue, with_body(rendered, markup), PUBLICATION)
    assert item in [one.item for one in findings if one.key == key]
    assert all(one.item for one in findings)


@pytest.mark.parametrize(
    ("markup", "what"),
    [
        ('<img src="https://x.example/p.jpg">', "alt"),
        ('<a href="http://x.example/">x</a>', "https"),
        ('<p style="display: flex">x</p>', "style"),
        ('<p style="display:inline-grid">x</p>', "style"),
        ('<p style="float: right">x</p>', "style"),
        ('<p style="position: absolute">x</p>', "style"),
        ('<p style="margin: 0 -1px">x</p>', "style"),
        ('<p style="margin-top: -.5px">x</p>', "style"),
        ('<p style="min-width: 701px">x</p>', "style"),
        ('<table width="701"></table>', "style"),
        ("<style>" + "p { margin: 0; } " * 1_000 + "</style>", "style"),
    ],
)
def test_what_an_editor_should_know(rendered: RenderedIssue, markup: str, what: str) -> None:
    findings = check(with_body(rendered, markup))
    assert ("warn", what) in findings
    assert all(level == "warn" for level, _ in findings)


def test_links_within_this_machine_need_no_https(rendered: RenderedIssue) -> None:
    findings = check(with_body(rendered, '<a href="http://127.0.0.1:8000/">x</a>'))
    assert ("warn", "https") not in findings


def test_a_story_about_templates_stops_nothing(rendered: RenderedIssue) -> None:
    issue = sample_issue()
    section = issue.sections[-1]
    item = replace(section.items[0], headline="How to write {{ in a template")
    section = replace(section, items=(item, *section.items[1:]))
    told = replace(issue, sections=(*issue.sections[:-1], section))
    assert ("stop", "marks") in check(with_body(rendered, "<p>{{</p>"))
    found = check(with_body(rendered, "<p>{{</p>"), told)
    assert ("warn", "marks") in found
    assert ("stop", "marks") not in found
    assert ("stop", "marks") in check(with_body(rendered, "<p>{{ }}</p>"), told)


@pytest.mark.parametrize("part", ["html", "text"])
def test_both_parts_must_let_the_reader_leave(rendered: RenderedIssue, part: str) -> None:
    text = getattr(rendered, part).replace(ReaderSlot.UNSUBSCRIBE, "nothing")
    assert ("stop", "unsubscribe") in check(replace(rendered, **{part: text}))


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"subject": " "}, ("stop", "subject")),
        ({"subject": "x" * 61}, ("warn", "subject")),
        ({"subject": f"For {ReaderSlot.PREFERENCES}"}, ("stop", "marks")),
        ({"preheader": ""}, ("warn", "preheader")),
        ({"preheader": "x" * 111}, ("warn", "preheader")),
        ({"subject": "Same words " * 4, "preheader": "Same words " * 4}, ("warn", "preheader")),
    ],
)
def test_the_inbox_line(
    rendered: RenderedIssue, changes: dict[str, str], finding: tuple[str, str]
) -> None:
    assert finding in check(replace(rendered, **changes))


def test_the_stories_themselves(rendered: RenderedIssue) -> None:
    issue = sample_issue()
    ranked, latest = issue.sections
    assert ("stop", "stories") in check(rendered, replace(issue, sections=()))
    assert ("warn", "lead") in check(rendered, replace(issue, sections=(ranked,)))
    assert ("warn", "note") in check(rendered, replace(issue, note=" "))
    twice = replace(issue, sections=(ranked, latest, replace(ranked, items=ranked.items[:1])))
    assert ("warn", "twice") in check(rendered, twice)


def test_the_publication() -> None:
    publication = PUBLICATION.model_copy(
        update={"postal_address": "", "colours": Colours(accent="#ffcc00")}
    )
    rendered = render_issue(
        sample_issue(), publication, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    findings = check_rendered(sample_issue(), rendered, publication)
    assert {"postal_address", "contrast"} <= {finding.key for finding in findings}


def test_what_stops_comes_first_and_can_be_taken_out(rendered: RenderedIssue) -> None:
    findings = check_rendered(
        sample_issue(note=""), with_body(rendered, "<form></form>"), PUBLICATION
    )
    assert findings[0].level is Level.STOP
    assert stops(findings) == findings[:1]
    assert all(
        isinstance(finding, Finding) and finding.sentence.endswith(".") for finding in findings
    )


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("javascript:alert(1)", ("stop", "links")),
        ("ftp://paper.example/x", ("stop", "links")),
        ("http://paper.example/x", ("warn", "https")),
        ("https://paper.example/x", None),
    ],
)
def test_links_that_lead_through_us_are_checked_for_where_they_lead(
    url: str, found: tuple[str, str] | None
) -> None:
    issue = sample_issue()
    section = issue.sections[0]
    items = (replace(section.items[0], url=url), *section.items[1:])
    issue = replace(issue, sections=(replace(section, items=items), *issue.sections[1:]))
    templates = Templates()
    for clicks in ("off", "count"):
        rendered = render_issue(
            issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates, clicks=clicks
        )
        assert set(check(rendered, issue)) == {("warn", "alt")} | ({found} if found else set())


@pytest.mark.parametrize(
    ("words", "item"),
    [
        ("The bridge is open again", "note"),
        ("42,000 lorries", "block"),
        ("the customs office", "block's"),
        ("Most Read", "title"),
    ],
)
def test_what_editors_wrote_stands_in_both_parts(words: str, item: str) -> None:
    issue = sample_issue(
        note="The bridge is open again and we went to see.",
        block=Block(BlockKind.NUMBER, "42,000 lorries a year", "the customs office"),
    )
    first = replace(issue.sections[0], title="Most Read of the Month")
    issue = replace(issue, sections=(first, *issue.sections[1:]))
    both = render_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates())
    assert "text" not in {key for _, key in check(both, issue)}
    for part in ("html", "text"):
        assert words in getattr(both, part)
        lacking = replace(both, **{part: getattr(both, part).replace(words, "")})
        found = [one for one in check_rendered(issue, lacking, PUBLICATION) if one.key == "text"]
        assert [one.item for one in found] == [item]
