"""The pages over either database: what is no text is refused, and never called a failure."""

import re
from pathlib import Path

from starlette.routing import Route

from newsletter.publication.editors import Role
from newsletter.storage.database import Database
from newsletter.web.desk.table import desk_table
from tests.contracts.nouns import a_settings
from tests.web.desk.people import somebody
from tests.web.site import serve_site

# Words of paths, queries and forms that reach a look-up in the database.
_QUERY = (
    "who,kind,subject,before,after,filter,version,against,listed,address,story,words,newsletter"
)
_NUL = "x\0y"


def test_no_page_takes_a_nul_for_a_failure_of_the_database(
    database: Database, tmp_path: Path
) -> None:
    asked = dict.fromkeys(_QUERY.split(","), _NUL)
    settings = a_settings()
    with serve_site(tmp_path, database, settings=settings) as site:
        document = settings.model_dump(mode="json", by_alias=True)
        with database.write() as tx:
            tx.settings.append(document, "test", site.clock.now())
        admin = somebody(site, Role.ADMIN)
        csrf = admin.csrf()
        found = {}
        for route in desk_table():
            path = "/desk" + re.sub(r"\{[^}]+\}", "x%00y", route.path)
            answer = (
                admin.client.get(path, params=asked)
                if route.method == "GET"
                else admin.post(path, asked, csrf=csrf)
            )
            found[f"{route.method} {route.path}"] = answer.status_code
        for route in site.client.app.routes:  # type: ignore[attr-defined]
            if isinstance(route, Route) and "GET" in (route.methods or ()):
                path = re.sub(r"\{[^}]+\}", "x%00y", route.path)
                found[f"GET {route.path}"] = site.client.get(path, params=asked).status_code
        assert {name: status for name, status in found.items() if status >= 500} == {}
        assert found["GET /l/{link}"] in (400, 404)
