"""What the desk calls the things about readers: states, reasons, placements, ways."""

from collections.abc import Mapping

from newsletter.publication.newsletters import NO_PLACEMENT
from newsletter.subscribers.model import LeaveReason, SubscriptionState, SuppressionReason
from newsletter.words import Words, gettext_noop

STATES: Mapping[SubscriptionState, str] = {
    SubscriptionState.ACTIVE: gettext_noop("active"),
    SubscriptionState.PENDING: gettext_noop("not confirmed yet"),
    SubscriptionState.PAUSED: gettext_noop("on pause"),
    SubscriptionState.UNSUBSCRIBED: gettext_noop("left"),
}
LEAVE_REASONS: Mapping[LeaveReason, str] = {
    LeaveReason.TOO_MUCH: gettext_noop("Too much mail"),
    LeaveReason.NOT_FOR_ME: gettext_noop("Not for them"),
    LeaveReason.READ_ELSEWHERE: gettext_noop("They read it elsewhere"),
    LeaveReason.NEVER_ASKED: gettext_noop("Never asked for it"),
    LeaveReason.OTHER: gettext_noop("Something else"),
}
SUPPRESSION_REASONS: Mapping[SuppressionReason, str] = {
    SuppressionReason.BOUNCED: gettext_noop("bounced"),
    SuppressionReason.FORGOTTEN: gettext_noop("forgotten"),
    SuppressionReason.COMPLAINT: gettext_noop("complaint"),
    SuppressionReason.LEGAL: gettext_noop("legal"),
}
# By which way somebody left, as the log has it.
LEFT_BY: Mapping[str, str] = {
    "one-click": gettext_noop("the button in their mail program"),
    "page": gettext_noop("the link in the mail"),
    "mail": gettext_noop("a mail to our address"),
    "preferences": gettext_noop("their preferences"),
    "import": gettext_noop("an import that says so"),
    "desk": gettext_noop("an editor"),
    "desk, unconfirmed": gettext_noop("an editor, before they confirmed"),
}
# By which way a consent came.
WAYS_IN: Mapping[str, str] = {
    "form": gettext_noop("the form on our page"),
    "embed": gettext_noop("the form on the site"),
    "frame": gettext_noop("the form in a frame"),
    "api": gettext_noop("the API"),
    "import": gettext_noop("an import"),
    "editor": gettext_noop("an editor"),
}


def name_placement(words: Words, slug: str) -> str:
    """A placement as editors know it: by its slug, or where it is none."""
    if slug == NO_PLACEMENT:
        return words.gettext("our own page")
    return slug or words.gettext("not known")


def name_in(words: Words, names: Mapping[str, str], key: str) -> str:
    """The word for ``key``, or ``key`` as it is logged where there is none."""
    return words.gettext(names[key]) if key in names else key
