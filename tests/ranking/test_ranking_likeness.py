import pytest

from newsletter.ranking.likeness import Likeness, Likenesses, sim_hash
from newsletter.stories.canonical import title_key
from newsletter.stories.model import Story
from tests.ranking.test_ranking_select import story

TEXT = (
    "Forty drivers waited through the night at the closed pass with tea and playing cards, and "
    "when the road opened at dawn nobody wanted to be the first to leave the fire."
)
OTHERS = [
    "Council votes on the water tariff", "A choir of ninety sings in the square",
    "Apricot harvest begins two weeks early", "School board hears parents on buses",
    "New exhibition on carpets opens in May", "River level falls below the old mark",
    "Chess club wins in the last round", "Letters to the editor: week 31",
]  # fmt: skip


def titled(name: str, title: str, **fields: object) -> Story:
    return story(name, title=title, title_key=title_key(title), **fields)


def between(one: Story, other: Story) -> Likeness | None:
    pool = [one, other, *(titled(f"o{n}", text) for n, text in enumerate(OTHERS))]
    likeness = Likenesses(pool)
    assert likeness.between(one, other) == likeness.between(other, one)
    return likeness.between(one, other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("The mill burns", "“The Mill” burns!", Likeness.HEADLINE),
        (
            "Parliament passes the budget after a long night",
            "After long night, parliament passes budget",
            Likeness.NEARLY,
        ),
        (
            "Museum of carpets reopens in Gyumri",
            "Gyumri: Museum of carpets reopens",
            Likeness.NEARLY,
        ),
        ("Թանգարանը վերաբացվեց Գյումրիում", "Գյումրիում թանգարանը վերաբացվեց", Likeness.NEARLY),
        # A follow-up, and what merely shares a subject.
        ("Parliament passes the budget", "President signs the budget", None),
        ("Armenia", "Armenia wins gold in the high jump", None),
        # Columns with a standing title.
        ("Letters to the editor: week 32", "Letters to the editor: week 33", None),
        ("The week in pictures: 4 August", "The week in pictures: 11 August", None),
    ],
)
def test_headlines(one: str, other: str, expected: Likeness | None) -> None:
    assert between(titled("a", one), titled("b", other)) is expected


def test_only_within_a_week() -> None:
    early = titled("a", "The mill burns", days=9)
    assert between(early, titled("b", "The mill burns", days=1.9)) is None
    assert between(early, titled("b", "The mill burns", days=2)) is Likeness.HEADLINE


def test_the_same_text_under_another_headline() -> None:
    one = titled("a", "A night at the pass", excerpt=TEXT)
    assert between(one, titled("b", "Tea and cards", excerpt=TEXT + " ")) is Likeness.TEXT
    other = "Nothing of this has to do with what the others tell, whatever one may think of it."
    assert between(one, titled("b", "Tea and cards", excerpt=other)) is None
    # Too short to tell, and a standing line under three stories.
    assert between(one, titled("b", "Tea and cards", excerpt="Read on.")) is None
    standing = [titled(f"s{n}", f"Title {OTHERS[n]}", excerpt=TEXT) for n in range(3)]
    assert Likenesses(standing).between(standing[0], standing[1]) is None


def test_the_same_address() -> None:
    one = titled("a", "Old title", days=30, url="https://paper.example/x")
    assert between(one, titled("b", "New title", url="https://paper.example/x")) is Likeness.ADDRESS


def test_a_few_words_more_move_few_bits() -> None:
    whole, changed = sim_hash(TEXT), sim_hash(TEXT.replace("at dawn ", "at dawn today "))
    foreign = sim_hash(" ".join(OTHERS[:4]))
    assert whole is not None
    assert changed is not None
    assert foreign is not None
    assert (whole ^ changed).bit_count() < (whole ^ foreign).bit_count()
    assert sim_hash("eleven words are too few to say whether two texts are") is None
