from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.address_tokens import address_tokens
from newsletter.tokens import Key, Keyring, Purpose

KEYRING = Keyring([Key("a", b"k" * 32)], b"h" * 32)
PUBLIC_ID = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16)
TOKEN = KEYRING.sign(Purpose.LEAVE, "r" * 16, "n" * 16, short=True)


@given(
    reader=PUBLIC_ID,
    newsletter=PUBLIC_ID,
    local=st.from_regex(r"[A-Za-z0-9]{1,11}", fullmatch=True),
    field=st.sampled_from(["To", "Delivered-To", "X-Original-To", "Envelope-To"]),
    name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30),
    upper=st.booleans(),
)
def test_the_token_comes_back_from_any_field_and_spelling(
    reader: str, newsletter: str, local: str, field: str, name: str, upper: bool
) -> None:
    token = KEYRING.sign(Purpose.LEAVE, reader, newsletter, short=True)
    address = f"{local}+{token}@paper.example"
    message = (
        f"Subject: {name}\r\n{field}: {name}\r\n <{address.upper() if upper else address}>\r\n"
        f"From: b\r\n\r\nTo: a+{TOKEN}@paper.example\r\n"
    )
    (found,) = address_tokens(message.encode())
    assert KEYRING.verify(Purpose.LEAVE, found, short=True) == (reader, newsletter)


def test_the_envelope_is_believed_before_the_head() -> None:
    head = f"To: leave+{TOKEN}@paper.example\r\n\r\n".encode()
    other = TOKEN.replace("r", "s")
    assert address_tokens(head, [f"leave+{other}@paper.example"]) == [other]
    assert address_tokens(head, ["leave@paper.example"]) == []
    assert address_tokens(head) == [TOKEN]


def test_a_body_is_not_read() -> None:
    assert address_tokens(f"Subject: x\n\nTo: leave+{TOKEN}@paper.example\n".encode()) == []


@given(st.binary(max_size=2000))
def test_no_message_breaks_it(message: bytes) -> None:
    assert isinstance(address_tokens(message), list)


def test_a_flood_of_addresses_is_cut_short() -> None:
    many = ", ".join(f"leave+{TOKEN[:-3]}{n:03}@paper.example" for n in range(500))
    assert len(address_tokens(f"To: {many}\n\n".encode())) == 20
    assert address_tokens(b"To: " + b"(" * 60_000 + b"\n\n") == []
