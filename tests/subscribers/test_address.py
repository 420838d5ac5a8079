import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import AddressError
from newsletter.subscribers import address as of_addresses
from newsletter.subscribers.address import MAX_CHARACTERS, normalise_address


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("lilit@reader.example", "lilit@reader.example"),
        ("  Lilit@Reader.EXAMPLE\r\n", "lilit@reader.example"),
        ("\u00a0lilit+news@reader.example", "lilit+news@reader.example"),
        ("lilit@bücher.example", "lilit@xn--bcher-kva.example"),
        ("Lilit@XN--BCHER-KVA.example", "lilit@xn--bcher-kva.example"),
        ("դավիթ@reader.example", "դավիթ@reader.example"),
        ("o'brien@reader.example", "o'brien@reader.example"),
    ],
)
def test_one_mailbox_has_one_form(written: str, stored: str) -> None:
    assert normalise_address(written) == stored
    assert normalise_address(stored) == stored


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a@@b", '"a@@b" is no e-mail address: '),
        ("", "an e-mail address is missing"),
        (" \t ", "an e-mail address is missing"),
        ("lilit", '"lilit" is no e-mail address: '),
        ("lilit@localhost", "period"),
        ("lilit@paper.test", "special-use"),
        ("Lilit <lilit@reader.example>", "is no e-mail address: "),
        ("lilit@reader.example,ani@reader.example", "is no e-mail address: "),
        ("lilit@[127.0.0.1]", "is no e-mail address: "),
        ('"lilit b"@reader.example', "is no e-mail address: "),
        ("a" * 65 + "@reader.example", "is no e-mail address: "),
        ("a" * 64 + "@" + "b." * 100 + "example", f"more than {MAX_CHARACTERS} characters"),
    ],
)
def test_a_wrong_address_is_told_in_one_sentence(written: str, said: str) -> None:
    with pytest.raises(AddressError) as refused:
        normalise_address(written)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("control", ["\r\n", "\n", "\0", "\x0b", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("form", ["lil{}it@reader.example", "lilit@rea{}der.example"])
def test_no_character_that_could_begin_a_header_passes(form: str, control: str) -> None:
    with pytest.raises(AddressError) as refused:
        normalise_address(form.format(control))
    assert str(refused.value).isprintable()


@given(st.text(max_size=300))
def test_any_text_gives_a_stable_address_or_a_sentence(text: str) -> None:
    sentence = ""
    try:
        address = normalise_address(text)
    except AddressError as refused:
        sentence = str(refused)
    if sentence:
        assert sentence.isprintable()
        return
    assert normalise_address(address) == address
    assert len(address.encode()) <= MAX_CHARACTERS
    assert address.isprintable()
    assert address.rpartition("@")[2].isascii()


@given(
    st.text("abcXYZ019+_-.", min_size=1, max_size=20).filter(
        lambda t: not t.startswith(".") and not t.endswith(".") and ".." not in t
    )
)
def test_capitals_make_no_second_subscriber(local: str) -> None:
    assert normalise_address(f"{local}@Reader.example") == normalise_address(
        f"{local.upper()}@READER.example"
    )


# Pieces near every limit of the short way: lengths, hyphens, ends that are special, capitals.
_LOCALS = st.one_of(
    st.text("abXZ09._+-'!#{}`~", min_size=1, max_size=12),
    st.integers(60, 68).map(lambda size: "a" * size),
    st.sampled_from(["a b", '"a"', "a..b", ".a", "a.", "é", "\u212a", "Info", "a\0b", "a\nb"]),
)
_LABELS = st.one_of(
    st.text("abXZ09-", min_size=1, max_size=6),
    st.integers(60, 66).map(lambda size: "b" * size),
    st.sampled_from(["xn--bcher-kva", "ab--c", "xn--a", "-a", "a-", "a_b", "é", "\u212a", ""]),
)
_ENDS = st.sampled_from(
    [
        "example",
        "COM",
        "test",
        "Local",
        "c0m",
        "9",
        "c-m",
        "x",
        "arpa",
        "onion",
        "museum.",
        "\u212a",
    ]
)


@given(_LOCALS, st.lists(_LABELS, max_size=4), _ENDS, st.sampled_from(["@", "@@", " @ ", ""]))
def test_the_short_way_gives_what_the_long_one_gives(
    local: str, labels: list[str], end: str, at: str
) -> None:
    written = f"{local}{at}{'.'.join([*labels, end])}"
    short = of_addresses._normalise_plain(written)
    if short is not None and len(written) <= MAX_CHARACTERS:
        assert short == of_addresses._normalise(written)


def test_the_usual_address_takes_the_short_way() -> None:
    for written in ("Lilit.Hakobyan+news@Mail-7.Reader.example", "o'brien@reader.example"):
        assert of_addresses._normalise_plain(written) == written.lower()
