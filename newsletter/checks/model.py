"""What a check has to say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, NamedTuple


class Level(StrEnum):
    """Whether a finding holds the issue back; INFO asks for nothing."""

    STOP = "stop"
    WARN = "warn"
    INFO = "info"


# Stable words for machines; `MEANINGS` says what each is about.
Key = Literal[
    "alt",
    "brake",
    "contrast",
    "dead_link",
    "dkim",
    "dmarc",
    "dns",
    "doctype",
    "doubtful_link",
    "draft_at",
    "elements",
    "headings",
    "held",
    "host",
    "https",
    "language",
    "lead",
    "links",
    "links_not_asked",
    "list_unsubscribe",
    "marks",
    "message",
    "mx",
    "note",
    "pictures",
    "postal_address",
    "preheader",
    "ptr",
    "relay",
    "rendering",
    "repeats",
    "size",
    "spam",
    "spf",
    "stories",
    "style",
    "subject",
    "text",
    "twice",
    "unsubscribe",
]


class Meaning(NamedTuple):
    """What findings of a key are about, and what mends most of them; ``levels`` they come in."""

    levels: str
    about: str
    mend: str


MEANINGS: Mapping[Key, Meaning] = {
    "alt": Meaning(
        "warn",
        "a picture has no description, or its link says nothing where pictures are off",
        "describe the picture at the site",
    ),
    "brake": Meaning(
        "stop",
        "so many first readers can't be mailed that the brake would pause the issue (rehearse)",
        "suppress or forget those named, or set brake_share higher",
    ),
    "contrast": Meaning(
        "warn",
        "text has less than 4.5:1 on what is behind it: on light, on dark, or as Gmail inverts it",
        "choose other colours: [publication.colours], or those of your own template",
    ),
    "dead_link": Meaning(
        "stop",
        "an address that the mail links to is gone (404 or 410), or its host has no name in DNS",
        "correct the address, or take the story out",
    ),
    "dkim": Meaning(
        "stop, warn",
        "DNS does not show the key that we sign with, or mail is not signed",
        "publish the TXT record that is named",
    ),
    "dmarc": Meaning(
        "warn, info",
        "there is no DMARC policy, or our mail can't pass it",
        "publish or correct the TXT record that is named",
    ),
    "dns": Meaning("info", "DNS did not answer, so that a record is not known", "try again"),
    "doctype": Meaning(
        "stop",
        "the mail does not begin with `<!DOCTYPE html>`",
        "begin your own layout with it, in these letters",
    ),
    "doubtful_link": Meaning(
        "warn",
        "an address that the mail links to answers with an error, too late, or not at all",
        "open it yourself; correct it if it fails for you too",
    ),
    "draft_at": Meaning(
        "warn", "drafts come after the time of the first readers", "draft earlier: draft_at"
    ),
    "elements": Meaning(
        "stop",
        "the mail holds elements or attributes that mail programs refuse",
        "take them out of your own template",
    ),
    "headings": Meaning(
        "warn",
        "headings jump a level, are empty, or there is not one of the first level",
        "put the headings of your own template in order",
    ),
    "held": Meaning("stop", "all sending is held (rehearse)", "see newsletter adopt"),
    "host": Meaning(
        "warn",
        "links or pictures lie on hosts that have nothing to do with the sender's domain",
        "serve them below the sender's domain: [web] base_url, [pictures] served_by",
    ),
    "https": Meaning("warn", "addresses are not protected", "use https"),
    "language": Meaning(
        "warn",
        "the mail, or a story in another language, does not say what language it is in",
        "put lang and dir where your own template leaves them out",
    ),
    "lead": Meaning("warn", "no section holds latest stories, so nothing leads", "add one"),
    "links": Meaning(
        "stop", "a link leads nowhere from a mail", "write it as an https or mailto address"
    ),
    "links_not_asked": Meaning(
        "info",
        "addresses were not asked whether they are alive",
        "call newsletter issue check again",
    ),
    "list_unsubscribe": Meaning(
        "stop, warn",
        "the header fields by which mail programs let readers leave in one click are not whole, "
        "or not signed",
        "set [web] base_url to an https address without odd characters",
    ),
    "marks": Meaning(
        "stop, warn",
        "a place for a reader's value was left unfilled",
        "look for it in the texts, the links and your own template",
    ),
    "message": Meaning(
        "stop", "no message can be written", "mend what is named: an address, a subject, a key"
    ),
    "mx": Meaning(
        "stop, warn",
        "the sender's domain does not exist, or bounces can't come back to it",
        "publish the record that is named, or change from and return_path",
    ),
    "note": Meaning("warn", "the editors' note is empty", "write one"),
    "pictures": Meaning(
        "stop, warn",
        "a picture is not on the web, or its file is not on this host",
        "give it an https address, or bring the folder of pictures",
    ),
    "postal_address": Meaning(
        "warn", "the footer has no postal address, or one part lacks it", "set postal_address"
    ),
    "preheader": Meaning(
        "warn",
        "the preheader is empty, too short, too long, or repeats the subject",
        "write 40 to 110 characters that say more than the subject",
    ),
    "ptr": Meaning(
        "info",
        "an address of the relay has no name that leads back to it",
        "ask its operator for a PTR record",
    ),
    "relay": Meaning("stop, warn", "a relay does not let us in (rehearse)", "mend its table"),
    "rendering": Meaning(
        "stop",
        "templates of your own can't be printed, so nothing else can be looked at",
        "call newsletter templates check",
    ),
    "repeats": Meaning(
        "stop",
        "latest stories went out in another issue since the draft was made",
        "cancel it and draft it again",
    ),
    "size": Meaning(
        "stop, warn",
        "Gmail would cut the mail off, or a relay refuse it",
        "take out some stories",
    ),
    "spam": Meaning(
        "stop, warn, info",
        "SpamAssassin's local rules give the message more than 2 points (5 stop it), or it failed",
        "look at the rules named: words in capitals, many exclamation marks, prices, odd links",
    ),
    "spf": Meaning(
        "warn, info",
        "SPF of the return path's domain is missing or can't be used",
        "publish or correct the TXT record that is named",
    ),
    "stories": Meaning("stop", "there is no story", "draft it again, or pin stories"),
    "style": Meaning(
        "warn",
        "style is more than Gmail reads (16 KB), or holds what mail programs do not know",
        "keep to the rules that newsletter templates check names",
    ),
    "subject": Meaning(
        "stop, warn", "the subject is empty or longer than most inboxes show", "write a short one"
    ),
    "text": Meaning(
        "warn",
        "the text part and the HTML part differ in content, or a line is longer than 78 columns",
        "print in your own template what the text part says, and the reverse",
    ),
    "twice": Meaning(
        "warn", "a story or an address comes twice, also in the note", "take one of them out"
    ),
    "unsubscribe": Meaning(
        "stop", "a part has no link to unsubscribe", "print it in your own template's footer"
    ),
}


@dataclass(frozen=True)
class Finding:
    """One remark: ``sentence`` says to an editor what is wrong, ``mend`` what to do about it.

    ``item`` names where it is: a story's place and headline, a part, an address, or a host.
    ``variants`` are the names of those that it is about, empty where it is about all of them.
    """

    level: Level
    key: Key
    sentence: str
    mend: str = ""
    item: str = ""
    variants: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """All of it for a person, in one line."""
        where = " and ".join(f"“{name}”" for name in self.variants)
        plural = "s" if len(self.variants) > 1 else ""
        place = f"In the variant{plural} {where}: " if where else ""
        return f"{place}{self.sentence} {self.mend}".rstrip()


def stops(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that must be mended before the issue may go out."""
    return tuple(finding for finding in findings if finding.level is Level.STOP)


def in_order(*findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, what stops the issue first."""
    every = dict.fromkeys(finding for part in findings for finding in part)
    return tuple(sorted(every, key=lambda finding: list(Level).index(finding.level)))


def of_variants(findings: Mapping[str, Iterable[Finding]]) -> tuple[Finding, ...]:
    """Findings by the name of the variant as one list, each once.

    What is not true of all of the variants names those of which it is.
    """
    found: dict[Finding, list[str]] = {}
    for name, part in findings.items():
        for finding in dict.fromkeys(part):
            found.setdefault(finding, []).append(name)
    return tuple(
        finding if len(names) == len(findings) else replace(finding, variants=tuple(names))
        for finding, names in found.items()
    )


def stop(key: Key, sentence: str, mend: str, item: str) -> Finding:
    """A finding that holds the issue back."""
    return Finding(Level.STOP, key, sentence, mend, item)


def warn(key: Key, sentence: str, mend: str, item: str) -> Finding:
    """A finding that holds nothing back."""
    return Finding(Level.WARN, key, sentence, mend, item)
