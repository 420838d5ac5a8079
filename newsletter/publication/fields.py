"""What the settings are made of: values with their rules, and the base of their nouns."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

from newsletter.config import shaped
from newsletter.publication.durations import parse_duration
from newsletter.publication.schedule import Period, parse_moment
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


def refuse_twins(kind: str, slugs: list[str]) -> None:
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise ValueError(f'two {kind} entries have the slug "{slug}"')
