"""How mail goes out, and what comes back."""

from typing import Literal

from pydantic import Field, model_validator

from newsletter.publication.fields import Duration, MailAddress, Model


class Bounces(Model):
    """Where failed mail comes back to."""

    return_path: MailAddress | None = Field(
        None,
        description="bounces@paper.example becomes bounces+TOKEN@paper.example for each reader; "
        "without it the newsletter's own address takes the token; at most 11 characters before @",
    )

    @model_validator(mode="after")
    def _check(self) -> "Bounces":
        if self.return_path and not has_room_for_token(self.return_path):
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
        if self.address and not has_room_for_token(self.address):
            raise ValueError("address may have at most 11 characters before the @")
        return self


def has_room_for_token(address: str) -> bool:
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
