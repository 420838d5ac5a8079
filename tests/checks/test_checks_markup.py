"""Markup, colours, words and both parts: each finding fires, and names item and mend."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.checks.legibility import check_legibility
from newsletter.checks.model import Finding
from newsletter.checks.rendered import check_rendered, is_family
from newsletter.issues.model import Issue
from newsletter.publication.brand import Colours
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

FIRST = "latest/1 “First Lorries Cross as the Border Road Reopens After Three Decades”"
SENDER = "weekly@paper.example"


@pytest.fixture(scope="module")
def rendered() -> RenderedIssue:
    return render_issue(
        sample_issue(), PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )


def found(
    rendered: RenderedIssue, key: str, issue: Issue | None = None, sender: str = SENDER
) -> list[Finding]:
    findings = check_rendered(issue or sample_issue(), rendered, PUBLICATION, sender=sender)
    assert all(one.sentence.endswith(".") and one.mend.endswith(".") for one in findings)
    assert all(one.item for one in findings)
    return [one for one in findings if one.key == key]


def edit(old: str, new: str, count: int = -1) -> Callable[[RenderedIssue], RenderedIssue]:
    def change(rendered: RenderedIssue) -> RenderedIssue:
        assert old in rendered.html, old
        return replace(rendered, html=rendered.html.replace(old, new, count))

    return change


@pytest.mark.parametrize(
    ("change", "key", "item", "words"),
    [
        (edit("<h1", "<h2", 1), "headings", "title", "no heading of the first level"),
        (edit("<h3", "<h1", 1), "headings", "The Letter", "2 headings"),
        (edit("<h2", "<h4"), "headings", "First Lorries", "h4 behind an h1"),
        (edit("<h2", "<h2></h2><h2", 1), "headings", "h2", "is empty"),
        (edit('lang="en"', "", 1), "language", "html", "does not say"),
        (edit('dir="ltr"', 'dir="rtl"', 2), "language", "first element", "does not say"),
        (edit('lang="hy"', ""), "language", "latest/4", "is in hy"),
        (edit('lang="hy"', 'lang="armenian_1"', 1), "language", "lang", "is no language"),
        (edit("<p", '<p onclick="x()"', 1), "elements", "onclick", "onclick"),
        (edit("</head>", '<meta http-equiv="Refresh"></head>'), "elements", "meta", "leads"),
        (
            edit("</body>", "<!--[if mso]><v:rect></v:rect><![endif]--></body>"),
            "elements",
            "",
            "VML",
        ),
        (edit("</body>", "<input></body>"), "elements", "input", "input"),
        (edit("<!DOCTYPE html>", ""), "doctype", "doctype", "DOCTYPE"),
        (edit("</body>", '<p style="color: var(--x)">x</p></body>'), "style", "", "var()"),
        (
            edit("</body>", '<p style="margin: 0 !important">x</p></body>'),
            "style",
            "",
            "!important",
        ),
        (edit("</head>", "<style>.a { margin: 0!important }</style></head>"), "style", "", "Yahoo"),
        (
            edit("</head>", "<style>@media a { @media b { .a { c: d } } }</style></head>"),
            *("style", "", "Gmail drops"),
        ),
        (edit(' alt="', ' data-alt="', 1), "alt", FIRST, "without a text in its place"),
        (
            edit('alt="A picture of hills', 'alt="" data-alt="', 1),
            *("alt", FIRST, "nothing but a picture"),
        ),
        (
            edit("https://paper.example/pictures/1.png", "https://cdn.elsewhere.net/1.png"),
            *("host", "cdn.elsewhere.net", "outside of paper.example"),
        ),
    ],
)
def test_what_is_wrong_with_the_markup(
    rendered: RenderedIssue,
    change: Callable[[RenderedIssue], RenderedIssue],
    key: str,
    item: str,
    words: str,
) -> None:
    changed = change(rendered)
    fired = [one for one in found(changed, key) if words in one.sentence]
    assert fired, found(changed, key)
    assert any(item in one.item for one in fired), fired
    assert not [one for one in found(rendered, key) if words in one.sentence]


def test_hosts_of_one_family() -> None:
    assert is_family("news.paper.example", "paper.example")
    assert is_family("paper.example", "news.paper.example")
    assert is_family("img.paper.co.uk", "www.paper.co.uk")
    assert not is_family("other.co.uk", "paper.co.uk")
    assert not is_family("paper.example", "newspaper.example")
    assert found_hosts("weekly@elsewhere.net")


def found_hosts(sender: str) -> list[Finding]:
    rendered = render_issue(
        sample_issue(), PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    own = PUBLICATION.model_copy(update={"url": "https://elsewhere.net"})
    findings = check_rendered(sample_issue(), rendered, own, sender=sender)
    return [one for one in findings if one.key == "host"]


def test_a_brands_colours_are_told_of_where_others_are_printed() -> None:
    brand = PUBLICATION.model_copy(
        update={"colours": Colours(accent="#e0a0a0", accent_dark="#553333")}
    )
    rendered = render_issue(
        sample_issue(), brand, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    told = [one for one in check_rendered(sample_issue(), rendered, brand) if one.key == "contrast"]
    assert ["accent #e0a0a0" in told[0].sentence, "accent_dark #553333" in told[1].sentence] == [
        True,
        True,
    ]
    assert all("[publication.colours]" in one.mend for one in told)
    # What is printed instead can be read everywhere.
    assert check_legibility(rendered.html) == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<p style="color: #777777; background-color: #ffffff">Pale</p>', ["on light"]),
        (
            '<table bgcolor="#ffffff"><tr><td style="color: #ccc">Pale</td></tr></table>',
            ["on light"],
        ),
        ('<img alt="Pale" style="color: #eeeeee">', ["on light", "invert"]),
        ('<p style="color: #000000">Fine</p>', []),
        ('<p style="color: #ffffff; display: none">Hidden</p>', []),
        ('<p style="color: #ffffff">◆ ◆</p>', []),
        # Black on grey can be read, and white on a darker grey can't.
        ('<p style="color: #000000; background-color: #808080">Grey</p>', ["invert"]),
    ],
)
def test_words_are_judged_by_what_they_stand_on(body: str, words: list[str]) -> None:
    told = [one.sentence for one in check_legibility(f"<body>{body}</body>")]
    assert len(told) >= len(words)
    assert all(any(word in one for one in told) for word in words), told
    assert bool(told) == bool(words)


def test_the_dark_sheet_counts_as_a_browser_counts_it() -> None:
    html = (
        "<head><style>@media (prefers-color-scheme: dark) {"
        ".a { background-color: #000000 !important; }"
        ".a p { color: #ffffff !important; } p { color: #111111 !important; } "
        "i { color: #222222 }"
        "}</style></head><body><div class=a style='background-color: #ffffff'>"
        "<p style='color: #000000'>Words</p><i style='color: #aaaaaa'>Light</i></div></body>"
    )
    told = [one.sentence for one in check_legibility(html)]
    # The class outweighs the tag, and what is not !important does not reach past the tag's own.
    assert not [one for one in told if "dark" in one], told


def without(rendered: RenderedIssue, *words: str) -> RenderedIssue:
    text = rendered.text
    for each in words:
        assert each in text, each
        text = text.replace(each, "")
    return replace(rendered, text=text)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("What a Timetable Can and Cannot Promise", "headline"),
        ("Aram", "headline"),
        ("Roads are easier to open than ledgers.", "excerpt"),
        ("Vahe Torosyan", "byline"),
        (f"{PUBLICATION.url}/2025/08/story-5/", "link"),
    ],
)
def test_both_parts_say_the_same(rendered: RenderedIssue, words: str, what: str) -> None:
    assert found(rendered, "text") == []
    if words == "Aram":  # what the HTML lacks counts as well
        changed = replace(
            rendered, html=rendered.html.replace("Who Pays for the Concert in the Square?", "Who?")
        )
    else:
        changed = without(rendered, words)
    (finding,) = found(changed, "text")
    assert finding.sentence.startswith(f"The {what} of ")
    assert finding.item.split(" ")[0] in ("latest/5", "latest/12", "most-read/4")


def test_a_text_part_has_78_columns(rendered: RenderedIssue) -> None:
    wide = replace(rendered, text=f"{rendered.text}\n{'wide ' * 20}\n")
    (finding,) = found(wide, "text")
    assert "78 columns" in finding.sentence
    address = replace(rendered, text=f"{rendered.text}\nhttps://paper.example/{'x' * 90}\n")
    assert found(address, "text") == []


@pytest.mark.parametrize("part", ["text", "html"])
def test_both_parts_have_the_postal_address(rendered: RenderedIssue, part: str) -> None:
    assert found(rendered, "postal_address") == []
    changed = getattr(rendered, part).replace("12 Bridge", "")
    (finding,) = found(replace(rendered, **{part: changed}), "postal_address")
    assert finding.item == f"{'HTML' if part == 'html' else 'text'} part"


def test_a_preheader_that_begins_as_the_subject_repeats_it(rendered: RenderedIssue) -> None:
    again = replace(rendered, preheader=f"{rendered.subject.upper()}, and more that follows it")
    (finding,) = found(again, "preheader")
    assert "repeats" in finding.sentence


def test_two_stories_at_one_address_are_named(rendered: RenderedIssue) -> None:
    issue = sample_issue()
    ranked, latest = issue.sections
    twin = replace(latest.items[4], url=f"{latest.items[1].url}?utm_source=x")
    twins = replace(latest, items=(*latest.items[:4], twin, *latest.items[5:]))
    (finding,) = found(rendered, "twice", replace(issue, sections=(ranked, twins)))
    assert finding.item.startswith("latest/5 “What a Timetable")
    assert "latest/2 “Glendale Votes" in finding.sentence


def test_a_note_that_links_to_a_story_is_no_place_of_the_story() -> None:
    # An Armenian story, told of in the English note that stands before it.
    story = sample_issue().sections[1].items[3]
    issue = sample_issue(note=f"Do read {story.url} this week.")
    rendered = render_issue(
        issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    assert found(rendered, "language", issue) == []
    unmarked = edit('lang="hy"', "")(rendered)
    assert [one.item[:8] for one in found(unmarked, "language", issue)] == ["latest/4", "latest/9"]
    # It stands in the issue twice, though.
    (finding,) = found(rendered, "twice", issue)
    assert finding.item == "note"
    assert "The note leads to the same address as latest/4 “" in finding.sentence
    elsewhere = sample_issue(note="Do read https://paper.example/about this week.")
    assert found(rendered, "twice", elsewhere) == []


def test_what_was_sent_is_not_judged_by_the_colours_and_the_address_of_today(
    rendered: RenderedIssue,
) -> None:
    today = PUBLICATION.model_copy(
        update={"colours": Colours(accent="#e0a0a0"), "postal_address": "1 New Street, Glendale"}
    )
    for frozen, keys in ((False, {"contrast", "postal_address"}), (True, set())):
        findings = check_rendered(sample_issue(), rendered, today, frozen=frozen)
        assert {one.key for one in findings} & {"contrast", "postal_address"} == keys
