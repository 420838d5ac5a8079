"""The sign-up in a frame, the scripts, and where a form says that it stood."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.model import Settings
from newsletter.web.asking import clean_page
from tests.web.site import BASE_URL, SETTINGS, Site, make_blank, open_site, stamp_in

LILIT = "lilit@reader.example"
FRAME = "/subscribe/weekly/frame"


def test_the_papers_own_site_may_frame_the_form_and_nothing_else(site: Site) -> None:
    for path in (FRAME, f"{FRAME}?placement=footer&lang=hy"):
        answer = site.client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.endswith(f"frame-ancestors https://paper.example {BASE_URL}")
        assert "x-frame-options" not in answer.headers
    page = site.client.get("/subscribe/weekly")
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert page.headers["x-frame-options"] == "DENY"


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Site]:
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["sign_up"] = {"sites": ["https://a.example", "https://b.example:8443"]}
    settings = Settings.model_validate(document)
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as opened:
        yield opened


def test_the_settings_name_other_sites(busy: Site) -> None:
    policy = busy.client.get(FRAME).headers["content-security-policy"]
    assert policy.endswith(f"frame-ancestors https://a.example https://b.example:8443 {BASE_URL}")


def test_a_reader_signs_up_in_the_frame_without_script(site: Site) -> None:
    shown = site.client.get(
        f"{FRAME}?placement=footer", headers={"referer": "https://paper.example/bread/?a=b"}
    )
    assert "Get the Courier Weekly in your inbox:" in shown.text
    assert "<header" not in shown.text
    site.clock.sleep(5)
    fields = {
        "address": LILIT,
        "stamp": stamp_in(shown.text),
        "placement": "footer",
        "page": "https://paper.example/bread/",
    }
    assert fields["page"] in shown.text
    answer = site.client.post(FRAME, data=fields)
    assert "Now check your inbox" in answer.text
    assert "frame-ancestors https://paper.example" in answer.headers["content-security-policy"]
    subscription = site.subscription(LILIT)
    assert subscription is not None
    consent = subscription.consent
    assert (consent.how, consent.placement, consent.page) == ("frame", "footer", fields["page"])


def test_a_form_of_the_site_is_asked_once_more_and_remembered(site: Site) -> None:
    first = site.client.post(
        "/subscribe/weekly",
        data={"address": LILIT, "placement": "article"},
        headers={"origin": "https://paper.example", "referer": "https://paper.example/"},
    )
    assert "press the button once more" in first.text
    assert 'name="placement" value="article"' in first.text
    assert 'name="page" value="https://paper.example/"' in first.text
    assert site.state(LILIT) == "unknown"


def test_a_placement_that_is_not_configured_is_none(site: Site) -> None:
    site.sign_up(LILIT, placement='"><b>', page="javascript:alert(1)")
    subscription = site.subscription(LILIT)
    assert subscription is not None
    assert (subscription.consent.placement, subscription.consent.page) == ("page", "")


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://paper.example/bread/?utm=1#top", "https://paper.example/bread/"),
        ("https://anna:secret@Paper.Example:8443/", "https://paper.example:8443/"),
        ("https://paper.example", "https://paper.example"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("null", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://[", ""),
        ("https://paper.example:99999/", ""),
        ("https://paper.example/\r\nX: y", ""),
    ],
)
def test_of_a_page_the_address_alone_is_kept(address: str, page: str) -> None:
    assert clean_page(address) == page


@given(st.text(max_size=60).map("https://paper.example/".__add__) | st.text(max_size=80))
def test_whatever_is_said_to_be_the_page_is_one_or_nothing(address: str) -> None:
    page = clean_page(address)
    assert page == "" or page.startswith(("http://", "https://"))
    assert not set(page) & set("?#@ \r\n") or page.isprintable()
    assert clean_page(page) == page
    assert len(page) <= 500


def test_the_elements_script_is_small_and_for_every_site(site: Site) -> None:
    answer = site.client.get("/embed.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age" in answer.headers["cache-control"]
    assert len(gzip.compress(answer.content)) < 4096


def test_the_suggestion_counts_for_the_address_it_was_made_for(site: Site) -> None:
    typed = "lilit@gmial.com"
    page = site.sign_up(typed)
    assert "Did you mean lilit@gmail.com?" in page
    assert f'name="sure" value="{typed}"' in page
    site.clock.sleep(5)
    # Sent again with another address, the button's word no longer holds.
    fields = {"sure": typed, "use": "lilit@gmail.com"}
    assert "Now check your inbox" in site.sign_up("anna@reader.example", **fields)
    assert site.state("anna@reader.example") == "pending"
    assert site.state("lilit@gmail.com") == "unknown"
    site.sign_up(typed, **fields)
    assert (site.state("lilit@gmail.com"), site.state(typed)) == ("pending", "unknown")
    site.sign_up(typed, sure=typed)
    assert site.state(typed) == "pending"
