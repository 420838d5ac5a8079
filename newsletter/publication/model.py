"""The paper's nouns, as its settings describe them.

These models are the settings: the config file's tables and the versioned rows
in the database are validated by them, and every other room receives them.
Field descriptions become the reference in docs/config.md.
"""

import re
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from newsletter.config import Slug, shaped
from newsletter.publication import house
from newsletter.publication.cadence import Cadence, Edition
from newsletter.publication.durations import parse_duration
from newsletter.publication.schedule import Moment, Period, parse_moment
from newsletter.publication.zones import find_zone

# First words of the paths that the service itself serves.
RESERVED_SLUGS = frozenset(
    (
        *("subscribe", "confirm", "preferences", "unsubscribe", "archive", "embed.js", "l"),
        *("media", "healthz", "metrics", "b", "hooks", "desk", "api", "static"),
    )
)


def _known_timezone(name: str) -> str:
    if find_zone(name) is None:
        raise ValueError(f'no time zone is called "{name}"; use a name such as America/New_York')
    return name


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _window(text: str) -> str:
    return text if text == LAST_MONTH else _duration(text)


def _moment(text: str) -> str:
    parse_moment(text)
    return text


def _monthly(text: str) -> str:
    if parse_moment(text).period is not Period.MONTH:
        raise ValueError(f'"{text}" comes more often than once a month; write "day 1 07:00"')
    return text


Timezone = Annotated[str, AfterValidator(_known_timezone)]
Duration = Annotated[str, AfterValidator(_duration)]
# A window of that name is the calendar month before the one that it is looked at in.
LAST_MONTH = "last month"
SectionWindow = Annotated[str, AfterValidator(_window)]
MomentText = Annotated[str, AfterValidator(_moment)]
MonthlyMoment = Annotated[str, AfterValidator(_monthly)]
Colour = Annotated[str, shaped(r"#[0-9a-fA-F]{6}", "a colour such as #8c1d2f")]
# In CSS it is quoted by single marks, inside an attribute of double ones.
FontName = Annotated[
    str, shaped(r"[A-Za-z][A-Za-z0-9 ._-]{0,60}", "a family such as Georgia or Noto Serif")
]
# A line that may stand in a mail header or a page: no control characters.
Line = Annotated[
    str,
    shaped(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*", "one line of up to 300 characters", longest=300),
]
SiteOrigin = Annotated[
    str,
    shaped(
        r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", "a site such as https://paper.example, with no path"
    ),
]
WebAddress = Annotated[str, shaped(r"https?://\S+", "a web address such as https://paper.example")]
MailAddress = Annotated[
    str,
    shaped(r"[^\s@<>,\x00-\x1f]+@[^\s@<>,\x00-\x1f]+", "an address such as desk@paper.example"),
]
StaffAddress = Annotated[
    str,
    shaped(
        r"[^\s@<>,\x00-\x1f]*@[^\s@<>,\x00-\x1f]+",
        "an address, or a whole domain such as @paper.example",
    ),
]
Language = Annotated[str, shaped(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", "a language tag such as en or hy")]


# Marks keys that name files or networks of the server: whoever may change settings at the
# desk need not be whoever may read those.
ONLY_FILE: dict[str, JsonValue] = {"only": "file"}

HolidayCode = Annotated[
    str,
    shaped(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", "a country such as AM, or a part of one such as US-CA"),
]


class Model(BaseModel):
    """A frozen noun that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _refuse_twins(kind: str, slugs: list[str]) -> None:
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise ValueError(f'two {kind} entries have the slug "{slug}"')


class Colours(Model):
    """The brand's colours; the defaults are the service's own newspaper look.

    What could not be read as text is mended in `publication.design`.
    """

    accent: Colour = Field(
        house.LIGHT["accent"],
        description="departments, ranks and buttons. Made darker where it could not be read on "
        "light paper, as far as it must; `newsletter check` and the draft say so",
    )
    accent_dark: Colour | None = Field(
        None,
        description="the same where the reader's screen is dark; else made of accent, lighter",
    )
    second: Colour | None = Field(
        None, description="the paper's name and the double rules; else they are as dark as the text"
    )
    second_dark: Colour | None = Field(
        None,
        description="the same where the reader's screen is dark; else made of second, lighter",
    )


ShareTarget = Literal["email", "whatsapp", "facebook", "telegram", "x"]


class ScriptFonts(Model):
    """Families for the letters of one script, before those of the house."""

    serif: tuple[FontName, ...] = Field((), description="headlines and text, the best first")
    sans: tuple[FontName, ...] = Field((), description="all that is small")


class Fonts(Model):
    """Fonts by script. Mail shows only those that the reader has: name families of systems."""

    latin: ScriptFonts = Field(ScriptFonts(), description="also for Greek and Cyrillic")
    armenian: ScriptFonts = Field(ScriptFonts(), description="they should have Latin letters too")
    arabic: ScriptFonts = Field(ScriptFonts(), description="Arabic, Persian, Urdu")
    hebrew: ScriptFonts = Field(ScriptFonts(), description="Hebrew, Yiddish")


class Publication(Model):
    """The paper."""

    name: Line = Field(min_length=1, description="the paper's full name")
    short_name: Line = Field("", description='what readers call it, as in "Get the Mirror"')
    url: WebAddress = Field(description="the paper's site")
    timezone: Timezone = Field(
        "UTC", description="the zone in which the paper's days and weeks run"
    )
    language: Language = Field(
        "en", description="of pages, and of notices to editors: a BCP 47 tag such as en or hy"
    )
    holidays: tuple[HolidayCode, ...] = Field(
        (),
        description="whose public holidays are marked among the dates to come, by ISO 3166: "
        '["AM", "US-CA"]; nothing else is done about them',
    )
    postal_address: Line = Field(
        "", description="printed in every footer: the law asks for it in bulk mail"
    )
    logo: WebAddress | None = Field(
        None,
        description="a PNG or JPEG, best transparent and dark; a draft fetches it and makes it "
        "small. Without it the name is set in type",
    )
    colours: Colours = Field(default=Colours(), description="brand colours")
    fonts: Fonts = Field(default=Fonts(), description="brand fonts")
    social: tuple[WebAddress, ...] = Field((), description="addresses linked from the footer")
    share: tuple[ShareTarget, ...] = Field(
        ("email", "whatsapp", "facebook", "telegram"),
        description="where readers may pass an issue on to, in this order: email, whatsapp, "
        "facebook, telegram, x. Plain links to its page in the archive; empty: none",
    )
    editors: tuple[MailAddress, ...] = Field(
        (),
        description="who is told when a draft waits, a send is held or a run fails, beside those "
        "who edit at the desk; it lets nobody in there",
    )

    @property
    def nickname(self) -> str:
        """The short name, or the full one where there is none."""
        return self.short_name or self.name

    @property
    def house_names(self) -> frozenset[str]:
        """The writers' names, in small letters, that stand for the paper itself."""
        return frozenset(name.casefold() for name in (self.name, self.nickname))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


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


SectionKind = Literal[
    "most_read", "latest", "rising", "department", "editors_pick", "you_may_have_missed"
]
_WINDOWS: dict[SectionKind, str] = {"most_read": "30 days", "you_may_have_missed": "30 days"}


class SectionPlan(Model):
    """A section of a newsletter, as configured; an issue's Section is made from it."""

    slug: Slug = Field(description="its identity: the cool-down is counted by it")
    kind: SectionKind = Field(
        description="most_read: by reads in the window; latest: newest first since the last "
        "issue; rising: by score; department: the best of one department; editors_pick: what an "
        "editor pins; you_may_have_missed: the best that is no news and was in no issue",
    )
    title: Line = Field(
        min_length=1,
        description="printed above the section; may hold {window} {department} {newsletter} "
        "{publication} {short_name} {period} {date}",
    )
    titles: dict[Language, Line] = Field(
        {},
        description='the title in the newsletter\'s other languages: { hy = "…" }; else it stands '
        "in its own there too",
    )
    count: int = Field(5, ge=1, le=28, description="how many stories at most")
    minimum: int = Field(
        1,
        ge=1,
        le=28,
        description="with fewer stories the caps give way, and if that is not enough the section "
        "is left out",
    )
    window: SectionWindow | None = Field(
        None,
        description='most_read: reads of these last local days (else 30 days), or "last month" '
        "for those of the calendar month before; latest: reach of "
        "the first issue (else 7 days); the others: stories published in these last days (else 7 "
        'days; you_may_have_missed 30 days); "last month" is 31 days to them',
    )
    department: Line = Field(
        "", description="department: the paper's own name of it, in capitals or not"
    )
    group_by_department: bool = Field(
        False,
        description="print its stories under the names of their departments, in the order in "
        "which those come first",
    )
    max_per_department: int = Field(
        0, ge=0, description="at most so many stories of one department; 0 sets no limit"
    )
    max_per_author: int = Field(
        0, ge=0, description="at most so many stories of one writer; 0 sets no limit"
    )
    min_departments: int = Field(
        0, ge=0, le=28, description="stories of at least so many departments, where they have any"
    )
    cool_down: int = Field(
        4,
        ge=0,
        le=52,
        description="a story does not come again in this kind of section within so many issues; "
        "in latest it never does",
    )

    @model_validator(mode="after")
    def _check(self) -> "SectionPlan":
        if (self.kind == "department") != bool(self.department):
            raise ValueError(
                f'section "{self.slug}": the key department belongs to kind = "department", '
                "which needs it"
            )
        if self.group_by_department and self.kind == "most_read":
            raise ValueError(
                f'section "{self.slug}": the most read are a numbered list; take '
                "group_by_department out"
            )
        if self.minimum > self.count:
            raise ValueError(
                f'section "{self.slug}": minimum {self.minimum} is above count {self.count}'
            )
        return self

    @property
    def is_last_month(self) -> bool:
        """Whether it looks at the calendar month before."""
        return self.window == LAST_MONTH

    @property
    def window_length(self) -> timedelta:
        if self.is_last_month:
            return timedelta(days=31)
        return parse_duration(self.window or _WINDOWS.get(self.kind, "7 days"))


class Ranking(Model):
    """How stories are scored, for rising stories, the lead and ties."""

    mix: float = Field(
        0.5, ge=0, le=1, description="1: the best of the week; 0: what is still rising"
    )
    syndicated_weight: float = Field(
        1.0, ge=0, le=1, description="how much the score of a story taken over counts; 1: in full"
    )
    syndicated: Literal["full", "excerpt", "exclude"] = Field(
        "full",
        description="stories that another publication had first. full: like the paper's own; "
        "excerpt: by headline and excerpt alone, without the picture and not as the lead; exclude: "
        "they never come. Mails say who had a story first in any case",
    )
    exclude_departments: tuple[Line, ...] = Field(
        (), description='departments whose stories never come, such as ["Obituaries"]'
    )
    exclude_tags: tuple[Line, ...] = Field((), description="the same for tags")
    exclude_authors: tuple[Line, ...] = Field((), description="the same for writers")


class Sender(Model):
    """Who a newsletter comes from."""

    name: Line = Field(min_length=1, description="shown in the inbox")
    address: MailAddress = Field(description="its domain carries the Message-ID and the List-Id")


class Waves(Model):
    """The parts of a newsletter's audience that are served one after the other.

    Each begins only where the one before stayed within the brake of `[delivery]`.
    """

    staff: tuple[StaffAddress, ...] = Field(
        (), description="readers served first: addresses, or @paper.example for a whole domain"
    )
    canary: float = Field(
        0, ge=0, le=0.5, description="a share of the other readers served next, a fair sample; 0.05"
    )
    wait: Duration = Field(
        "30 minutes", description="how long after staff and canary the others are served"
    )
    local_time: bool = Field(
        False,
        description="each reader is served when the wall clock of their own zone shows the time "
        "of send_at; an unknown zone is the newsletter's",
    )

    @property
    def wait_length(self) -> timedelta:
        return parse_duration(self.wait)

    @property
    def has_preview(self) -> bool:
        """Whether some readers are served before all others."""
        return bool(self.staff) or self.canary > 0


class Placement(Model):
    """A place on the site where readers sign up, with its own words."""

    slug: Slug = Field(description="its id: consents and figures name it")
    text: Line = Field(
        "",
        description="what stands at the field; may hold {newsletter} {publication} {short_name}. "
        "Without it “Get the Courier in your inbox:”, in the footer with the newsletter's name",
    )

    @model_validator(mode="after")
    def _check(self) -> "Placement":
        unknown = set(re.findall(r"\{([^{}]*)\}", self.text)) - PLACEMENT_NAMES
        if unknown:
            raise ValueError(
                f'placement "{self.slug}": its text names {{{min(unknown)}}}; known are '
                + ", ".join(f"{{{name}}}" for name in sorted(PLACEMENT_NAMES))
            )
        return self


PLACEMENT_NAMES = frozenset(("newsletter", "publication", "short_name"))
# A sign-up on our own page, or of a form that names no place that is known.
NO_PLACEMENT = "page"


class MonthlyPlan(Model):
    """The edition of a newsletter for readers who want the best of each month only."""

    offered: bool = Field(
        True,
        description="readers may choose the best of each month instead of each issue. It is "
        "drafted only if somebody did; a newsletter that comes once a month has no such edition",
    )
    draft_at: MonthlyMoment = Field(
        "day 1 12:00", description="when the draft of the month before is made"
    )
    send_at: MonthlyMoment = Field(
        "day 3 07:00", description="when it goes out, in the same month and after draft_at"
    )
    approval: Literal["required", "two", "auto"] | None = Field(
        None, description="as the newsletter's, which it is without it"
    )
    subject: Line = Field(
        "",
        description="the same names as the newsletter's subject; without it “{title}: {headline}”",
    )
    subjects: dict[Language, Line] = Field({}, description="the subject in its other languages")
    title: Line = Field(
        "",
        description="the same names as the newsletter's title; without it “The best of August” in "
        "the newsletter's language",
    )
    titles: dict[Language, Line] = Field({}, description="the title in its other languages")
    sections: tuple[SectionPlan, ...] = Field(
        (),
        alias="section",
        description="its parts, in order; without any the ten most read of the month, and what "
        "else the newsletter has",
    )

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="after")
    def _check(self) -> "MonthlyPlan":
        draft, send = parse_moment(self.draft_at), parse_moment(self.send_at)
        if (draft.day or 0, draft.at) >= (send.day or 0, send.at):
            raise ValueError(
                f'monthly: draft_at "{self.draft_at}" must come before send_at "{self.send_at}" in '
                "the same month, for it tells of the month before"
            )
        _refuse_twins("section", [plan.slug for plan in self.sections])
        return self


class CatchUpPlan(Model):
    """What a reader gets whose pause is over: the best of the issues that they missed."""

    missed: int = Field(
        2,
        ge=0,
        le=52,
        description="after a pause in which at least so many issues were missed, the most read of "
        "them comes as one mail; 0: never",
    )
    count: int = Field(
        10,
        ge=1,
        le=18,
        description="how many of their most read stories at most; half as many of the newest "
        "follow",
    )
    approval: Literal["auto", "required"] = Field(
        "auto",
        description="auto: it holds nothing but stories of issues that went out, and goes by "
        "itself; required: a person approves each",
    )


class Newsletter(Model):
    """What one subscribes to."""

    # In `publication.editions` the other ones are made of it.
    edition: ClassVar[Edition] = Edition.REGULAR

    slug: Slug = Field(description="its identity, and its name in links")
    name: Line = Field(min_length=1, description="printed on the sign-up page and in the footer")
    sender: Sender = Field(alias="from", description="name and address it comes from")
    reply_to: MailAddress | None = Field(None, description="where answers go; else the sender")
    timezone: Timezone | None = Field(None, description="else the publication's")
    language: Language | None = Field(
        None, description="of its mail and its pages; else the publication's"
    )
    languages: tuple[Language, ...] = Field(
        (),
        description="in which languages its mail is rendered, for readers who are known to prefer "
        "one; empty: its own only",
    )
    max_variants: int = Field(
        12,
        ge=1,
        le=40,
        description="into how many variants an issue is rendered at most: one a language, then the "
        "departments that most readers chose; who has none of their own gets the full one",
    )
    departments: tuple[Line, ...] = Field(
        (),
        description="the paper's departments to which readers may narrow it in their preferences, "
        "by the paper's own names; empty: no choice is offered",
    )
    sources: tuple[Slug, ...] = Field(
        (), description="which sources it takes stories from; empty: all"
    )
    draft_at: MomentText = Field("Thu 12:00", description="when the draft is made")
    send_at: MomentText = Field(
        "Fri 07:00", description='when it goes out: "Fri 07:00", "daily 07:00" or "day 1 07:00"'
    )
    approval: Literal["required", "two", "auto"] = Field(
        "required",
        description="two: a second person has to approve it too; auto: the draft is sent without a "
        "person's approval",
    )
    unapproved: Literal["hold", "send", "safe"] = Field(
        "hold",
        description="a draft that nobody approved by its time. hold: it waits until max_lateness, "
        "and is held then; send: it goes out as it is; safe: it goes out chosen anew by the reads "
        "up to yesterday, without what editors wrote",
    )
    reminders: tuple[Duration, ...] = Field(
        ("3 hours", "1 hour"),
        max_length=5,
        description="so long before its time those are told who may approve a draft that nobody "
        "did; from the second on the other editors too",
    )
    test_addresses: tuple[MailAddress, ...] = Field(
        (), max_length=20, description="who gets the tests of an issue, beside the editor who asks"
    )
    changed_headline: Literal["take", "flag"] = Field(
        "take",
        description="where the site changed a headline after the draft was made: take it, or keep "
        "the old one and tell the editors",
    )
    max_lateness: Duration = Field(
        "12 hours", description="a send later than this is held, and the editors are told"
    )
    segment: str = Field(
        "",
        description="a filter that its issues' audience is narrowed to, such as 'attribute.city = "
        "Yerevan' (docs/segments.md); empty: all who are active",
    )
    subject: Line = Field(
        "{headline}",
        description="may hold {headline} {title} {newsletter} {publication} {short_name} {period} "
        "{date}",
    )
    subjects: dict[Language, Line] = Field(
        {}, description='the subject in its other languages: { hy = "…" }; else it is the same'
    )
    title: Line = Field(
        "",
        description="set above the stories; the same names without {title}. Without it “Top "
        "Stories · {period}” in the newsletter's language",
    )
    titles: dict[Language, Line] = Field(
        {},
        description='the title in its other languages: { hy = "…" }; else it stands in its own '
        "there too",
    )
    signature: Line = Field(
        "", description="who signs the note above the stories; else “Your editors”"
    )
    consent: Line = Field(
        "",
        description="what a reader agrees to, printed at the sign-up form",
    )
    placements: tuple[Placement, ...] = Field(
        (Placement(slug="article", text=""), Placement(slug="footer", text="")),
        alias="placement",
        description="where on the site readers sign up, and by what words",
    )
    welcome_issue: bool = Field(
        False, description="true: who has confirmed is sent the latest issue at once"
    )
    archive_noindex: bool = Field(
        False, description="true: search engines are asked to leave the past issues out"
    )
    ranking: Ranking = Field(default=Ranking(), description="how stories are scored")
    waves: Waves = Field(default=Waves(), description="who is served when; without it all at once")
    monthly: MonthlyPlan = Field(
        default=MonthlyPlan(), description="the edition for who wants the best of each month only"
    )
    catch_up: CatchUpPlan = Field(default=CatchUpPlan(), description="what comes after a pause")
    sections: tuple[SectionPlan, ...] = Field(
        alias="section", min_length=1, description="the parts of an issue, in order"
    )

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="after")
    def _check(self) -> "Newsletter":
        if self.slug in RESERVED_SLUGS:
            raise ValueError(f'the slug "{self.slug}" is one of the service\'s own paths')
        _refuse_twins("section", [plan.slug for plan in self.sections])
        _refuse_twins("placement", [placement.slug for placement in self.placements])
        if parse_moment(self.draft_at).period != parse_moment(self.send_at).period:
            raise ValueError("draft_at and send_at must have the same rhythm, such as two weekdays")
        if len(self.languages) > self.max_variants:
            raise ValueError(
                f'newsletter "{self.slug}" has {len(self.languages)} languages, but max_variants = '
                f"{self.max_variants}: each language is a variant"
            )
        return self

    @property
    def send_moment(self) -> Moment:
        return parse_moment(self.send_at)

    @property
    def draft_moment(self) -> Moment:
        return parse_moment(self.draft_at)

    @property
    def reminder_times(self) -> tuple[timedelta, ...]:
        """How long before its time a draft is called to mind, the longest first."""
        return tuple(sorted(map(parse_duration, self.reminders), reverse=True))

    @property
    def offers_monthly(self) -> bool:
        """Whether readers may choose the best of each month instead of each issue."""
        return self.monthly.offered and not self.is_monthly

    @property
    def comes_to_all(self) -> bool:
        """Whether it goes to all readers, whatever cadence they chose."""
        return self.edition is Edition.REGULAR and self.is_monthly

    def serves(self, cadence: Cadence) -> bool:
        """Whether readers of that cadence get anything."""
        return cadence is Cadence.EACH or self.is_monthly or self.monthly.offered

    @property
    def is_monthly(self) -> bool:
        """Whether its issues come once a month anyway."""
        return parse_moment(self.send_at).period is Period.MONTH

    @property
    def lateness(self) -> timedelta:
        return parse_duration(self.max_lateness)

    def zone_in(self, publication: Publication) -> ZoneInfo:
        return ZoneInfo(self.timezone or publication.timezone)

    def language_in(self, publication: Publication) -> str:
        return self.language or publication.language

    def languages_in(self, publication: Publication) -> tuple[str, ...]:
        """The languages of its mail, its own first."""
        return tuple(dict.fromkeys((self.language_in(publication), *self.languages)))

    def speaking(self, language: str) -> "Newsletter":
        """The same newsletter, in ``language`` as far as it has words of that."""
        return self.model_copy(
            update={
                "language": language,
                "subject": self.subjects.get(language, self.subject),
                "title": self.titles.get(language, self.title),
            }
        )

    def placement_called(self, slug: str) -> Placement | None:
        """The placement of that slug, if there is one."""
        return next((p for p in self.placements if p.slug == slug), None)


class Bounces(Model):
    """Where failed mail comes back to."""

    return_path: MailAddress | None = Field(
        None,
        description="bounces@paper.example becomes bounces+TOKEN@paper.example for each reader; "
        "without it the newsletter's own address takes the token; at most 11 characters before @",
    )

    @model_validator(mode="after")
    def _check(self) -> "Bounces":
        if self.return_path and not _has_room_for_token(self.return_path):
            raise ValueError("return_path may have at most 11 characters before the @")
        return self


class Inbox(Model):
    """Where readers' programs write to leave a newsletter."""

    address: MailAddress | None = Field(
        None,
        description="leave@paper.example becomes leave+TOKEN@paper.example for each reader and the "
        "second List-Unsubscribe; its mail must reach `newsletter inbox take`; at most 11 "
        "characters before @",
    )

    @model_validator(mode="after")
    def _check(self) -> "Inbox":
        if self.address and not _has_room_for_token(self.address):
            raise ValueError("address may have at most 11 characters before the @")
        return self


def _has_room_for_token(address: str) -> bool:
    """RFC 5321, 4.5.3.1.1: 64 octets of local part, of which a reader's token takes 53."""
    return len(address.partition("@")[0]) <= 11


class DeliverySettings(Model):
    """How hard to try, and how fast."""

    give_up_after: Duration = Field(
        "3 days", description="a reader whose server keeps putting us off is refused after this"
    )
    brake_share: float = Field(
        0.05,
        gt=0,
        le=1,
        description="more hard refusals than this share of a wave's first readers (and at least 5) "
        "pause the issue; 1: never",
    )
    brake_after: int = Field(
        500, ge=10, le=10_000, description="how many first readers of a wave the brake looks at"
    )
    on_uncertain: Literal["resend", "hold"] = Field(
        "resend",
        description="a message that may have been taken is sent once more, with the same bytes, "
        "or held for a person to look at",
    )
    resend_after: Duration = Field(
        "5 minutes", description="how long news of such a message is waited for before that"
    )
    domain_connections: int = Field(
        0,
        ge=0,
        description="how many messages to one destination at the same time, of all workers (each "
        "has one at least); 0: no limit",
    )
    domain_rate: float = Field(
        0,
        ge=0,
        description="how many messages a second to one destination, of all workers; 0: no limit",
    )
    group_by_mx: bool = Field(
        True,
        description="domains behind one mail host are one destination; asks DNS for it, unless "
        "all relays are on this machine",
    )


# off: links in mails are the stories' own addresses. anonymous: one address of ours
# for all readers, counted. count: the same with a part of the reader's own.
Clicks = Literal["off", "anonymous", "count"]


class Tracking(Model):
    """What is known of the readers' clicks, and how visits that our mails caused are told apart."""

    clicks: Clicks = Field(
        "anonymous",
        description="anonymous: story links in mails lead through base_url/l/…, the same for all "
        "readers, are counted for each story and place, and can be corrected after the issue was "
        "sent; count: also by reader; off: links are the stories' own addresses, nothing is "
        "counted, and what was sent can't be corrected",
    )
    utm_source: Annotated[
        str, shaped(r"[A-Za-z0-9._-]*", "of letters, digits, dots, hyphens and underscores only")
    ] = Field(
        "newsletter",
        description="story links in mails carry utm_source=THIS&utm_medium=email&utm_campaign="
        "NEWSLETTER-SLOT; empty: no tag, and a log or beacon can't tell our own visits apart",
    )
    subtract_own: bool = Field(
        False,
        description="leave what our own mails cause out of the reads that rank: visits that carry "
        "that tag, where the counter sees it (access-log, beacon, files that list full addresses); "
        "else, the clicks of people on the story's links, for which clicks must not be off",
    )


class Pictures(Model):
    """Where a mail's pictures come from."""

    served_by: Literal["newsletter", "site"] = Field(
        "newsletter",
        description="newsletter: fetched when an issue is drafted, cropped and made small, served "
        "at /media; site: the mail links the site's own files as they are, whatever their size",
    )


class Checks(Model):
    """What is looked at outside of the service before an issue goes out."""

    link_seconds: float = Field(
        60,
        ge=0,
        le=300,
        description="how long the addresses that a mail links to are asked whether they are alive, "
        "before it is sent and by newsletter issue check; a dead one stops the issue. 0: never",
    )
    spam: bool = Field(
        True,
        description="let SpamAssassin's local rules judge an issue, where its command spamassassin "
        "is installed: above 2 points warn, above 5 stop",
    )


class SignUpSettings(Model):
    """What the door for new readers asks of them, and what shields it from floods."""

    check_domains: bool = Field(
        True,
        description="ask DNS whether an address's domain takes mail at all, and tell at the field "
        "where it does not; without an answer in time the address is taken",
    )
    role_accounts: Literal["allow", "refuse"] = Field(
        "allow",
        description="addresses of a function rather than a person, such as info@ or webmaster@",
    )
    sites: tuple[SiteOrigin, ...] = Field(
        (),
        description="whose pages may show the sign-up in a frame, such as https://paper.example; "
        "empty: the publication's url",
    )
    network_hourly: int = Field(
        60, ge=0, description="sign-ups an hour from one network (/24, /64); 0: no limit"
    )
    domain_hourly: int = Field(
        1000, ge=0, description="sign-ups an hour for addresses of one domain; 0: no limit"
    )
    hourly: int = Field(5000, ge=0, description="sign-ups an hour in all; 0: no limit")
    attack_after: int = Field(
        200,
        ge=0,
        description="more sign-ups than this within ten minutes are taken for an attack: programs "
        "must solve harder puzzles, confirmations wait behind other mail and go out slowly, and "
        "editors are told. It ends by itself; 0: never",
    )
    slow_lane: int = Field(
        30,
        ge=1,
        le=6000,
        description="confirmations a minute for who brings no proof of work, and in an attack for "
        "who does; a tenth of it in an attack for who does not",
    )


class Settings(Model):
    """All that the desk may change: the file's tables below, or their versioned rows."""

    publication: Publication
    source: tuple[Source, ...] = ()
    reads: tuple[Reads, ...] = ()
    newsletter: tuple[Newsletter, ...] = ()
    delivery: DeliverySettings = DeliverySettings()
    bounces: Bounces = Bounces()
    inbox: Inbox = Inbox()
    tracking: Tracking = Tracking()
    pictures: Pictures = Pictures()
    checks: Checks = Checks()
    sign_up: SignUpSettings = SignUpSettings()

    @model_validator(mode="after")
    def _check(self) -> "Settings":
        sources = [source.slug for source in self.source]
        _refuse_twins("source", sources)
        _refuse_twins("reads", [reads.slug for reads in self.reads])
        _refuse_twins("newsletter", [newsletter.slug for newsletter in self.newsletter])
        for reads in self.reads:
            if reads.source not in sources:
                raise ValueError(
                    f'reads "{reads.slug}" counts for an unknown source "{reads.source}"'
                )
        for slug in sources:
            marked = [reads.slug for reads in self.reads if reads.source == slug and reads.primary]
            if len(marked) > 1:
                raise ValueError(
                    f'source "{slug}" has two primary counters, "{marked[0]}" and "{marked[1]}": '
                    "mark one"
                )
        for newsletter in self.newsletter:
            sender = newsletter.sender.address
            if self.bounces.return_path is None and not _has_room_for_token(sender):
                raise ValueError(
                    f'newsletter "{newsletter.slug}": "{sender}" has over 11 characters before '
                    "the @, which leaves no room for the reader's token: set [bounces] return_path"
                )
            for slug in newsletter.sources:
                if slug not in sources:
                    raise ValueError(
                        f'newsletter "{newsletter.slug}" names an unknown source "{slug}"'
                    )
        return self

    def newsletter_called(self, slug: str) -> Newsletter | None:
        """The newsletter of that slug, if there is one."""
        return next((n for n in self.newsletter if n.slug == slug), None)

    def primary_counters(self, sources: tuple[str, ...]) -> dict[str, str]:
        """By source the counter that ranks its stories: one a source, the first or marked.

        In the order of ``sources``, of which the first says what kind ranks.
        """
        chosen: dict[str, str] = {}
        for reads in sorted(self.reads, key=lambda reads: not reads.primary):
            if reads.source in sources:
                chosen.setdefault(reads.source, reads.slug)
        return {source: chosen[source] for source in sources if source in chosen}
