"""A newsletter: what it holds, when it goes out, and to whom."""

import re
from datetime import timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from newsletter.config import Slug
from newsletter.publication.brand import Publication
from newsletter.publication.cadence import Cadence, Edition
from newsletter.publication.durations import parse_duration
from newsletter.publication.fields import (
    RESERVED_SLUGS,
    Duration,
    Language,
    Line,
    MailAddress,
    Model,
    MomentText,
    MonthlyMoment,
    StaffAddress,
    Timezone,
    refuse_twins,
)
from newsletter.publication.schedule import Moment, Period, parse_moment
from newsletter.publication.sections import Ranking, SectionPlan


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
        refuse_twins("section", [plan.slug for plan in self.sections])
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
        refuse_twins("section", [plan.slug for plan in self.sections])
        refuse_twins("placement", [placement.slug for placement in self.placements])
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
