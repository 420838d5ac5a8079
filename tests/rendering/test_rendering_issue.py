import itertools
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import chain

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.issues.model import Block, BlockKind, Issue
from newsletter.pictures.model import PictureFile
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue, write_html
from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.rendering.view import view_issue
from newsletter.stories.model import Picture
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue


def render(templates: Templates, issue: Issue, **changes: object) -> LexborHTMLParser:
    publication = PUBLICATION.model_copy(update=changes)
    rendered = render_issue(
        issue, publication, NEWSLETTER, base_url=f"{BASE_URL}/", templates=templates
    )
    return LexborHTMLParser(rendered.html)


def texts(tree: LexborHTMLParser, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in tree.css(selector)]


@pytest.fixture(scope="module")
def tree(rendered: RenderedIssue) -> LexborHTMLParser:
    return LexborHTMLParser(rendered.html)


def test_sizes_stay_in_bounds(rendered: RenderedIssue, tree: LexborHTMLParser) -> None:
    assert len(rendered.html.encode()) <= 60_000
    assert sum(len(node.text().encode()) for node in tree.css("style")) <= 16_384
    assert max(map(len, rendered.html.splitlines())) < 3_000


def test_the_shell_tells_mail_programs_what_they_need(tree: LexborHTMLParser) -> None:
    assert texts(tree, "title") == ["First Lorries Cross as the Border Road Reopens"]
    metas = {
        node.attributes.get("name"): node.attributes.get("content") for node in tree.css("meta")
    }
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"
    assert "viewport" in metas
    assert "x-apple-disable-message-reformatting" in metas
    assert metas["description"] == sample_issue().preheader
    for node in (*tree.css("html"), *tree.css("body > div")):
        assert (node.attributes["lang"], node.attributes["dir"]) == ("en", "ltr")
    wrapper = tree.css_first("body > div")
    assert wrapper.attributes["role"] == "article"
    assert wrapper.attributes["aria-label"] == "Top Stories · Week 32"
    assert not tree.css("header, section, article, nav, main, footer")


def test_tables_are_for_layout_and_pictures_have_sizes_and_words(tree: LexborHTMLParser) -> None:
    for table in tree.css("table"):
        assert table.attributes["role"] == "presentation"
        assert [table.attributes[key] for key in ("border", "cellpadding", "cellspacing")] == [
            "0"
        ] * 3
    for picture in tree.css("img"):
        assert int(picture.attributes["width"]) <= 592
        assert picture.attributes["alt"]
        style = picture.attributes["style"].replace(" ", "")
        assert f"max-width:{picture.attributes['width']}px;" in style
        assert "width:100%;height:auto;" in style


def test_padding_stands_on_cells_only_and_nothing_is_marked_important_in_line(
    tree: LexborHTMLParser,
) -> None:
    for node in tree.css("[style]"):
        style = node.attributes["style"]
        assert "important" not in style
        assert "padding" not in style or node.tag == "td"
        assert not re.search(r"(flex|grid|float|position|margin:\s*-|var\(|rgb)", style)


def test_headings_step_down_without_jumps(tree: LexborHTMLParser) -> None:
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_lead_is_the_first_latest_story_and_does_not_come_again(tree: LexborHTMLParser) -> None:
    assert texts(tree, "h2")[0].startswith("First Lorries Cross")
    assert not any(text.startswith("First Lorries") for text in texts(tree, "h3"))
    assert texts(tree, "h2")[1:] == [
        "Most read stories of the month",
        "Latest articles of the week",
    ]
    assert len(texts(tree, "h3")) == 16


def test_ranks_run_and_reads_are_written_out(tree: LexborHTMLParser) -> None:
    assert texts(tree, ".figure") == ["1", "2", "3", "4", "5"]
    assert "Community · By Ani Petrosyan · 4,310 reads" in texts(tree, ".close")


def test_the_masthead_counts_the_stories(tree: LexborHTMLParser) -> None:
    assert texts(tree, ".date") == ["Tuesday, August 5, 2025", "No. 32", "17 stories, 69 minutes"]


def test_armenian_stories_carry_their_language_and_no_capitals(
    templates: Templates, tree: LexborHTMLParser
) -> None:
    cards = tree.css("td.story[lang=hy]")
    assert len(cards) == 2
    assert "3 րոպե" in " ".join(cards[0].text().split())
    for node in cards[0].css("h3, .kicker, .excerpt"):
        family = node.attributes["style"]
        assert re.search(r"font-family:(Sylfaen|\"Segoe UI\"|'Segoe UI')", family)
    issue = sample_issue(language="hy", title="Գլխավոր նյութեր և լուրեր")
    armenian = render(templates, issue)
    assert "uppercase" not in armenian.css_first("h1").attributes["style"]
    assert "uppercase" in armenian.css_first("h2.section-title").attributes["style"]
    assert armenian.css_first("html").attributes["lang"] == "hy"
    assert "Թիվ 32" in texts(armenian, ".date")


def test_links_lead_to_our_pages(rendered: RenderedIssue, tree: LexborHTMLParser) -> None:
    hrefs = [node.attributes["href"] for node in tree.css("a")]
    assert f"{BASE_URL}/unsubscribe/{ReaderSlot.UNSUBSCRIBE}" in hrefs
    assert f"{BASE_URL}/preferences/{ReaderSlot.PREFERENCES}" in hrefs
    assert f"{BASE_URL}/archive/weekly/2025-W32" in hrefs
    assert f"{BASE_URL}/subscribe/weekly" in hrefs
    about = "Top%20Stories%20%C2%B7%20Week%2032"
    for answer in ("Yes%2C%20gladly", "Some%20of%20it", "Not%20this%20week"):
        assert f"mailto:editors@paper.example?subject={answer}%20%C2%B7%20{about}" in hrefs
    assert all(href.startswith(("https://", "mailto:")) for href in hrefs)
    assert {"Facebook", "Telegram"} <= set(texts(tree, ".links a"))


def test_an_issue_without_latest_stories_has_no_lead(templates: Templates) -> None:
    issue = sample_issue()
    tree = render(templates, replace(issue, sections=issue.sections[:1]))
    assert texts(tree, "h2") == ["Most read stories of the month"]


def test_a_section_that_held_only_the_lead_is_left_out(templates: Templates) -> None:
    issue = sample_issue()
    latest = replace(issue.sections[1], items=issue.sections[1].items[:1])
    tree = render(templates, replace(issue, sections=(issue.sections[0], latest)))
    assert texts(tree, "h2")[1:] == ["Most read stories of the month"]


def test_a_bare_story_prints_no_empty_lines(templates: Templates) -> None:
    issue = sample_issue(note="", preheader="")
    item = replace(
        issue.sections[1].items[0], excerpt="", byline="", department="", minutes=0, picture=None
    )
    tree = render(templates, replace(issue, sections=(replace(issue.sections[1], items=(item,)),)))
    assert texts(tree, "td.lead") == [item.headline]
    assert not tree.css("img, .note, .signature, .preheader, meta[name=description]")
    assert not [node for node in tree.css("p") if not node.text(strip=True)]


def test_hostile_text_is_printed_and_not_obeyed(templates: Templates) -> None:
    issue = sample_issue(note="<script>alert(1)</script>", title='A "title" <b>', preheader="<i>")
    item = replace(
        issue.sections[1].items[0],
        headline="<img src=x onerror=alert(1)> {{ 7 * 7 }} -->",
        department="R&D <",
    )
    tree = render(templates, replace(issue, sections=(replace(issue.sections[1], items=(item,)),)))
    assert not tree.css("script, i, b, img[onerror]")
    assert texts(tree, "h2") == ["<img src=x onerror=alert(1)> {{ 7 * 7 }} -->"]
    assert texts(tree, ".kicker") == ["R&D <"]


def test_pictures_that_are_not_on_the_web_are_left_out(templates: Templates) -> None:
    issue = sample_issue()
    item = replace(issue.sections[1].items[0], picture=Picture("data:image/png;base64,AAAA"))
    tree = render(templates, replace(issue, sections=(replace(issue.sections[1], items=(item,)),)))
    assert not tree.css("img")


def logo_of(*files: PictureFile) -> Picture:
    return Picture("https://paper.example/logo.png", files=files)


def test_a_logo_takes_the_place_of_the_name(templates: Templates) -> None:
    for file, width, height in (
        (PictureFile("logo", f"{'0' * 40}.png", 960, 96), 480, 48),
        (PictureFile("logo", f"{'0' * 40}.jpg", 200, 50), 200, 50),
    ):
        tree = render(templates, sample_issue(logo=logo_of(file)))
        logo = tree.css_first(".masthead img")
        assert logo.attributes["alt"] == "The Araks Courier"
        assert logo.attributes["src"] == f"{BASE_URL}/media/{file.name}"
        assert (logo.attributes["width"], logo.attributes["height"]) == (str(width), str(height))
        # A logo that shows what is behind it is drawn for light paper, by day and by night.
        assert bool(tree.css(".masthead.plate")) == file.name.endswith(".png")
        assert not tree.css(".name")


def test_a_logo_that_the_site_serves_is_linked_from_there(templates: Templates) -> None:
    tree = render(templates, sample_issue(logo=logo_of()))
    assert tree.css_first(".masthead img").attributes["src"] == "https://paper.example/logo.png"


class _Balance(HTMLParser):
    """Follows the tags of tables and columns; `open` must be empty at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in ("table", "tr", "td", "div", "p", "a", "h1", "h2", "h3"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("table", "tr", "td", "div", "p", "a", "h1", "h2", "h3"):
            assert self.open.pop() == tag


def test_tags_balance_for_outlook_and_for_everybody_else(rendered: RenderedIssue) -> None:
    for_outlook = re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", rendered.html, flags=re.S)
    for html in (rendered.html, for_outlook):
        balance = _Balance()
        balance.feed(html)
        assert balance.open == []
    assert for_outlook.count("<table") > rendered.html.count("<table") / 2 > 10


def test_nothing_stands_between_two_columns(rendered: RenderedIssue) -> None:
    gaps = re.findall(r"</table></div>(\s*)<!--\[if mso\]></td><td width", rendered.html)
    after = re.findall(r'<!\[endif\]-->(\s*)<div class="column text-column"', rendered.html)
    assert len(gaps) == len(after) == 9
    assert set(gaps) == set(after) == {""}


def test_answers_stand_in_a_row_with_nothing_between_them(rendered: RenderedIssue) -> None:
    row = rendered.html[rendered.html.index('<div class="answer"') :]
    gaps = re.findall(r"</div>([^<]*)<!--\[if mso\]></td><td><!\[endif\]-->([^<]*)<div", row)
    assert gaps == [("", "")] * 2


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            Block(BlockKind.QUOTE, "We are waiting for the stop.", "Head teacher"),
            ["“We are waiting for the stop.”", "Head teacher"],
        ),
        (Block(BlockKind.QUOTE, "Only words"), ["“Only words”"]),
        (Block(BlockKind.NUMBER, "84", "pupils in 1988"), ["84", "pupils in 1988"]),
        (
            Block(BlockKind.QUESTION, "What shall we ask the mayor?"),
            [
                "A question to our readers",
                "What shall we ask the mayor?",
                "Write to the editors",
            ],
        ),
    ],
)
def test_a_block_that_is_no_story(block: Block, said: list[str], templates: Templates) -> None:
    issue = sample_issue(block=block)
    tree = render(templates, issue)
    assert texts(tree, ".quiet p") == said
    rendered = render_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates)
    for line in (block.text, block.source):
        assert line in rendered.text


def test_an_issue_can_be_passed_on_where_the_paper_says(templates: Templates) -> None:
    def shared(**changes: object) -> list[tuple[str, str]]:
        nodes = render(templates, sample_issue(), **changes).css(".sharing a")
        return [(node.text(), node.attributes["href"]) for node in nodes]

    page = "https%3A%2F%2Fnews.paper.example%2Farchive%2Fweekly%2F2025-W32"
    found = shared()
    assert [name for name, _ in found] == ["E-mail", "WhatsApp", "Facebook", "Telegram"]
    assert found[0][1].startswith("mailto:?subject=First%20Lorries")
    assert all(page in url for _, url in found)
    # Plain addresses: nothing in them tells one reader from another.
    assert not any(slot in url for _, url in found for slot in ReaderSlot)
    assert [name for name, _ in shared(share=("telegram", "x", "telegram"))] == ["Telegram", "X"]
    assert shared(share=()) == []


def test_the_note_is_signed(templates: Templates) -> None:
    newsletter = NEWSLETTER.model_copy(update={"signature": "Lilit Hakobyan, editor"})
    rendered = render_issue(
        sample_issue(), PUBLICATION, newsletter, base_url=BASE_URL, templates=templates
    )
    assert texts(LexborHTMLParser(rendered.html), ".signature") == ["Lilit Hakobyan, editor"]
    assert "\n\nLilit Hakobyan, editor\n" in rendered.text
    assert texts(render(templates, sample_issue()), ".signature") == ["Your editors"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Top Stories · Week 32 · August 4–10"),
        ({"title": "What we read"}, "What we read · Week 32 · August 4–10"),
        ({"date": date(2025, 8, 1)}, "Top Stories · Week 32 · Week 31 · July 28 – August 3"),
        (
            {"language": "hy", "title": "Գլխավորը · Շաբաթ 32"},
            "Գլխավորը · Շաբաթ 32 · օգոստոսի 4–10",
        ),
    ],
)
def test_the_week_is_told_by_its_days(
    changes: dict[str, object], said: str, templates: Templates
) -> None:
    assert texts(render(templates, sample_issue(**changes)), "h1") == [said]


def test_a_monthly_issue_names_no_week(templates: Templates) -> None:
    newsletter = NEWSLETTER.model_copy(update={"send_at": "day 1 07:00"})
    issue = sample_issue(title="Top Stories · August 2025")
    rendered = render_issue(issue, PUBLICATION, newsletter, base_url=BASE_URL, templates=templates)
    assert texts(LexborHTMLParser(rendered.html), "h1") == ["Top Stories · August 2025"]


def test_latest_stories_stand_by_department_where_that_is_wanted(templates: Templates) -> None:
    plans = (
        NEWSLETTER.sections[0],
        NEWSLETTER.sections[1].model_copy(update={"group_by_department": True}),
    )
    newsletter = NEWSLETTER.model_copy(update={"sections": plans})
    issue = sample_issue()
    latest = issue.sections[1]
    nowhere = replace(latest.items[1], department="")
    sections = (
        issue.sections[0],
        replace(latest, items=(latest.items[0], nowhere, *latest.items[2:])),
    )
    rendered = render_issue(
        replace(issue, sections=sections),
        PUBLICATION,
        newsletter,
        base_url=BASE_URL,
        templates=templates,
    )
    tree = LexborHTMLParser(rendered.html)
    assert texts(tree, "h3.group") == [
        "Arts",
        "Մշակույթ",
        "Opinion",
        "Armenia & Region",
        "Community",
        "Կրթություն",
        "Recipes",
        "Books",
        "Sport",
        "Other stories",
    ]
    assert texts(tree, "h4")[:2] == [
        "The Weaver Who Reads Rugs Like Scores",
        "A Choir Finds Its Second Soprano on a Bus",
    ]
    assert texts(tree, "h4")[-1] == nowhere.headline
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert re.search(r"\n\nArts\n\n1\. The Weaver", rendered.text)


_PARTS: tuple[dict[str, object], ...] = (
    {"note": ""},
    {"preheader": ""},
    {"block": Block(BlockKind.QUOTE, "x")},
    {"logo": Picture("https://paper.example/logo.png")},
    {"sections": ()},
    {"slot": "2025-08-05"},
)
_PAPER: tuple[dict[str, object], ...] = (
    {"share": ()},
    {"social": ()},
    {"postal_address": ""},
)


@pytest.mark.parametrize("reply_to", [None, "editors@paper.example"])
@pytest.mark.parametrize("minutes", [0, 5])
def test_empty_parts_leave_no_hole(
    reply_to: str | None, minutes: int, templates: Templates
) -> None:
    newsletter = NEWSLETTER.model_copy(update={"reply_to": reply_to})
    issue = sample_issue()
    items = tuple(replace(item, minutes=minutes) for item in issue.sections[1].items[:2])
    issue = replace(issue, sections=(replace(issue.sections[1], items=items),))
    papers = [dict(chain.from_iterable(p.items() for p in chosen)) for chosen in subsets(_PAPER)]
    parts = [dict(chain.from_iterable(p.items() for p in chosen)) for chosen in subsets(_PARTS)]
    # Every combination of one kind, beside each of the other in its turn.
    for at, part in enumerate(parts):
        publication = PUBLICATION.model_copy(update=papers[at % len(papers)])
        html = write_html(
            view_issue(replace(issue, **part), publication, newsletter, base_url=BASE_URL),
            replace(issue, **part),
            publication,
            newsletter,
            templates=templates,
        )
        tree = LexborHTMLParser(html)
        for node in tree.css("p, h1, h2, h3, a, span, td"):
            if node.css_first("img, table") is None and "\xa0" not in node.text():
                assert node.text(strip=True), (part, node.html)
        assert not re.search(r"(·\s*)(·|</)|None|class=\"\"", html), part
        # No rule follows a rule.
        kinds = [node.attributes["class"] for node in tree.css("td[class]")]
        assert ("rule", "rule") not in itertools.pairwise(kinds), part


@pytest.mark.parametrize(
    ("reply_to", "asked"),
    [(None, "weekly@paper.example"), ("editors@paper.example", "editors@paper.example")],
)
def test_readers_are_always_asked_what_they_think(
    reply_to: str | None, asked: str, templates: Templates
) -> None:
    newsletter = NEWSLETTER.model_copy(update={"reply_to": reply_to})
    rendered = render_issue(
        sample_issue(block=Block(BlockKind.QUESTION, "Which road?")),
        PUBLICATION,
        newsletter,
        base_url=BASE_URL,
        templates=templates,
    )
    tree = LexborHTMLParser(rendered.html)
    links = [node.attributes["href"] or "" for node in tree.css(".choice a, .quiet a")]
    assert len(links) == 4
    assert all(link.startswith(f"mailto:{asked}?subject=") for link in links)
    # Below the question to the readers, and at the end.
    assert rendered.text.count(f"\n{asked}\n") == 2


def subsets(parts: tuple[dict[str, object], ...]) -> list[tuple[dict[str, object], ...]]:
    return [
        chosen for size in range(len(parts) + 1) for chosen in itertools.combinations(parts, size)
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("First published by Valley Wire", "Still read")),
        ("hy", ("Առաջին հրապարակումը՝ Valley Wire", "Դեռ կարդում են")),
    ],
)
def test_it_says_who_had_a_story_first_and_what_is_still_read(
    language: str, said: tuple[str, str], templates: Templates
) -> None:
    issue = sample_issue()
    for at, section in enumerate(issue.sections):  # ranked, and cards
        item = replace(
            section.items[-1], language=language, syndicated_from="Valley Wire", still_read=True
        )
        told = replace(section, items=(*section.items[:-1], item))
        sections = tuple(told if place == at else s for place, s in enumerate(issue.sections))
        marked = replace(issue, sections=sections)
        rendered = render_issue(
            marked, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates
        )
        shown = " ".join(LexborHTMLParser(rendered.html).text().split())
        for words in said:
            assert shown.count(words) == 1
            assert " ".join(rendered.text.split()).count(words) == 1
