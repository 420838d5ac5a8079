"""The paper's nouns, as its settings describe them.

These models are the settings: the config file's tables and the versioned rows
in the database are validated by them, and every other room receives them.
Field descriptions become the reference in docs/config.md.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from newsletter.config import shaped
from newsletter.publication.brand import Publication
from newsletter.publication.fields import Model, SiteOrigin, refuse_twins
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sending import Bounces, DeliverySettings, Inbox, has_room_for_token
from newsletter.publication.sources import Reads, Source

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
        refuse_twins("source", sources)
        refuse_twins("reads", [reads.slug for reads in self.reads])
        refuse_twins("newsletter", [newsletter.slug for newsletter in self.newsletter])
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
            if self.bounces.return_path is None and not has_room_for_token(sender):
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
