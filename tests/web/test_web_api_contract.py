"""Whatever is sent to the API, its document says how it is answered: schemathesis tries it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from tests.web.serving import serve
from tests.web.site import SETTINGS, Site, make_blank, open_site

_QUICK = settings(
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
_LONG = settings(_QUICK, max_examples=1500, derandomize=False)
_KEY = "0123456789abcdef0123456789abcdef"
_CHECKS = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A site that lets everybody in, so that what is tried gets as far as it can."""
    folder: Path = tmp_path_factory.mktemp("api")
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["sign_up"] = dict.fromkeys(
        ("network_hourly", "domain_hourly", "hourly", "attack_after"), 0
    )
    paper = Settings.model_validate(document)
    with (
        open_site(folder, make_blank(folder / "blank.sqlite", paper), settings=paper) as site,
        serve(create_app(replace(site.context, base_url="http://127.0.0.1", api_key=_KEY))) as root,
    ):
        yield site, root


def _try_case(house: tuple[Site, str], case: schemathesis.Case) -> None:
    site, root = house
    body = case.body
    if isinstance(body, dict) and "newsletter" in body and case.method == "POST":
        # Half of them at a newsletter that there is, with an address that may be one.
        site.clock.sleep(7)
        if len(str(body)) % 2:
            case.body = body | {"newsletter": "weekly"}
    if case.path_parameters and len(str(case.path_parameters)) % 2:
        case.path_parameters["newsletter"] = "weekly"
    if case.path.startswith("/readers"):
        _go_further(case)
    answer = case.call(base_url=f"{root}/api/v1")
    case.validate_response(answer, checks=_CHECKS)
    if answer.status_code >= 400:
        assert answer.json()["error"]["sentence"]


def _go_further(case: schemathesis.Case) -> None:
    """Show the key, and name readers that there may be, in three cases of four."""
    size = len(str(case.query))
    if size % 4:
        case.headers["Authorization"] = f"Bearer {_KEY}"
    if size % 2 and "filter" in case.query:
        case.query["filter"] = "state = active"


# What the document allows, and what it forbids.
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


def _try(house: tuple[Site, str], mode: schemathesis.GenerationMode, how: settings) -> None:
    document = schemathesis.openapi.from_url(f"{house[1]}/api/v1/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) == 5
    for operation in operations:

        @how
        @given(operation.as_strategy(generation_mode=mode))
        def try_one(case: schemathesis.Case) -> None:
            _try_case(house, case)

        try_one()


@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_as_described(
    open_house: tuple[Site, str], mode: schemathesis.GenerationMode
) -> None:
    _try(open_house, mode, _QUICK)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_as_described_at_length(
    open_house: tuple[Site, str], mode: schemathesis.GenerationMode
) -> None:
    _try(open_house, mode, _LONG)
