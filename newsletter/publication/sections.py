"""The sections of an issue, and how their stories are ranked."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from newsletter.config import Slug
from newsletter.publication.durations import parse_duration
from newsletter.publication.fields import LAST_MONTH, Language, Line, Model, SectionWindow

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
