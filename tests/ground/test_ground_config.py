"""The config file and the environment: what is unknown is named, with the nearest known."""

from pathlib import Path
from typing import Any

import pytest

from newsletter.config import Config, load_config, validate
from newsletter.errors import ConfigError
from newsletter.publication.model import Settings

PAPER = '[publication]\nname = "The Araks Courier"\nurl = "https://paper.example"\n'
RELAY = '[[relay]]\nslug = "main-relay"\nhost = "smtp.paper.example"\n'
NEWSLETTER = """
[[newsletter]]
slug = "weekly"
name = "Courier Weekly"
from = { name = "The Araks Courier", address = "weekly@paper.example" }
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest"
"""


def load(folder: Path, text: str, **environment: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, environment)


def refusal(folder: Path, text: str, **environment: str) -> str:
    def read() -> None:
        config = load(folder, text, **environment)
        validate(Settings, config.settings, str(config.path), config.origins)

    with pytest.raises(ConfigError) as caught:
        read()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_paths_count_from_the_file(tmp_path: Path) -> None:
    bootstrap = load(tmp_path, 'data_dir = "d"\n[database]\nurl = "sqlite:///d/n.sqlite"').bootstrap
    assert bootstrap.data_dir == tmp_path / "d"
    assert bootstrap.database.url == f"sqlite:///{tmp_path}/d/n.sqlite"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[wep]", ['"wep"', '"web"']),
        ("[web]\nprot = 1", ["web", '"prot"', '"port"']),
        ("[web]\nport = 'x'", ["web", "port", "integer"]),
        ("[web]\nbase_url = 'https://a.example/'", ["base_url"]),
        (RELAY + "pasword = 'x'", ['relay "main-relay"', '"pasword"', '"password"']),
        (RELAY + "tls = 'none'\nusername = 'a'", ["password", "network"]),
        (RELAY + RELAY, ["relay"]),
        (PAPER + NEWSLETTER + "titel = 'x'", ['section "latest"', '"titel"', '"title"']),
        (PAPER + NEWSLETTER.replace("weekly", "archive"), ['newsletter "archive"', "paths"]),
        (PAPER + NEWSLETTER + NEWSLETTER, ["two newsletter", '"weekly"']),
        (PAPER + NEWSLETTER.replace("slug", "send_at = 'Fry 07:00'\nslug", 1), ['"Fry 07:00"']),
        (PAPER + NEWSLETTER.replace("slug", "draft_at = 'daily 07:00'\nslug", 1), ["rhythm"]),
        (PAPER + "timezone = 'Mars/Base'", ["timezone", '"Mars/Base"']),
        (PAPER + "[bounces]\nreturn_path = 'much-too-long@paper.example'", ["11 characters"]),
        (PAPER + "[[reads]]\nslug = 'a'\nsource = 'b'\nkind = 'csv'", ['"a"', '"b"']),
        (PAPER + NEWSLETTER + "[newsletter.waves]\nstaf = ['@a.example']", ['"staf"', '"staff"']),
        (PAPER + NEWSLETTER + "[newsletter.waves]\nstaff = ['anna']", ['"anna"', "@paper.example"]),
        (PAPER + NEWSLETTER + "[newsletter.waves]\ncanary = 0.6", ['"weekly"', "canary", "0.5"]),
        (PAPER + NEWSLETTER + "[newsletter.waves]\nwait = 'a while'", ["wait", '"a while"']),
        (PAPER + "[delivery]\nbrake_share = 0", ["delivery", "brake_share"]),
        (PAPER + "[delivery]\nbrake_after = 3", ["delivery", "brake_after", "10"]),
        ("publication = ", ["TOML"]),
    ],
)
def test_refusals_name_the_key_and_the_mend(tmp_path: Path, text: str, words: list[str]) -> None:
    sentence = refusal(tmp_path, text)
    assert str(tmp_path / "config.toml") in sentence
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize(
    ("name", "value", "read", "expected"),
    [
        ("NEWSLETTER_WEB__PORT", "9000", lambda b: b.web.port, 9000),
        ("NEWSLETTER_RELAY__MAIN_RELAY__PASSWORD", "s3", lambda b: b.relay[0].secret(), "s3"),
        (
            "NEWSLETTER_WEB__TRUSTED_PROXIES",
            '["10.0.0.1"]',
            lambda b: b.web.trusted_proxies,
            ("10.0.0.1",),
        ),
        ("NEWSLETTER_CONFIG", "elsewhere.toml", lambda b: b.web.port, 8000),
        ("PATH", "/bin", lambda b: b.web.port, 8000),
    ],
)
def test_environment_is_laid_over(
    tmp_path: Path, name: str, value: str, read: Any, expected: object
) -> None:
    assert read(load(tmp_path, RELAY, **{name: value}).bootstrap) == expected


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("NEWSLETTER_WEBB__PORT", '"web"'),
        ("NEWSLETTER_WEB__PROT", '"port"'),
        ("NEWSLETTER_RELAY__MAIN__PASSWORD", "main-relay"),
        ("NEWSLETTER_NONSENSE", "NEWSLETTER_NONSENSE"),
        ("NEWSLETTER_CONFIGG", "NEWSLETTER_CONFIGG"),
        ("NEWSLETTER_WEB__PORTT", "environment: NEWSLETTER_WEB__PORTT"),
        (
            "NEWSLETTER_RELAY__MAIN_RELAY__PASWORD",
            "environment: NEWSLETTER_RELAY__MAIN_RELAY__PASW",
        ),
        ("NEWSLETTER_SOURCE__SITE__URL", "no entry"),
        ("NEWSLETTER_PUBLICATION__NAMEE", "environment: NEWSLETTER_PUBLICATION__NAMEE"),
    ],
)
def test_unknown_environment_names_stop_the_start(tmp_path: Path, name: str, word: str) -> None:
    assert word in refusal(tmp_path, RELAY, **{name: "1"})


def test_password_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    relay = load(tmp_path, RELAY + 'password_file = "secret"').bootstrap.relay[0]
    assert relay.secret() == "s3cret"
    assert "s3cret" not in repr(relay)


def test_the_apis_key_may_lie_in_a_file(tmp_path: Path) -> None:
    key = "0123456789abcdef" * 2
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    web = load(tmp_path, RELAY + '[web]\napi_key_file = "key"').bootstrap.web
    assert web.secret() == key
    for text, word in ((b"\xff" * 40, "no text"), (b"short", "32 characters")):
        (tmp_path / "key").write_bytes(text)
        with pytest.raises(ConfigError, match=word):
            web.secret()


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ('api_key = "short"', "32 characters"),
        (f'api_key = "{"x" * 32}"\napi_key_file = "k"', "either"),
    ],
)
def test_a_key_that_is_no_use_stops_the_start(tmp_path: Path, keys: str, word: str) -> None:
    assert word in refusal(tmp_path, f"{RELAY}\n[web]\n{keys}")


def test_missing_password_file_is_named(tmp_path: Path) -> None:
    relay = load(tmp_path, RELAY + 'password_file = "nowhere"').bootstrap.relay[0]
    with pytest.raises(ConfigError, match="nowhere"):
        relay.secret()
