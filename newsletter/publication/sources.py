"""Where stories come from, and what counts their reads."""

from typing import Literal

from pydantic import Field, model_validator

from newsletter.config import Slug
from newsletter.publication.fields import ONLY_FILE, Line, Model, WebAddress


class Source(Model):
    """A feed or site whose stories we read."""

    slug: Slug = Field(description="its identity: keep it when the address changes")
    url: WebAddress = Field(
        description="the address of the feed, the WordPress REST root, the sitemap, or Ghost's "
        "Content API with its key: https://paper.example/ghost/api/content/?key=KEY"
    )
    kind: Literal["feed", "wordpress", "ghost", "sitemap"] = Field(
        "feed",
        description="feed: RSS, Atom, RDF or JSON Feed; wordpress: its REST API; ghost: its "
        "Content API; sitemap: its pages, read for their metadata",
    )
    paused: bool = Field(
        False, description="true: it is not asked; what it brought until then stays"
    )
    allow_private: bool = Field(
        False,
        description="let this address lie in a private or loopback network",
        json_schema_extra=ONLY_FILE,
    )


StatsKind = Literal["views", "visitors", "visits"]


class Reads(Model):
    """A counter that tells how often stories were read."""

    slug: Slug = Field(description="its identity")
    source: Slug = Field(description="the source whose stories it counts")
    kind: Literal[
        "csv", "wordpress-popular-posts", "koko-analytics", "page", "access-log", "beacon"
    ] = Field(
        description="csv: a CSV or JSON of url, date, reads; wordpress-popular-posts and "
        "koko-analytics: those plugins; page: the number printed on each story's page; access-log: "
        "the web server's log; beacon: our own snippet on the site"
    )
    url: WebAddress | None = Field(
        None,
        description="csv: the file's address; without it counts are brought by newsletter reads "
        "import FILE. The plugins: the WordPress REST root",
    )
    path: str | None = Field(
        None,
        min_length=1,
        json_schema_extra=ONLY_FILE,
        description="access-log: the file, such as /var/log/nginx/access.log; it is read on from "
        "where it was left, and so are its rotated parts beside it",
    )
    selector: Line = Field(
        "",
        description="page: the CSS selector of the number; newsletter reads learn finds it from "
        "one example",
    )
    stats_kind: StatsKind | None = Field(
        None,
        description="which kind to take where a counter tells several; else views before visitors "
        "before visits. Kinds are never added up",
    )
    username: Line = Field(
        "", description="koko-analytics: the WordPress user of an application password"
    )
    password_file: str | None = Field(
        None,
        min_length=1,
        json_schema_extra=ONLY_FILE,
        description="a file that holds nothing but that password; settings are kept in the "
        "database, so the password itself never stands here",
    )
    primary: bool = Field(
        False,
        description="this counter ranks the stories of its source; the others are for comparison. "
        "Without one so marked it is the first",
    )
    paused: bool = Field(
        False, description="true: it is not asked; what it brought until then stays"
    )
    allow_private: bool = Field(
        False,
        description="let this address lie in a private or loopback network",
        json_schema_extra=ONLY_FILE,
    )

    @model_validator(mode="after")
    def _check(self) -> "Reads":
        needs = {
            "wordpress-popular-posts": ("url", self.url),
            "koko-analytics": ("url", self.url),
            "page": ("selector", self.selector),
        }
        key, value = needs.get(self.kind, ("", "-"))
        if not value:
            raise ValueError(f"a counter of this kind needs the key {key}")
        if self.username and not (self.url or "").startswith("https:") and not self.allow_private:
            raise ValueError("a login needs an https address: else the network sees the password")
        return self
