"""Made-up readers of the demo paper: names that people of the diaspora bear, at no real address."""

import math

_FIRST = """
Aghavni Alina Ani Anahit Anoush Araksi Arev Armine Arpi Arpine Astghik Gayane Hasmik Heghine
Hripsime Hranush Karine Knarik Lala Lilit Lusine Mane Manushak Maral Mariam Maro Nairi Nane Nare
Narine Nayiri Nazeli Nvard Ovsanna Rosine Ruzan Salpi Satenik Seta Shaghik Shoghik Shushan Silva
Siranush Sirvart Sona Sophi Takuhi Talin Tamar Tatev Vartuhi Yeranuhi Zabel Zaruhi Zepyur
Abraham Antranig Apraham Aram Ara Aren Armen Artak Arsen Ashot Avedis Berj Bedros Davit Garo
Gevorg Gurgen Hagop Haig Harut Hovsep Hrag Hrant Kevork Khachig Krikor Levon Mher Mihran Mikael
Nareg Nerses Norayr Onnik Papken Raffi Razmik Sahak Samvel Sarkis Sevag Shahan Shant Smbat Suren
Tigran Toros Vahagn Vahe Varuzhan Vartan Vicken Vrej Yervant Zareh Zaven
""".split()
_LAST = """
Abajian Adamian Aghajanian Aivazian Ajemian Akopyan Alexanian Altounian Amirian Andonian Arakelian
Arslanian Artinian Aslanyan Avakian Avetisyan Babikian Baghdoyan Baliozian Barsamian Basmajian
Bedrosian Berberian Bezjian Bohjelian Boyajian Chakmakian Chilingirian Dadourian Danielyan
Demirjian Derderian Dervishian Dilanian Donabedian Ekmekjian Elmasian Galstyan Garabedian
Gasparyan Ghazarian Ghukasyan Grigoryan Hakobyan Halajian Harutyunyan Hovhannisyan Ishkhanian
Jamgochian Kalfayan Kalpakian Karagozian Kasparian Kazanjian Keosseian Keshishian Ketchian
Kevorkian Khachatryan Kirakosyan Kouyoumdjian Kupelian Kurkjian Malkhasian Manoukian Mardirossian
Markarian Melikian Melkonian Mikaelian Minassian Mouradian Nahabedian Najarian Nalbandian
Nersisyan Ohanian Ounjian Papazian Parseghian Pashayan Petrosyan Pilibosian Poghosyan Sahakyan
Samuelian Saroukhan Semerjian Shirinian Simonian Sukiasyan Tashjian Tatoyan Tavitian Terzian
Topalian Torosyan Tutunjian Vartabedian Yacoubian Yeghiazarian Zakarian Zeitlian
""".split()
# RFC 2606, section 2: nobody can own a name under .example.
_DOMAINS = (
    *("readers.example", "glendale.example", "yerevan.example", "fresno.example", "beirut.example"),
    *("watertown.example", "marseille.example", "letters.example"),
)


def made_up_readers(count: int) -> list[tuple[str, str]]:
    """``count`` pairs of name and address, no address twice, always the same for a count."""
    readers = []
    for number in range(count):
        first, last, turn = _pair(number)
        address = f"{first}.{last}{turn or ''}".lower()
        domain = _DOMAINS[(number * 5 + number // len(_DOMAINS)) % len(_DOMAINS)]
        readers.append((f"{first} {last}", f"{address}@{domain}"))
    return readers


def _pair(number: int) -> tuple[str, str, int]:
    """The number-th pair of names, and how often all pairs have been through before it."""
    pairs = len(_FIRST) * len(_LAST)
    turn, place = divmod(number, pairs)
    # Steps that share no factor with the count of pairs meet each pair once, in no visible order.
    mixed = place * _step(pairs) % pairs
    return _FIRST[mixed % len(_FIRST)], _LAST[mixed // len(_FIRST)], turn


def _step(pairs: int) -> int:
    step = int(pairs * 0.618)
    while math.gcd(step, pairs) != 1:
        step += 1
    return step
