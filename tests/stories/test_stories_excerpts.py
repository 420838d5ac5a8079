"""Excerpts in four scripts: never cut inside a quotation, an abbreviation or a number.

Texts are put together of sentences that are known to be whole, each with
something in it at which a careless reader would stop.
"""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.stories.excerpt import LENGTH, LONGEST, cut_at_word, make_excerpt, shorten
from newsletter.stories.sentences import ends_sentence, open_quotes, split_sentences


@dataclass(frozen=True)
class Script:
    """Pieces of sentences: how they begin, what must stay whole in the middle, how they end."""

    starts: tuple[str, ...]
    wholes: tuple[str, ...]
    joints: tuple[str, ...]
    lasts: tuple[str, ...]
    ends: tuple[str, ...]


SCRIPTS = {
    "latin": Script(
        starts=("The mill was bought by", "Nobody had heard of", "The letter names", "We asked"),
        wholes=(
            *("Dr. H. L. Sahakian", "St. Mary’s", "No. 7", "3.5 million", "$ 12.50"),
            *("1 500 000", "U.S. Embassy", "Prof. A. Petrosyan", "Gen. Dro", "5 p.m."),
            *("“We waited. Nobody came. Why?”", "“The Board of St. Sarkis Church”", "8. Mai"),
            *('"Go home. Now!"', "«Qui est là? Personne. Rien.»", "'We left. They stayed.'"),
            *("'The U.S. Way'", "'Don't. Ask!'"),
            *("Co. Ltd. Boston", "12,400"),
        ),
        joints=("and", "beside", "before", "'n'", "in the '90s", "or the readers' letters of"),
        lasts=("yesterday", "in the end", "at 18.30", "in 1915"),
        ends=(".", "!", "?", "…"),
    ),
    "cyrillic": Script(
        starts=("Мельницу купил", "Никто не слышал про", "В письме названы", "Мы спросили про"),
        wholes=(
            *("А. С. Саакян", "г. Ереван", "ул. Абовяна"),
            *("№ 5", "1,5 млн", "долл. США", "2025г. Осень"),
            *("1 500 000", "им. Хачатуряна"),
            *("проф. К. Петросян", "оз. Севан", "в. Средние"),
            *("«Кто там? Это мы. Открывайте!»", "„Мы ждали. Никто не пришёл.“", "стр. 12", "18.30"),
            *("«Новости „Арарат“. Утро»", "т. н. Старый", "просп. Мира", "р. Раздан"),
        ),
        joints=("и", "рядом с", "а также", "потом"),
        lasts=("вчера", "у моста", "в 18.30", "в 1915"),
        ends=(".", "!", "?", "…", "?!"),
    ),
    "armenian": Script(
        starts=("Ջրաղացը գնել է", "Ոչ ոք չէր լսել", "Նամակում նշված են", "Մենք հարցրինք՝ ինչո՞ւ"),
        wholes=(
            *("դոկտ. Ա․ Սահակյանը", "պրոֆ. Կ. Պետրոսյանը", "ք. Երևանը", "№ 5", "1,5 մլն"),
            *("1 500 000", "2025թ. Օգոստոսը", "Ս. Էջմիածինը", "սբ. Հովհաննեսը", "էջ. 12"),
            *("«Ո՞վ է։ Մենք ենք։ Բացե՛ք։»", "«Սպասեցինք։ Ոչ ոք չեկավ»", "«Արարատ» թերթը", "18.30"),
            *("ակադ. Վ. Համբարձումյանը", "Հ. Յ. Դ. Բյուրոն", "մ.թ.ա. V"),
        ),
        joints=("և", "ու նաև", "հետո", "կողքին"),
        lasts=("երեկ", "կամրջի մոտ", "այսօր"),
        ends=("։", ":"),
    ),
    "arabic": Script(
        starts=("اشترى الطاحونة", "لم يسمع أحد عن", "تذكر الرسالة", "سألنا عن"),
        wholes=(
            *("د. الخطيب", "أ.د. حداد", "رقم 5", "1.5 مليون", "٣٫٥ مليون"),
            *("1 500 000", "١ ٥٠٠", "ق.م. تقريبا", "١٤٤٧هـ. الموافق"),
            *("«من هناك؟ نحن. افتحوا!»", "“انتظرنا. لم يأت أحد.”"),
            *('"اذهبوا. الآن!"', 'و"قالوا. نعم. لا"'),
            *("صحيفة «النهار»", "م. كريم", "ص. 12"),
        ),
        joints=("و كذلك", "ثم", "قبل", "بجانب"),
        lasts=("أمس", "قرب الجسر", "في 1915"),
        ends=(".", "!", "؟", "…"),
    ),
}  # fmt: skip


def sentences(script: Script) -> st.SearchStrategy[str]:
    wholes = st.lists(st.sampled_from(script.wholes), min_size=1, max_size=4)
    joint = st.sampled_from(script.joints)

    @st.composite
    def sentence(draw: st.DrawFn) -> str:
        words = f" {draw(joint)} ".join(draw(wholes))
        start, last = draw(st.sampled_from(script.starts)), draw(st.sampled_from(script.lasts))
        return f"{start} {words} {last}{draw(st.sampled_from(script.ends))}"

    return sentence()


@st.composite
def texts(draw: st.DrawFn) -> tuple[Script, list[str]]:
    script = SCRIPTS[draw(st.sampled_from(sorted(SCRIPTS)))]
    return script, draw(st.lists(sentences(script), min_size=1, max_size=5))


def parts_a_whole(script: Script, kept: str, text: str, *, room: int = 0) -> list[str]:
    """What must stay whole and is cut where ``kept`` ends.

    Of what holds a quotation that alone, save where it begins in the first ``room`` characters.
    """
    parts = []
    for whole in script.wholes:
        quotation = re.search(r"[«“„\"'].*[»”“\"']", whole)
        for match in re.finditer(re.escape(quotation[0] if quotation else whole), text):
            apart = match.start() < len(kept) < match.end()
            if apart and not (quotation and match.start() < room):
                parts.append(match[0])
    return parts


@given(texts())
def test_a_paragraph_falls_into_the_sentences_it_was_made_of(
    made: tuple[Script, list[str]],
) -> None:
    _, whole = made
    assert split_sentences(" ".join(whole)) == whole
    assert all(map(ends_sentence, whole))


@given(texts())
def test_an_excerpt_ends_where_a_sentence_does_or_at_a_word(
    made: tuple[Script, list[str]],
) -> None:
    script, whole = made
    text = " ".join(whole)
    excerpt = shorten([text])
    assert len(excerpt) <= LONGEST
    assert open_quotes(excerpt) == []
    if text.startswith(excerpt):
        assert excerpt == text or any(
            excerpt == " ".join(whole[:count]) for count in range(len(whole))
        )
    else:
        kept = excerpt.removesuffix("…")
        assert text.startswith(kept)
        assert open_quotes(kept, text[len(kept) :]) == []
        assert not text[len(kept) : len(kept) + 1].isalnum()
        assert parts_a_whole(script, kept, text) == []


@given(texts(), st.integers(40, LENGTH))
def test_a_cut_parts_no_abbreviation_and_no_number(
    made: tuple[Script, list[str]], length: int
) -> None:
    script, whole = made
    text = " ".join(whole)
    cut = cut_at_word(text, length)
    assert len(cut) <= length
    if cut != text:
        kept = cut.rpartition("…")[0]
        assert text.startswith(kept)
        assert open_quotes(cut) == []
        # Cut before a quotation, twenty characters have to be left.
        assert parts_a_whole(script, kept, text, room=40) == []


MARKS = ["“”", "„“", "«»", "‘’", '""', "''"]
# Said at length, with an apostrophe, a question and what looks like an end inside.
SPEECH = [
    "We waited for the bus. Nobody came",
    "The readers’ letters are not ours, are they? So it went",
    "It was in 1915. Dr. Sahakian hadn’t left",
    "Nobody had asked the mill’s owner for his word",
]
PLAIN = [
    "The council met on Monday.",
    "He left.",
    "A rock 'n' roll band of the '90s didn't play.",
    "Nobody had asked those who live beside the river, and they had not asked anybody either.",
]


@st.composite
def speeches(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, int]]]:
    """Paragraphs of short sentences and long quotations, and where those lie in their join."""
    paragraphs: list[str] = []
    quoted: list[tuple[int, int]] = []
    pieces = draw(st.lists(st.booleans(), min_size=1, max_size=5))
    at = draw(st.integers(0, len(pieces)))
    for said in [*pieces[:at], None, *pieces[at:]]:
        # At least one sentence can be taken, wherever it stands.
        text = PLAIN[0] if said is None else draw(st.sampled_from(PLAIN))
        if said:
            first, last = draw(st.sampled_from(MARKS))
            words = ". ".join(draw(st.lists(st.sampled_from(SPEECH), min_size=1, max_size=12)))
            before = draw(st.sampled_from(["", "He said: ", "The miller told the council that "]))
            after = draw(st.sampled_from(["", " he said."]))
            if first == "'":
                words = words.replace("’", "'")
            text = f"{before}{first}{words}.{last}{after}"
            begin = sum(map(len, paragraphs)) + len(paragraphs) + len(before)
            quoted.append((begin, begin + len(words) + 3))
        paragraphs.append(text)
    return paragraphs, quoted


@given(speeches(), st.booleans())
def test_no_quotation_is_cut_where_there_is_anything_else(
    made: tuple[list[str], list[tuple[int, int]]], one_paragraph: bool
) -> None:
    paragraphs, quoted = made
    text = " ".join(paragraphs)
    excerpt = shorten([text] if one_paragraph else paragraphs)
    kept = excerpt.removesuffix("…")
    assert len(kept) >= 8
    assert len(excerpt) <= LONGEST
    begin = text.find(kept)
    assert begin >= 0
    for first, last in quoted:
        assert not first < begin < last
        assert not first < begin + len(kept) < last


LONG = (
    "We waited for the bus and nobody came, and then it rained and we went on by foot. " * 4
).strip()


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        (f"So it was told by the miller: “{LONG}” So it was.", "So it was told by the miller…"),
        (f"So it was told by the miller: '{LONG}' he said.", "So it was told by the miller…"),
        (f"He said: “{LONG}” The council met on Monday.", "The council met on Monday."),
        (f"He said: '{LONG}' The council met on Monday.", "The council met on Monday."),
        (f"The council met on Monday. “{LONG}” He left.", "The council met on Monday…"),
    ],
)
def test_a_quotation_that_is_too_long_is_left_out(text: str, excerpt: str) -> None:
    assert shorten([text]) == excerpt


@pytest.mark.parametrize("marks", MARKS)
def test_where_there_is_nothing_else_a_quotation_is_cut_and_shows_it(marks: str) -> None:
    first, last = marks
    excerpt = shorten([f"{first}{LONG}{last}"])
    assert excerpt.startswith(f"{first}We waited")
    assert excerpt.endswith(f"…{last}")
    assert LONG.startswith(excerpt[1:-2])
    assert 200 <= len(excerpt) <= LENGTH


def test_what_the_cms_cut_inside_a_quotation_ends_before_it() -> None:
    own = "The miller told the whole council: “We waited for the bus and […]"
    assert make_excerpt(own, []) == "The miller told the whole council…"
    assert make_excerpt("“We waited for the bus, and nobody came at […]", []) == (
        "“We waited for the bus, and nobody came at…”"
    )


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("He said: 'We left. They", [9]),
        ("He said: 'We left.' They", []),
        ("the '90s and rock 'n' roll, 'em and 'tis", []),
        ("the readers' letters of 'the town", [24]),
        ("('The readers' letters are ours", [1]),
        ("don't. He said: 'It isn't", [16]),
    ],
)
def test_straight_single_marks(text: str, opened: list[int]) -> None:
    assert open_quotes(text, " we know', he said.") == opened
    # Never closed it was an apostrophe.
    assert open_quotes(text) == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("«Кто там?» — спросил мельник. Никто не ответил.", 2),
        ("«Кто там?» — «Мы». Это я. Они ушли.", 3),
        ("— Мы вернёмся, — сказал он. — Ждите.", 2),
        ("Стоит 5 тыс. руб. в месяц. Это много.", 2),
        ("Он жил в III в. до н. э. в Армении.", 1),
        ("Հարցրեց՝ «Ո՞վ է», և գնաց։ Ոչ ոք չպատասխանեց։", 2),
        ("Արդյո՞ք նա կգա։ Այո՛։", 2),
        ("1915 թ. Երևանում ծնվեց։ Հետո գնաց Թիֆլիս։", 2),
        ("قال: «نعم. سنعود.» ثم خرج.", 2),
        ("شاهدنا مسرحية «من هناك؟» ثم خرجنا.", 1),
        ("هل سيعود؟ لا أحد يعلم. انتظروا!", 3),
        ("كتب في ص. 12 من الكتاب. ثم صمت.", 2),
        ("یہ سچ ہے۔ وہ آیا۔", 2),
        ("He is 12. Nobody knew.", 2),
        ("He said: 'We left. They stayed.' Then it rained.", 2),
        ("In the '90s it was so. The readers' letters say it.", 2),
        ("Am 8. Mai 1945 war er da. Dann nicht.", 2),
    ],
)
def test_where_sentences_end(text: str, sentences: int) -> None:
    found = split_sentences(text)
    assert len(found) == sentences, found
