"""The paper itself, and how it looks."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from newsletter.publication import house
from newsletter.publication.fields import (
    Colour,
    FontName,
    HolidayCode,
    Language,
    Line,
    MailAddress,
    Model,
    Timezone,
    WebAddress,
)


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
