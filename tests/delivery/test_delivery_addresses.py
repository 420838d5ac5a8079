import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.addresses import needs_utf8, refuse_address, wire_address
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


@pytest.mark.parametrize("address", ["լիլիթ@reader.example", "a.ú+x@reader.example"])
def test_a_local_part_of_another_script_needs_a_server_that_takes_it(address: str) -> None:
    assert needs_utf8(address)
    assert wire_address(address, utf8=True) == address
    assert refuse_address(address, utf8=True) is None
    assert not needs_utf8("lilit@bücher.example")
    assert wire_address("լ@bücher.example", utf8=True) == "լ@xn--bcher-kva.example"


def test_a_local_part_of_another_script_is_refused_as_a_value() -> None:
    outcome = refuse_address("լիլիթ@reader.example")
    assert outcome is not None
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, "non_ascii_address")
    assert outcome.reply.enhanced == "5.6.7"


@pytest.mark.parametrize(
    "address",
    ["", "@", "lilit", "lilit@", "@reader.example", "a b@reader.example", "a@b@reader.example",
     "lilit@reader.example\r\nDATA", "<a>@reader.example", ".a@reader.example",
     '"a b"@reader.example', "a" * 65 + "@reader.example", "lilit@" + "a." * 130 + "example",
     "lilit@-reader.example", "lilit@reader..example", "lilit@\u2028.example",
     "լ\u2028@reader.example", "լ\x85@reader.example", "լ լ@reader.example", "լ..լ@reader.example",
     "լ" * 33 + "@reader.example", '"լ"@reader.example', "\ud800@reader.example", "լ@l@r.example"],
)  # fmt: skip
@pytest.mark.parametrize("utf8", [False, True])
def test_what_no_envelope_can_carry_is_refused_as_a_value(address: str, utf8: bool) -> None:
    outcome = refuse_address(address, utf8=utf8)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.reply.text.isprintable()
    cause = "5.6.7" if needs_utf8(address) and not utf8 else "5.1.3"
    assert outcome.reply.enhanced == cause


@given(st.text(max_size=40), st.sampled_from(["reader.example", "bücher.example", "x"]))
def test_what_passes_for_utf_8_prints_and_breaks_no_command(local: str, domain: str) -> None:
    try:
        wire = wire_address(f"{local}@{domain}", utf8=True)
    except AddressError:
        return
    assert wire.isprintable()
    assert wire.encode().decode() == wire
    assert not set(wire) & set('<> ,;"\\\r\n')
    assert wire.rpartition("@")[2].isascii()


@given(st.text(max_size=60))
def test_what_passes_is_one_word_of_ascii_in_every_case(address: str) -> None:
    try:
        wire = wire_address(address)
    except AddressError:
        return
    assert wire.isascii()
    assert wire.isprintable()
    assert not set(wire) & set('<> ,;"\\')
