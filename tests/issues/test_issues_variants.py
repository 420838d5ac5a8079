"""Which variants an issue has, whom they serve, and what each prints."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.lines import write_lines
from newsletter.issues.model import Choice, Issue, Item, Section, ServedVariant, Variant
from newsletter.issues.variants import FEWEST_STORIES, plan_variants, vary_issue
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.model import Pin
from tests.contracts.nouns import a_settings, an_issue

SETTINGS = a_settings()
PUBLICATION = SETTINGS.publication
DEPARTMENTS = ("Arts", "Community", "Sports", "Chess")


def a_newsletter(languages: tuple[str, ...] = (), most: int = 12) -> Newsletter:
    changes = {"languages": languages, "max_variants": most}
    return SETTINGS.newsletter[0].model_copy(update=changes)


def an_item(number: int, department: str, **changes: object) -> Item:
    item = Item(f"story{number}", number, f"Headline {number}", f"https://paper.example/{number}")
    return replace(item, department=department, **changes)  # type: ignore[arg-type]


def a_full_issue() -> Issue:
    """Three stories each of two departments in the latest, one of a third that is much read."""
    latest = tuple(
        an_item(n, "Arts" if n % 2 else "Community", score=float(10 - n)) for n in range(1, 7)
    )
    most_read = (an_item(7, "Sports"), an_item(8, "arts"))
    sections = (
        Section("most-read", "most_read", "Most read", "", most_read),
        Section("latest", "latest", "Latest", "", latest),
    )
    issue = an_issue(sections=sections, lead="story2", note="From the editors.")
    return write_lines(a_newsletter(), PUBLICATION, issue)


ISSUE = a_full_issue()


def plan(
    choices: Mapping[Choice, int], languages: tuple[str, ...] = (), most: int = 12
) -> tuple[ServedVariant, ...]:
    return plan_variants(ISSUE, a_newsletter(languages, most), PUBLICATION, choices)


def test_the_most_frequent_choices_win_and_the_rest_get_the_full_one() -> None:
    arts, community = Choice("en", ("Arts",)), Choice("en", ("Community",))
    served = plan({Choice(): 9, arts: 2, community: 3, Choice("hy-AM", ("Arts",)): 1}, ("hy",), 3)
    assert served == (
        ServedVariant(Variant("en"), (Choice(), arts)),
        ServedVariant(Variant("hy"), (Choice("hy-AM", ("Arts",)),)),
        ServedVariant(Variant("en", ("Community",)), (community,)),
    )


def test_one_choice_spelt_in_several_ways_is_one_variant() -> None:
    choices = {Choice(None, ("ARTS",)): 1, Choice("en-US", ("Arts",)): 2}
    _, arts = plan(choices)
    assert arts.variant == Variant("en", ("Arts",))
    assert set(arts.choices) == set(choices)


def test_too_few_stories_or_all_of_them_make_no_variant() -> None:
    all_of_them = ("Arts", "Community", "Sports")
    assert plan({Choice("en", ("Sports",)): 5, Choice("en", all_of_them): 5}) == (
        ServedVariant(Variant("en"), (Choice("en", all_of_them), Choice("en", ("Sports",)))),
    )


choices = st.dictionaries(
    st.builds(
        Choice,
        st.sampled_from([None, "en", "hy", "hy-AM", "de"]),
        st.lists(st.sampled_from(DEPARTMENTS), unique=True).map(sorted).map(tuple),
    ),
    st.integers(1, 1000),
)


@given(choices, st.sampled_from([(), ("hy",), ("en", "hy")]), st.integers(2, 9))
def test_every_choice_is_served_once_by_a_variant_in_its_language(
    found: dict[Choice, int], languages: tuple[str, ...], most: int
) -> None:
    served = plan(found, languages, most)
    assert len(served) <= most
    assert served[0].variant == Variant("en")
    every = [choice for one in served for choice in one.choices]
    assert len(every) == len(found)
    assert set(every) == set(found)
    for one in served:
        for choice in one.choices:
            speaks_hy = bool(languages) and (choice.language or "").startswith("hy")
            assert one.variant.language == ("hy" if speaks_hy else "en")
            assert one.variant.departments in ((), choice.departments)
    assert served == plan(dict(reversed(found.items())), languages, most)


def test_a_choice_keeps_its_departments_and_finds_its_lead() -> None:
    arts = vary_issue(ISSUE, Variant("en", ("ARTS",)), a_newsletter(), PUBLICATION)
    assert [item.story_id for item in arts.items] == ["story8", "story1", "story3", "story5"]
    # Places are those of the full one, by which links and corrections name them.
    assert [item.position for item in arts.items] == [8, 1, 3, 5]
    assert arts.lead == "story1"
    assert arts.subject == "Headline 1"
    assert "Headline 2" not in arts.preheader
    community = vary_issue(ISSUE, Variant("en", ("Community",)), a_newsletter(), PUBLICATION)
    assert [section.slug for section in community.sections] == ["latest"]
    assert (community.lead, community.subject) == ("story2", "Headline 2")


def test_the_lead_is_the_best_or_pinned_and_no_excerpt() -> None:
    def lead(issue: Issue, newsletter: Newsletter) -> str:
        return vary_issue(issue, Variant("en", ("Arts",)), newsletter, PUBLICATION).lead

    most_read, latest = ISSUE.sections
    best = tuple(
        replace(item, score=99.0, syndicated_from="The Wire") if item.position == 5 else item
        for item in latest.items
    )
    issue = replace(ISSUE, sections=(most_read, replace(latest, items=best)))
    excerpts = a_newsletter().ranking.model_copy(update={"syndicated": "excerpt"})
    assert lead(issue, a_newsletter()) == "story5"
    assert lead(issue, a_newsletter().model_copy(update={"ranking": excerpts})) == "story1"
    assert lead(replace(issue, pins=(Pin("latest", 1, "story1"),)), a_newsletter()) == "story1"


def test_lines_that_an_editor_wrote_stay() -> None:
    issue = replace(ISSUE, subject="Our choice", preheader="for you")
    arts = vary_issue(issue, Variant("en", ("Arts",)), a_newsletter(), PUBLICATION)
    assert (arts.subject, arts.preheader) == ("Our choice", "for you")


def test_a_correction_that_leaves_too_few_gives_the_full_one() -> None:
    assert FEWEST_STORIES == 3
    left = tuple(item for item in ISSUE.sections[1].items if item.story_id != "story2")
    issue = replace(ISSUE, sections=(replace(ISSUE.sections[1], items=left),), lead="story1")
    variant = Variant("en", ("Community",))
    assert vary_issue(issue, variant, a_newsletter(), PUBLICATION) == issue


def test_in_another_language_stories_keep_theirs() -> None:
    _, latest = ISSUE.sections
    items = (an_item(1, "Arts"), an_item(2, "Arts", language="de"), an_item(3, "Arts"))
    armenian = replace(items[2], headline="Նորություն")
    issue = replace(ISSUE, sections=(replace(latest, items=(*items[:2], armenian)),))
    varied = vary_issue(issue, Variant("hy"), a_newsletter(("hy",)), PUBLICATION)
    assert [item.language for item in varied.items] == ["en", "de", None]
    assert varied.language == "hy"
    assert varied.title != issue.title


def test_what_is_written_in_the_newsletters_own_language_says_so() -> None:
    newsletter = a_newsletter(("hy",))
    own, translated = newsletter.sections
    sections = (own, translated.model_copy(update={"titles": {"hy": "Նորը, {window}"}}))
    newsletter = newsletter.model_copy(update={"sections": sections})
    varied = vary_issue(ISSUE, Variant("hy"), newsletter, PUBLICATION)
    assert varied.editors_language == "en"
    most_read, latest = varied.sections
    assert (most_read.title, most_read.language) == ("Most read", "en")
    assert latest.language is None
    assert latest.title.startswith("Նորը, ")
    assert "{" not in latest.title


def test_title_and_subject_are_the_newsletters_in_that_language_where_it_has_them() -> None:
    changes = {"title": "The Week · {period}", "subject": "Read: {headline}"}
    newsletter = a_newsletter(("hy",)).model_copy(update=changes)
    issue = write_lines(newsletter, PUBLICATION, ISSUE)
    varied = vary_issue(issue, Variant("hy"), newsletter, PUBLICATION)
    assert (varied.title, varied.title_language) == (issue.title, "en")
    assert varied.subject == issue.subject
    spoken = {"titles": {"hy": "Շաբաթը · {period}"}, "subjects": {"hy": "Կարդացեք՝ {headline}"}}
    newsletter = newsletter.model_copy(update=spoken)
    varied = vary_issue(issue, Variant("hy"), newsletter, PUBLICATION)
    assert varied.title.startswith("Շաբաթը · ")
    assert varied.title_language is None
    assert varied.subject == "Կարդացեք՝ Headline 2"
    # What an editor wrote stays, in whatever language.
    edited = replace(issue, title="Our year")
    varied = vary_issue(edited, Variant("hy"), newsletter, PUBLICATION)
    assert (varied.title, varied.title_language) == ("Our year", "en")
