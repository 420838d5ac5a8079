"""Reader tokens: deterministic, bound to a purpose, readable after a key has been replaced."""

import base64
import hashlib
import hmac
import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigError, TokenError
from newsletter.tokens import (
    Key,
    Keyring,
    Purpose,
    derived_public_id,
    load_keyring,
    new_public_id,
    new_public_ids,
)

OLD, NEW = Key("a", b"o" * 32), Key("b", b"n" * 32)
RING = Keyring([OLD], b"h" * 32)
IDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16), min_size=1, max_size=3
)
NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)


@given(ids=IDS, purpose=st.sampled_from(Purpose), short=st.booleans())
def test_round_trip(ids: list[str], purpose: Purpose, short: bool) -> None:
    token = RING.sign(purpose, *ids, short=short)
    assert RING.verify(purpose, token, short=short) == tuple(ids)
    assert token == RING.sign(purpose, *ids, short=short)
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz234567.")


@given(ids=IDS, other=st.sampled_from(Purpose))
def test_no_other_purpose_takes_it(ids: list[str], other: Purpose) -> None:
    token = RING.sign(Purpose.PREVIEW, *ids)
    if other is not Purpose.PREVIEW:
        with pytest.raises(TokenError):
            RING.verify(other, token)


@given(ids=IDS, place=st.integers(0, 400), letter=st.characters())
def test_any_change_is_noticed(ids: list[str], place: int, letter: str) -> None:
    token = RING.sign(Purpose.UNSUBSCRIBE, *ids)
    place %= len(token)
    forged = token[:place] + letter + token[place + 1 :]
    if forged != token:
        with pytest.raises(TokenError):
            RING.verify(Purpose.UNSUBSCRIBE, forged)


@given(text=st.text())
def test_any_text_is_answered_by_our_error(text: str) -> None:
    with pytest.raises(TokenError):
        RING.verify(Purpose.UNSUBSCRIBE, text)
    with pytest.raises(TokenError):
        RING.verify_until(Purpose.CONFIRM, text, NOW)


def test_old_keys_verify_and_the_first_signs() -> None:
    old = RING.sign(Purpose.UNSUBSCRIBE, "reader")
    both = Keyring([NEW, OLD], b"h" * 32)
    assert both.verify(Purpose.UNSUBSCRIBE, old) == ("reader",)
    assert both.sign(Purpose.UNSUBSCRIBE, "reader").startswith("b.")
    with pytest.raises(TokenError):
        Keyring([NEW], b"h" * 32).verify(Purpose.UNSUBSCRIBE, old)


@given(
    ids=IDS, purpose=st.sampled_from(Purpose), short=st.booleans(), secret=st.binary(max_size=90)
)
def test_the_mac_is_hmac_sha256_cut_and_written_in_base_32(
    ids: list[str], purpose: Purpose, short: bool, secret: bytes
) -> None:
    mac = hmac.digest(secret, "\0".join([purpose, *ids]).encode(), "sha256")[: 10 if short else 20]
    token = Keyring([Key("a", secret)], b"h" * 32).sign(purpose, *ids, short=short)
    assert token == ".".join(["a", *ids, base64.b32encode(mac).decode().lower()])


def test_a_key_may_be_named_and_a_missing_one_is_told() -> None:
    both = Keyring([NEW, OLD], b"h" * 32)
    assert both.signing_key == "b"
    named = both.signer(Purpose.UNSUBSCRIBE, key_id="a").sign("reader")
    assert named == RING.sign(Purpose.UNSUBSCRIBE, "reader")
    assert both.signer(Purpose.UNSUBSCRIBE).sign("reader") == both.sign(
        Purpose.UNSUBSCRIBE, "reader"
    )
    with pytest.raises(ConfigError, match='"a"'):
        Keyring([NEW], b"h" * 32).signer(Purpose.UNSUBSCRIBE, key_id="a")


def test_expiry() -> None:
    token = RING.sign_until(Purpose.CONFIRM, NOW, "reader")
    assert RING.verify_until(Purpose.CONFIRM, token, NOW) == ("reader",)
    with pytest.raises(TokenError, match="expired"):
        RING.verify_until(Purpose.CONFIRM, token, NOW + timedelta(seconds=1))


def test_key_file_is_made_once_by_whoever_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: load_keyring(path), range(8)))
    assert len({ring.sign(Purpose.PREVIEW, "issue") for ring in rings}) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("text", ["", "{}", '{"token": [], "address_hash": "00"}', "[1]"])
def test_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_keyring(path)


def test_address_hash_outlives_the_rotation_of_signing_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    before = load_keyring(path).hash_address("lilit@readers.example")
    document = json.loads(path.read_text(encoding="utf-8"))
    document["token"].insert(0, {"id": "b", "secret": "00" * 32})
    path.write_text(json.dumps(document), encoding="utf-8")
    assert load_keyring(path).hash_address("lilit@readers.example") == before


def test_public_ids_differ() -> None:
    assert len({new_public_id() for _ in range(1000)}) == 1000


@given(st.text(max_size=80), st.binary(min_size=1, max_size=100))
def test_ids_and_hashes_are_base_32_of_their_bytes(text: str, secret: bytes) -> None:
    def in_base_32(raw: bytes) -> str:
        return base64.b32encode(raw).decode().lower().rstrip("=")

    keyring = Keyring([Key("a", b"k" * 32)], secret)
    assert keyring.hash_address(text) == in_base_32(hmac.digest(secret, text.encode(), "sha256"))
    told = hashlib.sha256(text.encode()).digest()
    assert derived_public_id(text) == in_base_32(told[:10])


@given(st.lists(st.text(max_size=40), max_size=70))
def test_many_addresses_are_hashed_as_each_alone(addresses: list[str]) -> None:
    keyring = Keyring([Key("a", b"secret")], b"another")
    assert keyring.hash_addresses(addresses) == [keyring.hash_address(a) for a in addresses]


def test_many_ids_are_as_one_is() -> None:
    ids = new_public_ids(1_000)
    assert len(set(ids)) == 1_000
    assert new_public_ids(0) == []
    assert all(re.fullmatch("[a-z2-7]{16}", one) for one in (*ids, new_public_id()))
    # They begin alike; every place behind that is random.
    assert len({one[:3] for one in ids}) == 1
    assert len({new_public_ids(1)[0][:3] for _ in range(20)}) > 1
    assert all(len(set(letters)) > 20 for letters in list(zip(*ids, strict=True))[4:])
