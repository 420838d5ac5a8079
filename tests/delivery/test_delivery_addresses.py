import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.addresses import refuse_address, wire_address
from newsletter.delivery.model import OutcomeKind
from newsletter.errors import AddressError


@pytest.mark.parametrize(
    "address", ["lilit@reader.example", "o'brien+news@reader.example", "root@localhost"]
)
def test_plain_addresses_go_out_as_they_are(address: str) -> None:
    assert wire_address(address) == address
    assert refuse_address(address) is None


def test_a_domain_of_another_script_becomes_a_labels() -> None:
    assert wire_address("lilit@bücher.example") == "lilit@xn--bcher-kva.example"


def test_a_local_part_of_another_script_is_refused_as_a_value() -> None:
    outcome = refuse_address("լիլիթ@reader.example")
    assert outcome is not None
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, "content")
    assert outcome.reply.enhanced == "5.6.7"


@pytest.mark.parametrize(
    "address",
    ["", "@", "lilit", "lilit@", "@reader.example", "a b@reader.example", "a@b@reader.example",
     "lilit@reader.example\r\nDATA", "<a>@reader.example", ".a@reader.example",
     '"a b"@reader.example', "a" * 65 + "@reader.example", "lilit@" + "a." * 130 + "example",
     "lilit@-reader.example", "lilit@reader..example", "lilit@\u2028.example"],
)  # fmt: skip
def test_what_no_envelope_can_carry_is_refused_as_a_value(address: str) -> None:
    outcome = refuse_address(address)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.reply.text.isprintable()


@settings(deadline=None)
@given(st.text(max_size=60))
def test_what_passes_is_one_word_of_ascii_in_every_case(address: str) -> None:
    try:
        wire = wire_address(address)
    except AddressError:
        return
    assert wire.isascii()
    assert wire.isprintable()
    assert not set(wire) & set('<> ,;"\\')
