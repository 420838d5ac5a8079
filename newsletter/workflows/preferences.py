"""What a reader changes by the signed link in every issue: no password, and nothing to mistake.

The link stands in issues, and issues are forwarded. So what is switched on and
where mail goes is asked of a mailbox first, and no page shows more of the
address than its beginning.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from newsletter.errors import UsageError
from newsletter.log import get_logger
from newsletter.publication.cadence import Cadence
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscriber, Subscription, SubscriptionState
from newsletter.subscribers.names import clean_name
from newsletter.subscribers.states import BROUGHT_BACK, MOVES, SubscriptionAct
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.confirm import asked_subscriptions
from newsletter.workflows.leave import UNDO_WITHIN
from newsletter.workflows.letters import Letters
from newsletter.workflows.pauses import LONGEST_PAUSE, remember_sent, resume_subscription
from newsletter.workflows.sign_up import READER, SignUp, request_subscription

log = get_logger(__name__)

_HOW = "preferences"


@dataclass(frozen=True)
class Choice:
    """A newsletter on the preferences page. ``state`` None: never asked for.

    ``offered`` are the departments that the reader may narrow it to, ``chosen``
    those that were; none means all.
    """

    newsletter: Newsletter
    state: SubscriptionState | None
    offered: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    paused_until: datetime | None = None
    cadence: Cadence = Cadence.EACH

    @property
    def has_cadences(self) -> bool:
        """Whether there is more than each issue to choose, or was for this reader."""
        return self.newsletter.offers_monthly or self.cadence is not Cadence.EACH

    def pause_day(self, settings: Settings) -> date | None:
        """The day on which a pause ends, where the newsletter is made."""
        zone = self.newsletter.zone_in(settings.publication)
        return self.paused_until.astimezone(zone).date() if self.paused_until else None

    @property
    def on(self) -> bool:
        return self.state is SubscriptionState.ACTIVE

    @property
    def paused(self) -> bool:
        return self.state is SubscriptionState.PAUSED


@dataclass(frozen=True)
class Goodbye:
    """A newsletter that was just left: its unsubscribe link's token, and that of the undo,
    which one never confirmed does not have."""

    newsletter: Newsletter
    token: str
    undo_token: str | None


@dataclass(frozen=True)
class Preferences:
    """A reader, every newsletter they could have, and the languages these come in.

    ``left`` are those that the reader has just left.
    """

    subscriber: Subscriber
    choices: tuple[Choice, ...]
    languages: tuple[str, ...]
    left: tuple[Goodbye, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What the form says. What it did not ask is None, or not in ``departments``.

    ``shown`` are the newsletters that the form had boxes for: it says nothing of others.
    ``pause_until`` is for those that are ``paused`` now, ``pause_ends`` for those that were
    already, None for no end. A ``name`` "" takes away the one there is; ``language`` ""
    is that of each newsletter; ``departments`` and ``cadences`` are by the slug of their
    newsletter. ``leave_all`` goes before all that is said of newsletters.
    """

    newsletters: Collection[str]
    shown: Collection[str]
    paused: Collection[str] = ()
    pause_until: date | None = None
    pause_ends: Mapping[str, date | None] = field(default_factory=dict)
    departments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cadences: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    language: str | None = None
    leave_all: bool = False


def read_preferences(
    database: Database, keyring: Keyring, settings: Settings, token: str
) -> Preferences:
    """The reader of a preferences link; TokenError or NotFound where there is none."""
    (subscriber_id,) = keyring.verify(Purpose.PREFERENCES, token)
    with database.read() as tx:
        return _preferences(tx, settings, subscriber_id)


def update_preferences(
    database: Database,
    letters: Letters,
    token: str,
    wishes: Wishes,
    *,
    wording: str,
    now: datetime,
) -> Preferences:
    """Do what the form says, all of it or nothing.

    Every newsletter shown is switched on or off by whether its slug is wanted. Off is
    at once, and so is a pause, which ends on the day given, or when it is switched on
    again; who asks for a pause wants no goodbye. On asks for the reader's confirmation,
    as the form does. UsageError, whose subject is the field, where a wish can't be met,
    where a pause has a day and is of nothing, and where nothing was shown: a POST that is
    no form of ours must not end everything.
    """
    keyring, settings = letters.keyring, letters.settings
    (subscriber_id,) = keyring.verify(Purpose.PREFERENCES, token)
    if not wishes.shown:
        raise UsageError("that was not sent by the page", subject="shown")
    if wishes.pause_until is not None and not wishes.paused and not wishes.leave_all:
        raise UsageError("a day was given, and nothing to be paused until then", subject="pause")
    with database.write() as tx:
        before = _preferences(tx, settings, subscriber_id)
        _describe(tx, before, wishes, now)
        for choice in before.choices:
            _switch(tx, settings, subscriber_id, choice, wishes, now)
            _narrow(tx, subscriber_id, choice, wishes, now)
            _pace(tx, subscriber_id, choice, wishes, now)
        after = _preferences(tx, settings, subscriber_id)
        left = tuple(_goodbyes(tx, keyring, before, after, now))
    for choice in () if wishes.leave_all else after.choices:
        if choice.newsletter.slug in wishes.newsletters and not (choice.on or choice.paused):
            request_subscription(
                database,
                keyring,
                settings,
                letters.templates,
                SignUp(choice.newsletter.slug, after.subscriber.address, wording, _HOW),
                base_url=letters.base_url,
                now=now,
                dkim_selectors=letters.dkim_selectors,
            )
    return replace(read_preferences(database, keyring, settings, token), left=left)


def _goodbyes(
    tx: Transaction, keyring: Keyring, before: Preferences, after: Preferences, now: datetime
) -> Iterator[Goodbye]:
    """The way back from each newsletter that was left between the two."""
    gone = SubscriptionState.UNSUBSCRIBED
    reader = after.subscriber.public_id
    for was, choice in zip(before.choices, after.choices, strict=True):
        if choice.state is not gone or was.state is gone:
            continue
        newsletter_id = tx.settings.newsletter_id(choice.newsletter.slug)
        yield Goodbye(
            choice.newsletter,
            keyring.sign(Purpose.UNSUBSCRIBE, reader, newsletter_id),
            keyring.sign_until(Purpose.UNDO, now + UNDO_WITHIN, reader, newsletter_id)
            if was.state in BROUGHT_BACK
            else None,
        )


def end_pauses(database: Database, settings: Settings, now: datetime) -> int:
    """Send again to those whose pause is over; how many that were."""
    with database.read() as tx:
        if not tx.preferences.paused_too_long(now, 1):
            return 0
    ended = 0
    while True:
        with database.write() as tx:
            over = tx.preferences.paused_too_long(now, _PAUSES_AT_ONCE)
            sent = remember_sent(tx, now - LONGEST_PAUSE)
            for subscriber_id, slug in over:
                before = tx.subscribers.subscription(subscriber_id, slug)
                if before is not None:
                    resume_subscription(
                        tx, settings, before, now, "scheduler", "pause over", sent=sent
                    )
        ended += len(over)
        if len(over) < _PAUSES_AT_ONCE:
            log.info("pauses_ended", readers=ended)
            return ended


# One transaction keeps the others waiting for a fraction of a second.
_PAUSES_AT_ONCE = 500


def _describe(tx: Transaction, before: Preferences, wishes: Wishes, now: datetime) -> None:
    reader = before.subscriber
    if wishes.name is not None:
        tx.preferences.rename(reader.public_id, clean_name(wishes.name), now, READER)
    if wishes.language is not None:
        if wishes.language and wishes.language not in before.languages:
            raise UsageError("none of our newsletters is in that language", subject="language")
        tx.preferences.choose_language(reader.public_id, wishes.language or None, now, READER)


def _switch(
    tx: Transaction,
    settings: Settings,
    subscriber_id: str,
    choice: Choice,
    wishes: Wishes,
    now: datetime,
) -> None:
    newsletter = choice.newsletter
    slug = newsletter.slug
    if wishes.leave_all:
        act = SubscriptionAct.UNSUBSCRIBE
    elif slug not in wishes.shown:
        return
    elif slug in wishes.paused and choice.on:
        act = SubscriptionAct.PAUSE
    elif slug in wishes.newsletters:
        act = SubscriptionAct.RESUME
    elif choice.on:
        act = SubscriptionAct.UNSUBSCRIBE
    else:
        # A box that is not ticked is how the page shows a pause: it leaves nothing.
        _move_pause_end(tx, settings, subscriber_id, choice, wishes, now)
        return
    if act is SubscriptionAct.RESUME:
        before = tx.subscribers.subscription(subscriber_id, slug) if choice.paused else None
        if before is not None:
            resume_subscription(tx, settings, before, now, READER, _HOW)
        return
    move = MOVES[act]
    moved = tx.subscribers.move(subscriber_id, slug, move.allowed, move.to, now, READER, _HOW)
    if moved and act is SubscriptionAct.PAUSE and wishes.pause_until is not None:
        until = _pause_end(settings, newsletter, wishes.pause_until, now)
        tx.preferences.end_pause_at(subscriber_id, slug, until)


def _move_pause_end(
    tx: Transaction,
    settings: Settings,
    subscriber_id: str,
    choice: Choice,
    wishes: Wishes,
    now: datetime,
) -> None:
    """Let a pause that goes on end on another day, or on none."""
    newsletter = choice.newsletter
    if not choice.paused or newsletter.slug not in wishes.pause_ends:
        return
    wanted = wishes.pause_ends[newsletter.slug]
    if wanted == choice.pause_day(settings):
        return
    until = _pause_end(settings, newsletter, wanted, now) if wanted else None
    tx.preferences.end_pause_at(subscriber_id, newsletter.slug, until)
    tx.changes.record(
        now, READER, "subscription", subscriber_id, "pause end", {"newsletter": newsletter.slug}
    )


def _pause_end(settings: Settings, newsletter: Newsletter, until: date, now: datetime) -> datetime:
    """The begin of that day where the newsletter is made."""
    end = datetime.combine(until, time(), newsletter.zone_in(settings.publication))
    if not now < end <= now + LONGEST_PAUSE:
        raise UsageError("a pause ends on a day within the next year", subject="pause_until")
    return end


def _narrow(
    tx: Transaction, subscriber_id: str, choice: Choice, wishes: Wishes, now: datetime
) -> None:
    chosen = wishes.departments.get(choice.newsletter.slug)
    if chosen is None or choice.state is None:
        return
    unknown = set(chosen) - set(choice.offered)
    if unknown:
        raise UsageError("there is no such department", subject="departments")
    # All of them: also those that the paper will have one day.
    every = set(chosen) == set(choice.offered)
    names = () if every else tuple(sorted(set(chosen), key=str.casefold))
    if names != choice.chosen:
        tx.subscribers.choose_departments(subscriber_id, choice.newsletter.slug, names, now, READER)


def _pace(
    tx: Transaction, subscriber_id: str, choice: Choice, wishes: Wishes, now: datetime
) -> None:
    wanted = wishes.cadences.get(choice.newsletter.slug)
    if wanted is None or choice.state is None:
        return
    if wanted not in list(Cadence) or not choice.has_cadences:
        raise UsageError("it does not come like that", subject="cadence")
    tx.subscribers.choose_cadence(
        subscriber_id, choice.newsletter.slug, Cadence(wanted), now, READER
    )


def _preferences(tx: Transaction, settings: Settings, subscriber_id: str) -> Preferences:
    subscriber = tx.subscribers.get(subscriber_id)
    subscriptions = asked_subscriptions(tx, subscriber_id)
    publication = settings.publication
    languages = dict.fromkeys(
        tag for newsletter in settings.newsletter for tag in newsletter.languages_in(publication)
    )
    return Preferences(
        subscriber,
        tuple(
            _choice(newsletter, subscriptions.get(newsletter.slug))
            for newsletter in settings.newsletter
        ),
        tuple(languages),
    )


def _choice(newsletter: Newsletter, subscription: Subscription | None) -> Choice:
    if subscription is None:
        return Choice(newsletter, None)
    offered = dict.fromkeys((*newsletter.departments, *subscription.departments))
    return Choice(
        newsletter,
        subscription.state,
        tuple(offered) if newsletter.departments else (),
        subscription.departments,
        subscription.paused_until,
        subscription.cadence,
    )
