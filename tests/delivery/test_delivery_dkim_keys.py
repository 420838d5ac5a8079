import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from newsletter.checks.dns import check_keys, parse_key_record
from newsletter.checks.model import Level
from newsletter.config import DkimTable
from newsletter.delivery.dkim_keys import (
    Algorithm,
    Signer,
    create_key,
    key_folder,
    load_signer,
    read_key,
)
from newsletter.errors import ConfigError, Conflict
from newsletter.net.dns_answers import DnsAnswer, DnsStatus
from tests.delivery.signing_keys import ED25519, OTHER_RSA, RSA, make_keys


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_keys(key_folder(folder))
    return folder


def table(*selectors: str, domain: str = "") -> DkimTable:
    return DkimTable(selectors=selectors, domain=domain)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_key_is_its_owners_alone_and_comes_back(tmp_path: Path, algorithm: Algorithm) -> None:
    folder = key_folder(tmp_path)
    made = create_key(folder, "s1", algorithm)
    (file,) = folder.iterdir()
    assert file.name == "s1.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = read_key(folder, "s1")
    assert found.algorithm is algorithm
    assert found.published("paper.example") == made.published("paper.example")
    assert found.sign(b"d" * 32) == made.sign(b"d" * 32)


def test_no_key_is_ever_overwritten(data_dir: Path) -> None:
    folder = key_folder(data_dir)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(Conflict, match=RSA):
        create_key(folder, RSA, Algorithm.ED25519)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_the_record_shows_the_key_and_the_checks_take_it(data_dir: Path) -> None:
    signer = load_signer(data_dir, table(RSA, ED25519))
    assert signer is not None
    keys = signer.published_keys("paper.example")
    assert [(key.selector, key.signing) for key in keys] == [
        (RSA, True),
        (ED25519, True),
        (OTHER_RSA, False),
    ]
    assert keys[0].name == "s1._domainkey.paper.example"
    assert [parse_key_record(key.record).algorithm for key in keys] == ["rsa", "ed25519", "rsa"]
    assert len(parse_key_record(keys[1].record).key) == 32
    answers = {key.name: DnsAnswer(DnsStatus.FOUND, (key.record,)) for key in keys}
    assert check_keys(keys, answers) == ()
    swapped = {key.name: answers[keys[2 - n].name] for n, key in enumerate(keys)}
    assert [finding.level for finding in check_keys(keys, swapped)] == [Level.STOP, Level.WARN]


def test_the_signing_domain_is_that_of_the_config_or_the_senders(data_dir: Path) -> None:
    own = load_signer(data_dir, table(RSA))
    above = load_signer(data_dir, table(RSA, domain="paper.example"))
    assert {key.domain for key in own.published_keys("news.paper.example")} == {
        "news.paper.example"
    }
    assert {key.domain for key in above.published_keys("news.paper.example")} == {"paper.example"}


def test_without_keys_there_is_no_signer_and_without_selectors_one_for_what_was_begun(
    data_dir: Path, tmp_path: Path
) -> None:
    assert load_signer(tmp_path, table()) is None
    signer = load_signer(data_dir, table())
    assert signer.selectors == ()
    ((key, domain),) = signer.identities([RSA], "paper.example")
    assert (key.selector, domain) == (RSA, "paper.example")


def test_ed25519_alone_is_refused(data_dir: Path) -> None:
    with pytest.raises(ConfigError, match="RSA"):
        load_signer(data_dir, table(ED25519))


def write_pem(path: Path, key: object, password: bytes | None = None) -> None:
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))


def test_what_is_no_usable_key_is_told_with_its_file(tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    write_pem(tmp_path / "curve.pem", curve)
    write_pem(tmp_path / "locked.pem", curve, b"secret")
    write_pem(tmp_path / "short.pem", rsa.generate_private_key(65537, 1024))
    (tmp_path / "text.pem").write_text("no key", encoding="utf-8")
    (tmp_path / "folder.pem").mkdir()
    for selector in ("curve", "locked", "short", "text", "folder", "absent"):
        with pytest.raises(ConfigError, match=selector):
            read_key(tmp_path, selector)


@pytest.mark.parametrize("selector", ["", "..", "a/b", "A", "-a", "a" * 64, "s1._domainkey", "\n"])
def test_a_selector_that_is_no_label_reaches_no_file(tmp_path: Path, selector: str) -> None:
    with pytest.raises(ConfigError, match="selector"):
        create_key(tmp_path, selector, Algorithm.ED25519)
    with pytest.raises(ConfigError, match="selector"):
        Signer(tmp_path, [selector])
    assert list(tmp_path.iterdir()) == []
