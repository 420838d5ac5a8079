"""Looking after the door for new readers: telling editors of attacks, dropping old counts."""

from dataclasses import replace

from newsletter.log import get_logger
from newsletter.rendering.filters import format_moment, format_number
from newsletter.subscribers.model import Alarm
from newsletter.words import words_of
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, queue_notice

log = get_logger(__name__)


def watch_sign_ups(installation: Installation) -> None:
    """Tell the editors once that an attack began, and once that it is over.

    Whether there is one is decided at the door, by whichever process a sign-up
    comes to; nothing has to happen here for it to begin or end.
    """
    now = installation.clock.now()
    with installation.database.read() as tx:
        alarm = tx.sign_ups.alarm()
    if alarm.since is None or (alarm.is_on(now) and alarm.told):
        return
    settings = installation.settings()
    with installation.database.write() as tx:
        alarm = tx.sign_ups.alarm()
        begins, ends = not alarm.told, not alarm.is_on(now)
        if settings.newsletter and alarm.since is not None:
            newsletter = settings.newsletter[0]
            for notice in (
                *([_begin_notice(installation, alarm)] if begins else []),
                *([_end_notice(installation, alarm)] if ends else []),
            ):
                queue_notice(tx, installation, settings, newsletter, notice)
        tx.sign_ups.set_alarm(Alarm() if ends else replace(alarm, told=True))
    if ends:
        log.info("sign_up_attack_ended")


def tidy_sign_ups(installation: Installation) -> None:
    """Drop what was counted at the door and is of no use any more."""
    with installation.database.write() as tx:
        dropped = tx.sign_ups.tidy(installation.clock.now())
    if dropped:
        log.debug("sign_up_counts_dropped", rows=dropped)


def _begin_notice(installation: Installation, alarm: Alarm) -> Notice:
    settings = installation.settings()
    words = words_of(settings.publication.language)
    return Notice(
        key=f"sign-up attack:{alarm.since:%Y-%m-%dT%H:%M:%S}",
        subject=words.gettext("Many sign-ups at once: we take it for an attack"),
        sentences=(
            words.gettext(
                "More than %(count)s people, or programs, asked for a newsletter within ten "
                "minutes.",
                count=format_number(settings.sign_up.attack_after, words.language),
            ),
            words.gettext(
                "Until it is over, programs must solve harder puzzles, and confirmations go out "
                "slowly, behind all other mail. Nobody gets more than one a day, and your readers "
                "notice little."
            ),
            words.gettext("If it is no attack but a good day, raise attack_after in [sign_up]."),
        ),
    )


def _end_notice(installation: Installation, alarm: Alarm) -> Notice:
    publication = installation.settings().publication
    words = words_of(publication.language)
    ended = alarm.until or installation.clock.now()
    return Notice(
        key=f"sign-up attack over:{alarm.since:%Y-%m-%dT%H:%M:%S}",
        subject=words.gettext("The attack on the sign-up is over"),
        sentences=(
            words.gettext(
                "Sign-ups go their usual way again since %(time)s.",
                time=format_moment(ended, words.language, publication.zone, "medium"),
            ),
        ),
    )
