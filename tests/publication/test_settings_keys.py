"""What the models tell of the settings' keys, for the desk's forms."""

import pytest
from pydantic import BaseModel

from docs.write_reference import rows_of
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import UNSET, dotted
from newsletter.publication.settings_keys import (
    Key,
    KeyKind,
    arrays_of,
    keys_of,
    only_in_file,
    value_at,
)
from newsletter.publication.sources import Reads


def every_key(model: type[BaseModel], prefix: str = "") -> dict[str, Key]:
    keys = {f"{prefix}{dotted(key.path)}": key for key in keys_of(model)}
    for path, entry in arrays_of(model).items():
        keys |= every_key(entry, f"{prefix}{dotted(path)}.")
    return keys


def test_every_key_of_the_reference_is_told() -> None:
    keys = every_key(Settings)
    assert {*keys} == {key for key, _, _ in rows_of(Settings)}
    assert [name for name, key in keys.items() if not key.description] == []


def test_what_a_key_may_hold() -> None:
    keys = every_key(Settings)
    count, name = keys["newsletter.section.count"], keys["publication.name"]
    assert (count.kind, count.low, count.high, count.whole) == (KeyKind.NUMBER, 1, 28, True)
    assert (name.kind, name.required, name.default) == (KeyKind.LINE, True, UNSET)
    share = keys["delivery.brake_share"]
    assert (share.low, share.above, share.high, share.whole) == (0, True, 1, False)
    stats = keys["reads.stats_kind"]
    assert (stats.kind, stats.optional) == (KeyKind.CHOICE, True)
    assert stats.choices == ("views", "visitors", "visits")
    assert keys["publication.colours.second"].kind is KeyKind.COLOUR
    assert keys["newsletter.timezone"].kind is KeyKind.ZONE
    assert keys["newsletter.titles"].kind is KeyKind.PAIRS
    assert keys["newsletter.sources"].kind is KeyKind.LIST
    assert keys["tracking.subtract_own"].kind is KeyKind.SWITCH


@pytest.mark.parametrize(
    ("path", "only"),
    [
        ("reads.log.path", True),
        ("reads.log.password_file", True),
        ("source.site.allow_private", True),
        ("source.site.url", False),
        ("publication.name", False),
        ("newsletter.weekly.section.latest.count", False),
        ("nothing.of.the.kind", False),
    ],
)
def test_what_names_the_servers_own_is_for_the_file(path: str, only: bool) -> None:
    assert only_in_file(tuple(path.split("."))) is only


def test_values_by_path() -> None:
    weekly = Newsletter.model_validate(
        {
            "slug": "weekly",
            "name": "Weekly",
            "from": {"name": "P", "address": "p@paper.example"},
            "section": [{"slug": "latest", "kind": "latest", "title": "Latest"}],
        }
    )
    assert value_at(weekly, ("from", "name")) == "P"
    assert value_at(weekly, ("section", "latest", "count")) == 5
    for path in (("section", "other"), ("nothing",), ("from", "nothing")):
        with pytest.raises(KeyError):
            value_at(weekly, path)
    assert set(arrays_of(Newsletter)) >= {("section",), ("placement",)}
    assert arrays_of(Reads) == {}


def test_what_opens_doors_is_hidden() -> None:
    shown = hide_secrets(
        {
            "url": "https://p.example/ghost/api/content/?key=0123abc&page=2#x",
            "list": ["postgresql://anna:word@db/x", "https://p.example/?a=1&API_KEY=z"],
            "count": 3,
        }
    )
    assert shown == {
        "url": "https://p.example/ghost/api/content/?key=…&page=2#x",
        "list": ["postgresql://…@db/x", "https://p.example/?a=1&API_KEY=…"],
        "count": 3,
    }
