"""Signatures, each looked at by dkimpy, which shares no code with ours."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.checks.dns import PublishedKey
from newsletter.delivery.dkim import relax_body, relax_field
from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Mailing, MailingKind
from newsletter.errors import ConfigError
from newsletter.tokens import Key, Keyring
from tests.delivery.samples import KEYRING, NOW, PREFERENCES, READER, UNSUBSCRIBE, issue
from tests.delivery.signing_keys import ED25519, OTHER_RSA, RSA, make_keys, verified


@dataclass(frozen=True)
class Signing:
    """Keys, what signs with them, and how DNS shows them."""

    folder: Path
    signer: Signer
    keys: dict[str, PublishedKey]

    def build(self, mailing: Mailing, address: str = READER.address) -> bytes:
        reader = READER._replace(address=address)
        return MessageTemplate.of(mailing, KEYRING, self.signer).build(reader, utf8=True)


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    folder = tmp_path_factory.mktemp("data") / "dkim"
    keys = make_keys(folder)
    return Signing(folder, Signer(folder, [RSA, ED25519]), keys)


def signed_issue(*selectors: str, **changes: Any) -> Mailing:
    return issue(dkim_selectors=selectors or (RSA, ED25519), **changes)


def signatures(raw: bytes) -> list[dict[str, str]]:
    """The tags of each signature, from the top."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    fields = re.split(r"\r\n(?![ \t])", head.decode())
    values = [f.partition(":")[2] for f in fields if f.startswith("DKIM-Signature:")]
    return [
        {
            name.strip(): re.sub(r"\s", "", value)
            for name, _, value in (tag.partition("=") for tag in value.split(";"))
        }
        for value in values
    ]


ODD = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
        st.sampled_from([UNSUBSCRIBE, PREFERENCES, "\n", "\n.\n", "From ", "  ", " \t \n", "\n\n"]),
    ),
    max_size=10,
).map("".join)
CLEAN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=80)


@settings(max_examples=60)
@given(
    text=ODD,
    html=ODD,
    subject=CLEAN,
    name=CLEAN,
    kind=st.sampled_from(MailingKind),
    reply_to=st.sampled_from([None, "desk@paper.example"]),
    leave_address=st.sampled_from([None, "leave@paper.example"]),
    address=st.sampled_from(["lilit@reader.example", "լիլիթ@reader.example", "a@հայ.example"]),
)
def test_both_signatures_of_any_message_are_good(
    signing: Signing,
    text: str,
    html: str,
    subject: str,
    name: str,
    kind: MailingKind,
    reply_to: str | None,
    leave_address: str | None,
    address: str,
) -> None:
    mailing = signed_issue(
        text=text,
        html=html,
        subject=subject,
        from_name=name,
        kind=kind,
        reply_to=reply_to,
        leave_address=leave_address,
    )
    assert verified(signing.build(mailing, address), signing.keys) == [True, True]


@settings(max_examples=60)
@given(st.data())
def test_no_changed_octet_of_the_body_goes_unnoticed(signing: Signing, data: st.DataObject) -> None:
    raw = signing.build(signed_issue())
    start = raw.index(b"\r\n\r\n") + 4
    places = [n for n in range(start, len(raw)) if raw[n] not in b" \t\r\n"]
    place = data.draw(st.sampled_from(places))
    octet = data.draw(st.sampled_from([o for o in b"aZ0=~" if o != raw[place]]))
    changed = raw[:place] + bytes([octet]) + raw[place + 1 :]
    assert verified(changed, signing.keys) == [False, False]


SIGNED = [
    "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive",
    "List-Post", "Feedback-ID",
]  # fmt: skip


def test_h_names_from_twice_and_every_field_that_matters(signing: Signing) -> None:
    for tags in signatures(signing.build(signed_issue(reply_to="desk@paper.example"))):
        names = tags["h"].split(":")
        assert sorted(names) == sorted(name.lower() for name in [*SIGNED, "From"])


@pytest.mark.parametrize("name", SIGNED)
def test_a_field_that_was_changed_or_taken_out_is_noticed(signing: Signing, name: str) -> None:
    raw = signing.build(signed_issue(reply_to="desk@paper.example"))
    assert verified(raw, signing.keys) == [True, True]
    field = re.search(rb"(?m)^" + name.encode() + rb": .*\r\n(?:[ \t].*\r\n)*", raw)
    changed = raw.replace(field[0], field[0].replace(b": ", b": x", 1), 1)
    missing = raw.replace(field[0], b"", 1)
    for forged in (changed, missing):
        assert verified(forged, signing.keys) == [False, False]


def test_a_second_sender_is_noticed(signing: Signing) -> None:
    raw = signing.build(signed_issue())
    for place in (b"From: ", b"To: "):
        forged = raw.replace(b"\r\n" + place, b"\r\nFrom: x@other.example\r\n" + place, 1)
        assert verified(forged, signing.keys) == [False, False]


@pytest.mark.parametrize("tag", ["d", "s", "t", "h", "bh", "a"])
def test_a_changed_tag_is_noticed(signing: Signing, tag: str) -> None:
    raw = signing.build(signed_issue(RSA))
    changed = re.sub(rb"(\s%s=[a-z0-9])" % tag.encode(), rb"\1x", raw, count=1)
    assert changed != raw
    assert verified(changed, signing.keys) == [False]


def test_rsa_comes_first_and_the_tags_are_these(signing: Signing) -> None:
    assert Signer(signing.folder, [ED25519, RSA]).selectors == (RSA, ED25519)
    raw = signing.build(signed_issue(*signing.signer.selectors))
    first, second = signatures(raw)
    assert raw.startswith(b"DKIM-Signature: ")
    for tags, algorithm, selector in ((first, "rsa", RSA), (second, "ed25519", ED25519)):
        assert set(tags) == {"v", "a", "c", "d", "s", "t", "h", "bh", "b"}
        assert (tags["v"], tags["a"], tags["c"]) == ("1", f"{algorithm}-sha256", "relaxed/relaxed")
        assert (tags["d"], tags["s"]) == ("paper.example", selector)
        assert tags["t"] == str(int(NOW.timestamp()))
    assert first["bh"] == second["bh"]
    head, _, _ = raw.partition(b"List-Id:")
    assert max(map(len, head.split(b"\r\n"))) <= 78


def test_the_same_delivery_has_the_same_bytes_after_both_keys_were_rotated(
    signing: Signing,
) -> None:
    mailing = signed_issue(*signing.signer.selectors, token_key="a")
    before = signing.build(mailing)
    rotated = Signer(signing.folder, [OTHER_RSA])
    keyring = Keyring([Key("b", b"n" * 32), Key("a", b"k" * 32)], b"h" * 32)
    later = READER._replace(attempts=2, first_tried_at=NOW)
    assert MessageTemplate.of(mailing, keyring, rotated).build(later) == before
    new = signing.build(signed_issue(*rotated.selectors))
    assert [tags["s"] for tags in signatures(new)] == [OTHER_RSA]
    assert verified(new, signing.keys) == [True]


def test_threads_that_share_a_template_build_what_one_alone_builds(signing: Signing) -> None:
    template = MessageTemplate.of(signed_issue(), KEYRING, signing.signer)
    readers = [
        READER._replace(id=n, recipient_id=f"reader{n:010}", address=f"r{n}@reader.example")
        for n in range(40)
    ]
    alone = [template.build(reader) for reader in readers]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(template.build, readers)) == alone
    assert len(set(alone)) == len(readers)
    assert verified(alone[-1], signing.keys) == [True, True]


def test_a_mailing_that_froze_no_key_stays_unsigned(signing: Signing) -> None:
    raw = signing.build(issue())
    assert b"DKIM-Signature" not in raw
    assert raw == MessageTemplate.of(issue(), KEYRING).build(READER)
    # All that signing adds stands before it.
    assert signing.build(signed_issue()).endswith(raw)


def test_a_key_that_is_gone_is_told_by_its_name_and_refuses_no_reader(signing: Signing) -> None:
    with pytest.raises(ConfigError, match=r"s9\.pem"):
        signing.build(signed_issue("s9"))
    with pytest.raises(ConfigError, match=RSA):
        MessageTemplate.of(signed_issue(), KEYRING, None)


def test_the_domain_may_be_above_the_senders_and_is_frozen_with_the_selector(
    signing: Signing,
) -> None:
    signer = Signer(signing.folder, [RSA], "paper.example")
    assert signer.selectors == (f"{RSA}._domainkey.paper.example",)
    mailing = signed_issue(*signer.selectors, from_address="weekly@news.paper.example")
    raw = signing.build(mailing)
    assert signatures(raw)[0]["d"] == "paper.example"
    assert verified(raw, signing.keys) == [True]
    with pytest.raises(ConfigError, match="other"):
        signing.build(replace(mailing, from_address="weekly@other.example"))
    with pytest.raises(ConfigError, match="notpaper"):
        signing.build(replace(mailing, from_address="weekly@notpaper.example"))


def test_the_domain_of_a_sender_of_another_script_is_signed_in_a_labels(signing: Signing) -> None:
    raw = signing.build(signed_issue(RSA, from_address="weekly@bücher.example"))
    assert signatures(raw)[0]["d"] == "xn--bcher-kva.example"
    shown = {RSA: replace(signing.keys[RSA], domain="xn--bcher-kva.example")}
    assert verified(raw, shown) == [True]


LINES = st.lists(st.sampled_from([b"a", b"  ", b"\t", b" ", b"\r\n", b"b", b"=20"]), max_size=30)


@given(LINES)
def test_a_body_is_relaxed_as_by_others(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert relax_body(body) == Relaxed.canonicalize_body(body)


@given(st.lists(st.sampled_from([b"a", b"  ", b"\t", b"\r\n ", b"\r\n\t", b":"]), max_size=12))
def test_a_field_is_relaxed_as_by_others(pieces: list[bytes]) -> None:
    value = b"".join(pieces) + b"\r\n"
    ((name, relaxed),) = Relaxed.canonicalize_headers([(b"List-ID ", value)])
    assert relax_field(b"List-ID :" + value) == name + b":" + relaxed
