"""Which addresses are open to us."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.net.guard import is_public, is_reachable

OWN_NETWORKS = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "fc00::1",
    "fd12:3456::1",
]
NOBODYS = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "2001:0:1::1",
    "fec0::1",
    "192.0.0.8",
    "::ffff:192.0.0.8",
    "192.88.99.1",
    "2001:10::1",
    "3fff::1",
    "5f00::1",
    "::127.0.0.1",
    "not an address",
    "",
    "2130706433",
]
OPEN = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", OPEN)
def test_the_internet_is_open(address: str) -> None:
    assert is_public(address)
    assert is_reachable(address, allow_private=False)


@pytest.mark.parametrize("address", OWN_NETWORKS)
def test_own_networks_are_open_only_when_allowed(address: str) -> None:
    assert not is_public(address)
    assert not is_reachable(address, allow_private=False)
    assert is_reachable(address, allow_private=True)


@pytest.mark.parametrize("address", NOBODYS)
def test_nobodys_addresses_are_never_open(address: str) -> None:
    assert not is_public(address)
    assert not is_reachable(address, allow_private=False)


@pytest.mark.parametrize("address", [a for a in NOBODYS if a not in ("::127.0.0.1",)])
def test_wrappers_and_metadata_stay_closed_even_when_private_is_allowed(address: str) -> None:
    assert not is_reachable(address, allow_private=True)


@given(st.ip_addresses(v=4))
def test_a_wrapped_address_is_never_more_open_than_what_it_wraps(
    inner: ipaddress.IPv4Address,
) -> None:
    mapped = f"::ffff:{inner}"
    assert is_public(mapped) == is_public(str(inner))
    assert not is_public(f"64:ff9b::{inner}")
    packed = inner.packed.hex()
    assert not is_public(f"2002:{packed[:4]}:{packed[4:]}::1")


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    assert is_reachable(text, allow_private=False) in (True, False)
