import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.subscribers.address import is_role_account, limit_address, normalise_address
from newsletter.subscribers.slips import is_one_slip, likely_address


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmsil.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmailcom.com", None),
        ("hotmial.com", "hotmail.com"),
        ("yaho.com", "yahoo.com"),
        ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"),
        ("mail.ri", "mail.ru"),
        ("aol.con", "aol.com"),
        # Others that take mail of their own, and names too short to guess at.
        ("mail.com", None),
        ("ymail.com", None),
        ("gmx.com", None),
        ("me.com", None),
        ("axl.com", None),
        ("cnn.com", None),
        ("reader.example", None),
    ],
)
def test_slips_in_domains_that_many_have(written: str, meant: str | None) -> None:
    assert likely_address(f"lilit@{written}") == (f"lilit@{meant}" if meant else None)


words = st.text("abc.", max_size=8)


@given(words, words)
def test_a_slip_is_one_in_both_directions(one: str, other: str) -> None:
    assert is_one_slip(one, other) == is_one_slip(other, one)


@given(words, st.integers(0, 8), st.sampled_from("abc."))
def test_one_letter_too_many_wrong_or_moved_is_a_slip(word: str, at: int, letter: str) -> None:
    at = min(at, len(word))
    slips = [word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]]
    slips.append(word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :])
    for written in slips:
        assert is_one_slip(written, word) == (written != word)


@given(st.text("abxyz", min_size=3, max_size=9))
def test_two_slips_are_too_many(word: str) -> None:
    assert not is_one_slip(f"0{word}1", word)


def test_variants_of_a_mailbox_are_limited_together() -> None:
    for variant in ("l.ilit@gmail.com", "lilit+news@gmail.com", "li.lit+x.y@googlemail.com"):
        assert limit_address(variant) == "lilit@gmail.com"
    assert limit_address("lilit@reader.example") == "lilit@reader.example"
    assert limit_address("+lilit@reader.example") == "+lilit@reader.example"


@given(st.from_regex(r"[a-z0-9]([a-z0-9.+]{0,10}[a-z0-9])?", fullmatch=True))
def test_what_limits_go_by_is_stable(local: str) -> None:
    counted = limit_address(f"{local}@reader.example")
    assert counted.endswith("@reader.example")
    assert counted.rpartition("@")[0]
    assert limit_address(counted) == counted


def test_addresses_of_a_function() -> None:
    for role in ("info", "webmaster", "no-reply", "Postmaster", "news+paper"):
        assert is_role_account(normalise_address(f"{role}@reader.example")), role
    assert not is_role_account("informatik@reader.example")
