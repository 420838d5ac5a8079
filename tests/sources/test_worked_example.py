"""The adapter in docs/read-counters.md is run as it stands there."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Reads
from newsletter.sources.model import DayReads, ReadKind, StoryKey
from newsletter.sources.poll import Adapter, Poll

DAY = date(2025, 8, 5)
PAGE = Path(__file__).parents[2] / "docs" / "read-counters.md"


@pytest.fixture
def adapter() -> Adapter:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(source, str(PAGE), "exec"), names)
    found: Adapter = names["fetch_simple_analytics"]
    return found


def test_the_worked_example_works(adapter: Adapter, site: Any, fetcher: Fetcher) -> None:
    asked = []

    def answer(request: Any) -> None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(request.path).query).items()}
        asked.append((query["start"], query["end"]))
        pages = [{"value": "/bread/", "pageviews": 142, "visitors": 90}, {"value": None}]
        body = json.dumps({"pages": pages if query["start"] == "2025-08-05" else []}).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.pages["/paper.example.json"] = answer
    # A kind of its own comes with the adapter; the model's check is that of another one.
    reads = Reads(
        slug="simple",
        source="paper",
        kind="csv",
        url=site.url("/paper.example.json"),
        stats_kind="visitors",
        allow_private=True,
    )
    batch = adapter(Poll(fetcher, reads, DAY, since=DAY))
    assert batch.kind is ReadKind.VISITORS
    assert batch.days == (DayReads(StoryKey(url="https://paper.example/bread/"), DAY, 90),)
    assert len(batch.problems) == 1
    assert asked == [("2025-08-04", "2025-08-04"), ("2025-08-05", "2025-08-05")]
    site.page("/paper.example.json", b"{}")
    with pytest.raises(ParseError, match="make its figures public"):
        adapter(Poll(fetcher, reads, DAY, since=DAY))
