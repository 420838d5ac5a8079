"""What settings are called at the desk. A key that is not here is called as it is written."""

from collections.abc import Mapping

from newsletter.publication.settings_document import Path
from newsletter.words import Words, gettext_noop

# By the key's own name, or where that is not enough by its tables too, without slugs.
LABELS: Mapping[str, str] = {
    "slug": gettext_noop("Short name in addresses"),
    "name": gettext_noop("Name"),
    "short_name": gettext_noop("What readers call it"),
    "url": gettext_noop("Address"),
    "publication.url": gettext_noop("Address of the site"),
    "timezone": gettext_noop("Time zone"),
    "language": gettext_noop("Language"),
    "postal_address": gettext_noop("Postal address"),
    "holidays": gettext_noop("Whose holidays are marked"),
    "logo": gettext_noop("Logo"),
    "accent": gettext_noop("Accent"),
    "accent_dark": gettext_noop("Accent on a dark screen"),
    "second": gettext_noop("Second colour"),
    "second_dark": gettext_noop("Second colour on a dark screen"),
    "latin.serif": gettext_noop("Latin, headlines and text"),
    "latin.sans": gettext_noop("Latin, all that is small"),
    "armenian.serif": gettext_noop("Armenian, headlines and text"),
    "armenian.sans": gettext_noop("Armenian, all that is small"),
    "arabic.serif": gettext_noop("Arabic, headlines and text"),
    "arabic.sans": gettext_noop("Arabic, all that is small"),
    "hebrew.serif": gettext_noop("Hebrew, headlines and text"),
    "hebrew.sans": gettext_noop("Hebrew, all that is small"),
    "social": gettext_noop("Elsewhere on the web"),
    "share": gettext_noop("Where readers pass it on"),
    "editors": gettext_noop("Who is told"),
    "give_up_after": gettext_noop("Give a reader’s server up after"),
    "brake_share": gettext_noop("Share of refusals that pauses an issue"),
    "brake_after": gettext_noop("Readers whom the brake looks at"),
    "on_uncertain": gettext_noop("What may have been taken"),
    "resend_after": gettext_noop("Wait before sending it again"),
    "domain_connections": gettext_noop("Messages to one destination at once"),
    "domain_rate": gettext_noop("Messages to one destination a second"),
    "group_by_mx": gettext_noop("One mail host is one destination"),
    "return_path": gettext_noop("Address that failed mail comes back to"),
    "inbox.address": gettext_noop("Address for leaving by mail"),
    "clicks": gettext_noop("Clicks"),
    "utm_source": gettext_noop("Tag of our own visits"),
    "subtract_own": gettext_noop("Leave our own visits out of the reads"),
    "served_by": gettext_noop("Who serves the pictures of mails"),
    "link_seconds": gettext_noop("Seconds to look at links"),
    "spam": gettext_noop("Look at issues as spam filters do"),
    "check_domains": gettext_noop("Ask whether a domain takes mail"),
    "role_accounts": gettext_noop("Addresses of functions"),
    "sites": gettext_noop("Sites that show the sign-up"),
    "network_hourly": gettext_noop("Sign-ups an hour from one network"),
    "domain_hourly": gettext_noop("Sign-ups an hour of one domain"),
    "hourly": gettext_noop("Sign-ups an hour in all"),
    "attack_after": gettext_noop("Sign-ups that are an attack"),
    "slow_lane": gettext_noop("Confirmations a minute in the slow lane"),
    "kind": gettext_noop("Kind"),
    "paused": gettext_noop("Paused"),
    "allow_private": gettext_noop("May lie in a private network"),
    "source": gettext_noop("Source"),
    "path": gettext_noop("File"),
    "selector": gettext_noop("Where the number stands"),
    "stats_kind": gettext_noop("What it counts"),
    "username": gettext_noop("User"),
    "password_file": gettext_noop("File with the password"),
    "primary": gettext_noop("Ranks the stories"),
    "from.name": gettext_noop("Sender’s name"),
    "from.address": gettext_noop("Sender’s address"),
    "reply_to": gettext_noop("Where answers go"),
    "languages": gettext_noop("Languages of its mail"),
    "max_variants": gettext_noop("Variants at most"),
    "departments": gettext_noop("Departments to choose from"),
    "sources": gettext_noop("Sources"),
    "draft_at": gettext_noop("Drafted"),
    "send_at": gettext_noop("Goes out"),
    "approval": gettext_noop("Approval"),
    "unapproved": gettext_noop("If nobody approves it in time"),
    "reminders": gettext_noop("Called to mind before its time"),
    "test_addresses": gettext_noop("Addresses for tests"),
    "changed_headline": gettext_noop("A headline that changed on the site"),
    "max_lateness": gettext_noop("How late it may be"),
    "segment": gettext_noop("Only these readers"),
    "subject": gettext_noop("Subject"),
    "subjects": gettext_noop("Subject in other languages"),
    "title": gettext_noop("Title"),
    "titles": gettext_noop("Title in other languages"),
    "signature": gettext_noop("Signature"),
    "consent": gettext_noop("What readers agree to"),
    "welcome_issue": gettext_noop("Send the latest issue to who is new"),
    "archive_noindex": gettext_noop("Keep the archive out of search engines"),
    "mix": gettext_noop("Best of the week, or rising"),
    "syndicated": gettext_noop("Stories that others had first"),
    "syndicated_weight": gettext_noop("Weight of stories taken over"),
    "exclude_departments": gettext_noop("Departments that never come"),
    "exclude_tags": gettext_noop("Tags that never come"),
    "exclude_authors": gettext_noop("Writers who never come"),
    "staff": gettext_noop("Served first"),
    "canary": gettext_noop("Share served next"),
    "wait": gettext_noop("Wait before the others"),
    "local_time": gettext_noop("In each reader’s own time"),
    "offered": gettext_noop("Offered"),
    "missed": gettext_noop("From how many missed issues on"),
    "text": gettext_noop("What stands at the field"),
    "count": gettext_noop("Stories at most"),
    "minimum": gettext_noop("Stories at least"),
    "window": gettext_noop("Looks back"),
    "department": gettext_noop("Department"),
    "group_by_department": gettext_noop("Group by department"),
    "max_per_department": gettext_noop("At most of one department"),
    "max_per_author": gettext_noop("At most of one writer"),
    "min_departments": gettext_noop("Departments at least"),
    "cool_down": gettext_noop("Issues before a story comes again"),
}
# Arrays and tables, likewise.
_TABLES: Mapping[str, str] = {
    "newsletter": gettext_noop("Newsletters"),
    "source": gettext_noop("Sources"),
    "reads": gettext_noop("Counters"),
    "section": gettext_noop("Sections"),
    "placement": gettext_noop("Places of sign-up"),
    "monthly.section": gettext_noop("Sections of the month"),
}


def label_of(words: Words, path: Path) -> str:
    """What a key is called; ``path`` may hold slugs."""
    message = _longest(LABELS, path)
    return words.gettext(message) if message else _plain(path[-1])


def table_label(words: Words, path: Path) -> str:
    """What an array of tables is called."""
    message = _longest(_TABLES, path)
    return words.gettext(message) if message else _plain(path[-1])


def _longest(labels: Mapping[str, str], path: Path) -> str:
    names = (".".join(path[start:]) for start in range(len(path)))
    return next((labels[name] for name in names if name in labels), "")


def _plain(key: str) -> str:
    words = key.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"
