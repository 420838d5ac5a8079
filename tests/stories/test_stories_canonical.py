import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.stories.canonical import canonical_url, title_key, web_address


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://Paper.Example:443/A/b/#top", "https://paper.example/A/b/"),
        ("http://paper.example:80", "http://paper.example/"),
        ("http://paper.example:8080/x", "http://paper.example:8080/x"),
        (
            "https://paper.example/x?utm_source=n&p=1&fbclid=2&q=a",
            "https://paper.example/x?p=1&q=a",
        ),
        ("https://paper.example/x/?gclid=1&mc_cid=2&mc_eid=3&ref=home", "https://paper.example/x/"),
        ("https://paper.example/?p=12&preview=", "https://paper.example/?p=12&preview="),
        ("https://paper.example/?reference=1", "https://paper.example/?reference=1"),
        ("https://user:secret@paper.example/x", "https://paper.example/x"),
        ("https://paper.example/%d5%a1%7e", "https://paper.example/%D5%A1~"),
        ("https://paper.example/ա b", "https://paper.example/%D5%A1%20b"),
        ("https://paper.example/100%", "https://paper.example/100%25"),
        ("http://հայերեն.հայ/x", "http://xn--y9aia5b0ai2e.xn--y9a3aq/x"),
        ("https://paper.example./x", "https://paper.example/x"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("  //paper.example/x\n", "https://paper.example/x"),
    ],
)
def test_one_address(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/2025/08/story",
        "javascript:alert(1)",
        "mailto:lilit@reader.example",
        "ftp://paper.example/x",
        "https:///x",
        "https://a..b/",
        "https://paper.example:99999/",
        "https://[::1/",
        "https://paper.example\\@other.example/",
        "https://pa per.example/",
        "https://paper.example/a\x00b",
    ],
)
def test_no_web_address(url: str) -> None:
    assert canonical_url(url) == ""
    assert web_address(url) == ""


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "HTTPS://Paper.Example/A/?utm_source=n&p=1#top",
            "https://paper.example/A/?utm_source=n&p=1#top",
        ),
        ("https://paper.example?utm_source=n", "https://paper.example/?utm_source=n"),
        (
            "https://paper.example/ա b?q=ա b#ա b",
            "https://paper.example/%D5%A1%20b?q=%D5%A1%20b#%D5%A1%20b",
        ),
        ("https://user:secret@paper.example/x", "https://paper.example/x"),
        ("http://հայերեն.հայ/x", "http://xn--y9aia5b0ai2e.xn--y9a3aq/x"),
        (" https://paper.example/x\n", "https://paper.example/x"),
        ("//paper.example/x", ""),
        ("https://paper.example/a\r\nX: y", ""),
        ("https://paper.example/a\tb", ""),
    ],
)
def test_an_address_to_be_led_to_keeps_its_tags(url: str, address: str) -> None:
    assert web_address(url) == address


@given(
    st.text()
    | st.from_regex(r"https?://[a-z.:\[\]@\\%]{0,12}[/?#&=%a-z\r\n]{0,20}", fullmatch=True)
)
def test_an_address_to_be_led_to_can_stand_in_a_header(url: str) -> None:
    address = web_address(url)
    assert address == "" or address.startswith(("http://", "https://"))
    assert all(33 <= ord(character) < 127 for character in address)
    assert "\\" not in address
    assert web_address(address) == address


@given(
    st.text() | st.from_regex(r"https?://[a-z.:\[\]@\\%]{0,12}[/?#&=%a-z]{0,20}", fullmatch=True)
)
@example("https://paper.example/%%41?%25=%zz")
def test_canonical_is_ascii_and_stable(url: str) -> None:
    once = canonical_url(url)
    assert once.isascii()
    assert " " not in once
    assert canonical_url(once) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“Don’t Stop” — the Band", "'Don't stop' - the band"),
        ("Ինչո՞ւ  են գնում", "Ինչու են գնում"),
        ("Yerevan: a\u00a0walk", "Yerevan, a walk"),
        ("ﬁnal STRASSE", "final straße"),
        ("Кино – «Мост»", "кино: мост"),
        ("co\u00adoperate\u200b", "cooperate"),
    ],
)
def test_same_headline(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Up $5", "Up 5"), ("C++ for all", "C for all"), ("resume", "résumé"), ("???", "!!!")],
)
def test_other_headline(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


@given(st.text())
@example("ᾳ\u0345")
def test_title_key_is_stable_and_lies_on_one_line(title: str) -> None:
    key = title_key(title)
    assert title_key(key) == key
    assert key == " ".join(key.split())
    assert bool(key) == bool(title.split()) or not any(map(str.isprintable, title))
    assert unicodedata.is_normalized("NFC", key)
