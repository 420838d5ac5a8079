"""Links of ours in a rendered issue."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.issues.model import CorrectionKind, CorrectionNote, Issue, LinkPlace
from newsletter.publication.model import Clicks
from newsletter.rendering.corrections import tell_corrections
from newsletter.rendering.environment import Templates
from newsletter.rendering.fill import strip_personal, strip_personal_text
from newsletter.rendering.issue import render_issue
from newsletter.rendering.links import lead_straight, target_of
from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.words import is_armenian
from tests.contracts.nouns import NOW
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

ROOT = f"{BASE_URL}/l/"
ID = re.compile(re.escape(ROOT) + "([a-z2-7]+)")


def render(templates: Templates, clicks: Clicks, issue: Issue | None = None) -> RenderedIssue:
    return render_issue(
        issue or sample_issue(),
        PUBLICATION,
        NEWSLETTER,
        base_url=f"{BASE_URL}/",
        templates=templates,
        utm_source="newsletter",
        clicks=clicks,
    )


@pytest.fixture(scope="module")
def anonymous(templates: Templates) -> RenderedIssue:
    return render(templates, "anonymous")


@pytest.fixture(scope="module")
def by_reader(templates: Templates) -> RenderedIssue:
    return render(templates, "count")


@pytest.fixture(scope="module")
def straight(templates: Templates) -> RenderedIssue:
    return render(templates, "off")


def test_stories_lead_through_us_and_nothing_else_does(anonymous: RenderedIssue) -> None:
    hrefs = re.findall(r'href="([^"]+)"', anonymous.html)
    ours = [href for href in hrefs if href.startswith(ROOT)]
    # 17 headlines, and pictures in all but two of the twelve latest.
    assert len(ours) == len(set(ours)) == 17 + 10
    others = [href for href in hrefs if href not in ours]
    assert any("/unsubscribe/" in href for href in others)
    assert any(href.startswith("mailto:") for href in others)
    assert PUBLICATION.url in others
    assert not any("/2025/0" in href for href in others)
    assert len(re.findall(rf"(?m)^{re.escape(ROOT)}[a-z2-7]{{12}}$", anonymous.text)) == 17


def test_each_printed_link_is_told_with_its_place_and_target(anonymous: RenderedIssue) -> None:
    printed = set(ID.findall(anonymous.html + anonymous.text))
    assert {link.public_id for link in anonymous.links} == printed
    assert len(anonymous.links) == 17 + 10 + 17
    for link in anonymous.links:
        part = anonymous.text if link.place is LinkPlace.TEXT else anonymous.html
        assert f"{ROOT}{link.public_id}" in part
        assert link.url.endswith(
            "?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W32"
        )


def test_the_same_issue_has_the_same_links_and_another_has_others(
    templates: Templates, anonymous: RenderedIssue
) -> None:
    assert render(templates, "anonymous") == anonymous
    other = render(templates, "anonymous", sample_issue(public_id="another"))
    assert not {link.public_id for link in anonymous.links} & {
        link.public_id for link in other.links
    }


def test_a_readers_part_is_a_slot_in_every_link(
    anonymous: RenderedIssue, by_reader: RenderedIssue
) -> None:
    assert by_reader.links == anonymous.links
    for part, plain in ((by_reader.html, anonymous.html), (by_reader.text, anonymous.text)):
        assert part.count(ReaderSlot.CLICK) == part.count(ROOT) == plain.count(ROOT)
        assert part.replace(f"/{ReaderSlot.CLICK}", "") == plain


def test_the_copy_for_everybody_keeps_its_links(
    anonymous: RenderedIssue, by_reader: RenderedIssue
) -> None:
    assert strip_personal(by_reader.html) == strip_personal(anonymous.html)
    assert strip_personal_text(by_reader.text) == strip_personal_text(anonymous.text)
    assert strip_personal(by_reader.html).count(ROOT) == 27
    assert strip_personal_text(by_reader.text).count(ROOT) == 17


def test_a_preview_leads_straight(
    anonymous: RenderedIssue, by_reader: RenderedIssue, straight: RenderedIssue
) -> None:
    assert straight.links == ()
    assert ROOT not in straight.html + straight.text
    for rendered in (anonymous, by_reader, straight):
        led = lead_straight(rendered)
        assert (led.html, led.text, led.links) == (straight.html, straight.text, ())


def test_a_mail_gets_no_larger(anonymous: RenderedIssue, straight: RenderedIssue) -> None:
    assert len(anonymous.html) < len(straight.html)
    assert len(anonymous.text) < len(straight.text)


def test_an_address_that_is_not_of_the_web_stays_for_the_checks_to_see(
    templates: Templates,
) -> None:
    issue = sample_issue()
    section = issue.sections[0]
    bad = replace(section.items[0], url="javascript:alert(1)")
    issue = replace(issue, sections=(replace(section, items=(bad, *section.items[1:])),))
    rendered = render(templates, "anonymous", issue)
    assert 'href="javascript:alert(1)' in rendered.html
    assert not any("javascript" in link.url for link in rendered.links)


def test_where_a_link_leads_in_the_end(by_reader: RenderedIssue) -> None:
    link = by_reader.links[0]
    assert target_of(f"{ROOT}{link.public_id}/{ReaderSlot.CLICK}", by_reader) == link.url
    assert target_of("https://elsewhere.example/l/x", by_reader) == "https://elsewhere.example/l/x"
    assert target_of(f"{ROOT}unknown", by_reader) == f"{ROOT}unknown"


@pytest.mark.parametrize("language", ["en", "en-GB", "hy", "hy-AM", "fr"])
def test_a_correction_is_told(language: str) -> None:
    changed = CorrectionNote(NOW, CorrectionKind.CHANGED, "story1", "A {curly} title", "https://x")
    for kind in CorrectionKind:
        ((at, sentence),) = tell_corrections(
            sample_issue(), [replace(changed, kind=kind)], language
        )
        assert at == NOW
        of_a_story = kind not in (CorrectionKind.SUBJECT, CorrectionKind.NOTE, CorrectionKind.BLOCK)
        assert ("A {curly} title" in sentence) is of_a_story
        assert is_armenian(sentence) is language.startswith("hy")
    ((_, sentence),) = tell_corrections(
        sample_issue(), [replace(changed, told="We {erred}.")], "en"
    )
    # Ours first, so that it is always said which story it is about.
    assert sentence == "The link of “A {curly} title” leads to another page now. We {erred}."


def test_what_was_corrected_at_once_is_told_at_once() -> None:
    note = CorrectionNote(NOW, CorrectionKind.NOTE, "", "", told="We erred.")
    story = replace(note, kind=CorrectionKind.REMOVED, story_id="story1", headline="A title")
    later = replace(story, at=NOW + timedelta(minutes=1), told="")
    told = tell_corrections(sample_issue(), [note, story, later], "en")
    assert [sentence for _, sentence in told] == [
        "The editors’ note was changed. “A title” was taken out. We erred.",
        "“A title” was taken out.",
    ]
