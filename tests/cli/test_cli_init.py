"""`newsletter init --site`: what it finds is written, each counter among it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from newsletter.config import load_config
from newsletter.publication.model import Settings
from tests.cli.conftest import Call
from tests.web_pages import site

__all__ = ["site"]

FRONT = """<html lang="hy"><head><title>Paper</title>
<meta name="application-name" content="the Paper">
<link rel="https://api.w.org/" href="/wp-json/"><link rel="apple-touch-icon" href="/icon.png">
{head}</head><body>{body}</body></html>"""


def serve_front(
    site: Any, *, namespaces: tuple[str, ...] = (), head: str = "", body: str = ""
) -> None:
    site.page("/", FRONT.format(head=head, body=body).encode())
    root = {"name": "Paper", "timezone_string": "Asia/Yerevan", "namespaces": list(namespaces)}
    site.page("/wp-json/", json.dumps(root).encode())
    site.page("/wp-json/wp/v2/posts", b"[]")


def init(call: Call, site: Any, folder: Path) -> str:
    answer = call(folder, "init", "--site", site.url())
    assert answer.status == 0, answer.err
    return (folder / "config.toml").read_text(encoding="utf-8")


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "tried.toml"
    path.write_text(text, encoding="utf-8")
    return Settings.model_validate(load_config(path, {}).settings)


def switched_on(text: str) -> str:
    """The file with the tables that were commented out."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if "[[source]]" in line)
    proposed = [re.sub(r"^# (?=\[\[reads\]\]|\w+ = )", "", line) for line in lines[start:]]
    return "\n".join([*lines[:start], *proposed])


def test_each_counter_is_proposed(call: Call, site: Any, tmp_path: Path) -> None:
    serve_front(
        site,
        namespaces=("wordpress-popular-posts/v1", "koko-analytics/v1"),
        head='<link rel="alternate" type="text/csv" title="reads" href="/reads.csv">'
        '<script src="https://plausible.io/js/script.js"></script>',
        body='<span class="post-views-count">1,142 views</span>',
    )
    text = init(call, site, tmp_path)
    kinds = [(reads.slug, reads.kind) for reads in settings_of(tmp_path, text).reads]
    assert kinds == [("site", "wordpress-popular-posts"), ("csv", "csv")]
    assert "An export of Plausible can be brought" in text
    every = {reads.slug: reads for reads in settings_of(tmp_path, switched_on(text)).reads}
    assert list(every) == ["site", "csv", "koko", "printed", "log", "beacon"]
    assert every["koko"].url == site.url("/wp-json/")
    assert every["koko"].password_file == str(tmp_path / "koko-password")
    assert every["printed"].selector == ".post-views-count"
    assert every["log"].path == "/var/log/nginx/access.log"
    # The site lies on this machine.
    assert every["site"].allow_private
    assert every["koko"].allow_private


def test_without_a_counter_counts_come_by_hand(call: Call, site: Any, tmp_path: Path) -> None:
    serve_front(site, namespaces=("koko-analytics/v1",), body='<i class="post-views">new</i>')
    text = init(call, site, tmp_path)
    (reads,) = settings_of(tmp_path, text).reads
    assert (reads.slug, reads.kind, reads.url) == ("by-hand", "csv", None)
    every = [reads.slug for reads in settings_of(tmp_path, switched_on(text)).reads]
    assert every == ["by-hand", "koko", "log", "beacon"]


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("name", "WordPress REST"),
        ("short_name", "application-name"),
        ("timezone", "WordPress REST"),
        ("language", "the page's lang"),
        ("logo", "apple-touch-icon"),
    ],
)
def test_each_line_says_where_it_is_from(
    key: str, origin: str, call: Call, site: Any, tmp_path: Path
) -> None:
    serve_front(site)
    line = re.findall(rf"^{key} = .*$", init(call, site, tmp_path), re.MULTILINE)[0]
    assert line.endswith(f"  # from {origin}")


def test_an_armenian_site_gets_an_armenian_newsletter(
    call: Call, site: Any, tmp_path: Path
) -> None:
    serve_front(site)
    (newsletter,) = settings_of(tmp_path, init(call, site, tmp_path)).newsletter
    assert newsletter.name == "Paper. շաբաթվա ընտրանի"
    assert [section.title for section in newsletter.sections] == [
        "Ամսվա ամենաընթերցվող հոդվածները",
        "Շաբաթվա վերջին հոդվածները",
    ]
