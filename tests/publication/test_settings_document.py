"""Documents of settings: taken apart and put together, laid over one another, changed, merged."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.settings_document import (
    ORDER,
    UNSET,
    change,
    differences,
    flatten,
    lay_over,
    merge,
    unflatten,
)

VALUES = st.one_of(st.integers(0, 3), st.text("ab", max_size=2), st.lists(st.integers(0, 1)))
KEYS = st.sampled_from(["count", "title", "window"])
ENTRIES = st.builds(
    lambda slug, rest: {"slug": slug, **rest},
    st.sampled_from(["a", "b", "c", "d"]),
    st.dictionaries(KEYS, VALUES, max_size=2),
)


def arrays(entries: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(entries, max_size=4, unique_by=lambda entry: entry["slug"])


NEWSLETTERS = st.builds(
    lambda entry, sections: {**entry, **({"section": sections} if sections else {})},
    ENTRIES,
    arrays(ENTRIES),
)
DOCUMENTS = st.builds(
    lambda table, array: {
        **({"delivery": table} if table else {}),
        **({"newsletter": array} if array else {}),
    },
    st.dictionaries(KEYS, VALUES, max_size=3),
    arrays(NEWSLETTERS),
)


@given(DOCUMENTS)
def test_taken_apart_and_put_together_it_is_the_same(document: dict[str, Any]) -> None:
    assert unflatten(flatten(document)) == document


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_laid_over_wins_and_twice_is_once(
    below: dict[str, Any], above: dict[str, Any]
) -> None:
    both = lay_over(below, above)
    values, over = flatten(both), flatten(above)
    assert all(values[path] == value for path, value in over.items() if path[-1] != ORDER)
    for path, order in over.items():
        if path[-1] == ORDER:
            assert [slug for slug in values[path] if slug in order] == list(order)
    assert flatten(lay_over(both, above)) == values
    assert {*map(str, flatten(below))} | {*map(str, over)} == {*map(str, values)}


def test_a_file_takes_back_what_it_brought_and_leaves_what_others_did() -> None:
    def papers(*slugs: str) -> dict[str, Any]:
        return {"newsletter": [{"slug": slug} for slug in slugs]}

    stored = papers("ours", "weekly", "daily")
    assert lay_over(stored, papers("weekly"), papers("weekly", "daily")) == papers("ours", "weekly")
    # A file that has none of them any more hands them over.
    assert lay_over(stored, {}, papers("weekly", "daily")) == stored
    assert lay_over(stored, papers("daily", "new", "weekly")) == papers(
        "ours", "daily", "new", "weekly"
    )
    assert lay_over(stored, {"newsletter": []}) == {"newsletter": []}


@given(DOCUMENTS, DOCUMENTS)
def test_nobody_or_one_alone_changes_without_conflict(
    base: dict[str, Any], other: dict[str, Any]
) -> None:
    for mine, theirs in ((base, other), (other, base), (other, other)):
        merged = merge(base, mine, theirs)
        assert merged.conflicts == ()
        assert merged.document == other


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_what_two_change_is_kept_or_told(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merged = merge(base, mine, theirs)
    values = flatten(merged.document)
    for side in (mine, theirs):
        for path, (_, after) in differences(base, side).items():
            if path[-1] == ORDER or path in merged.conflicts:
                continue
            assert values.get(path, UNSET) == after
    # Whoever comes first, the same conflicts.
    assert {*merge(base, theirs, mine).conflicts} == {*merged.conflicts}


def test_entries_added_and_taken_out_at_the_same_time() -> None:
    def sections(*slugs: str) -> dict[str, Any]:
        return {"section": [{"slug": slug, "title": slug} for slug in slugs]}

    base = sections("a", "b", "c")
    assert merge(base, sections("a", "b", "c", "x"), sections("b", "c", "y")).document == sections(
        "b", "c", "y", "x"
    )
    assert merge(base, sections("c", "a", "b"), sections("a", "b", "c", "y")).document == sections(
        "c", "a", "b", "y"
    )
    assert merge(base, sections("c", "b", "a"), sections("b", "a", "c")).conflicts == (
        ("section", ORDER),
    )
    # In two orders at the same time, the entries of both are there.
    both = merge(
        sections("a", "b", "c", "d"),
        sections("b", "a", "c", "x", "d"),
        sections("c", "a", "b", "y"),
    )
    assert both.document == sections("b", "a", "c", "x", "y")
    assert both.conflicts == (("section", ORDER),)
    # One edits what the other takes out.
    edited = change(base, {("section", "b", "title"): "B"})
    assert ("section", "b", "title") in merge(base, edited, sections("a", "c")).conflicts
    added = change(base, {("section", "b", "count"): 3})
    assert merge(base, added, sections("a", "c")).conflicts == (("section", "b", "count"),)


def test_changes_of_values_entries_and_orders() -> None:
    document = {"delivery": {"count": 1}, "section": [{"slug": "a"}, {"slug": "b"}], "p": []}
    edits = {
        ("delivery", "count"): UNSET,
        ("delivery", "wait"): ["x"],
        ("section", "a"): UNSET,
        ("section", "c"): {"slug": "c", "title": "C"},
        ("p", "first"): {"slug": "first"},
    }
    assert change(document, edits) == {
        "delivery": {"wait": ["x"]},
        "section": [{"slug": "b"}, {"slug": "c", "title": "C"}],
        "p": [{"slug": "first"}],
    }
    turned = change(document, {("section", ORDER): ("b", "a")})
    assert turned["section"] == [{"slug": "b"}, {"slug": "a"}]
    assert document["section"] == [{"slug": "a"}, {"slug": "b"}]
    assert change({"section": [{"slug": "a"}]}, {("section", "a"): UNSET}) == {"section": []}
