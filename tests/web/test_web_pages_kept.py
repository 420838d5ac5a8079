"""Pages that are rendered once for all visitors: for the same settings, and nobody's headers."""

from starlette.responses import HTMLResponse, Response

from newsletter.web.pages import KeptPages
from tests.web.site import SETTINGS, Site


def test_a_page_is_made_once_for_the_same_settings() -> None:
    pages, made = KeptPages(), []

    def make() -> Response:
        made.append(None)
        return HTMLResponse(f"page {len(made)}", headers={"X-Robots-Tag": "noindex"})

    first = pages.page(SETTINGS, "weekly", make)
    first.headers["X-Seen-By"] = "one visitor"
    second = pages.page(SETTINGS, "weekly", make)
    assert (second.body, second.headers["X-Robots-Tag"]) == (b"page 1", "noindex")
    assert "X-Seen-By" not in second.headers
    assert pages.page(SETTINGS, "daily", make).body == b"page 2"
    changed = SETTINGS.model_copy()
    assert pages.page(changed, "weekly", make).body == b"page 3"


def test_the_answer_is_in_the_language_of_each_visitor(site: Site) -> None:
    english = site.sign_up("lilit@reader.example")
    page = site.client.get("/subscribe/weekly?lang=hy")
    assert 'lang="hy"' in page.text
    for _ in range(2):
        armenian = site.client.post("/subscribe/weekly?lang=hy", data={"website": "x"}).text
        assert '<html lang="hy"' in armenian
    again = site.sign_up("aram@reader.example")
    assert again == english
