"""A site written by a real Hugo: its pages, feed, robots.txt and sitemap."""

import subprocess
from pathlib import Path

from tests.real.programs import find_program

CONFIG = """\
baseURL = "{url}/"
title = "The Orchard Post"
languageCode = "en-us"
enableRobotsTXT = true
[params]
  description = "News of the orchards"
  images = ["shared.jpg"]
[taxonomies]
  category = "categories"
  tag = "tags"
"""
# The OpenGraph and the feed are Hugo's own; a theme brings no more than these lines.
PAGE = """\
<!doctype html><html lang="{{ .Site.LanguageCode }}"><head><title>{{ .Title }}</title>
<link rel="canonical" href="{{ .Permalink }}">
{{ if .IsHome }}{{ range .AlternativeOutputFormats -}}
<link rel="{{ .Rel }}" type="{{ .MediaType.Type }}" href="{{ .Permalink }}">
{{ end }}{{ end }}
{{ template "_internal/opengraph.html" . }}
</head><body>{{ .Content }}</body></html>
"""
ROBOTS = "User-agent: *\nDisallow: /drafts/\nSitemap: {{ .Site.BaseURL }}sitemap.xml\n"
STORIES = {
    "bread": ("Bread & salt: “the old recipe”", "2025-08-04T10:00:00+04:00", "Town"),
    "bridge": ("Մեղրիի կամուրջը բացվեց", "2025-08-03T09:30:00+04:00", "Region"),
    "school": ("A school of forty", "2025-08-01T08:00:00+04:00", "Town"),
}


def write_site(folder: Path, url: str) -> dict[str, bytes]:
    """Let Hugo write the site as of ``url``; its files by path."""
    for name, text in (
        ("config.toml", CONFIG.format(url=url)),
        ("layouts/_default/single.html", PAGE),
        ("layouts/_default/list.html", PAGE),
        ("layouts/robots.txt", ROBOTS),
    ):
        put(folder / name, text)
    for slug, (title, date, category) in STORIES.items():
        head = f"title: '{title}'\ndate: {date}\nlastmod: {date}\ncategories: [{category}]\n"
        picture = f'\n\n![An oven](/{slug}.jpg "The oven")\n'
        body = f"The first sentence of {slug}. The second one.{picture}"
        put(folder / f"content/stories/{slug}.md", f"---\n{head}tags: [autumn]\n---\n{body}")
    hugo = find_program("hugo", "hugo")
    subprocess.run(
        [hugo, "--quiet", "--source", str(folder), "--destination", str(folder / "public")],
        check=True,
        timeout=60,
    )
    public = folder / "public"
    files = {f"/{p.relative_to(public)}": p.read_bytes() for p in public.rglob("*") if p.is_file()}
    # A web server shows a folder by its index.
    return files | {
        name.removesuffix("index.html"): body
        for name, body in files.items()
        if name.endswith("/index.html")
    }


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
