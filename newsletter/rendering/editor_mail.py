"""System mails to those who sit at the desk."""

from newsletter.publication.brand import Publication
from newsletter.publication.editors import ROLE_NAMES, Editor
from newsletter.rendering.bidi import isolate
from newsletter.rendering.environment import Templates
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.passing_on import Link
from newsletter.rendering.system_mail import render_letter
from newsletter.words import nearest_language, words_of


def render_invitation(
    publication: Publication,
    editor: Editor,
    *,
    inviter: str,
    address: str,
    hours: int,
    desk_url: str,
    templates: Templates,
) -> RenderedMail:
    """The letter to who was let in by ``inviter``: a first link, and where the desk is."""
    language = nearest_language(editor.language or publication.language)
    words = words_of(language)
    paper = publication.nickname
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext("You may come to the desk: %(publication)s", publication=paper),
        title=words.gettext("There is a chair for you"),
        sentences=[
            words.gettext(
                "%(name)s let you in at the editors’ desk of %(publication)s, as %(role)s.",
                name=inviter,
                publication=paper,
                role=words.gettext(ROLE_NAMES[editor.role]),
            )
        ],
        button=Link(words.gettext("Sign in"), address),
        after=[
            words.ngettext(
                "The link works once, within %(count)s hour. Later ask for one at the desk.",
                "The link works once, within %(count)s hours. Later ask for one at the desk.",
                hours,
                count=hours,
            )
        ],
        small=[
            words.gettext(
                "You get this mail because you are an editor of %(publication)s.",
                publication=publication.name,
            )
        ],
        links=[Link(words.gettext("The editors’ desk"), f"{desk_url}/")],
    )


def render_sign_in(
    publication: Publication, editor: Editor, *, address: str, minutes: int, templates: Templates
) -> RenderedMail:
    """The letter with a sign-in link: one button, how long it works, and what not to do."""
    language = nearest_language(editor.language or publication.language)
    words = words_of(language)
    paper = isolate(publication.nickname, language)
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext("Sign in to the desk: %(publication)s", publication=paper),
        title=words.gettext("Come in"),
        sentences=[
            words.gettext(
                "Somebody, we hope you, asked to sign in to the editors’ desk of %(publication)s.",
                publication=paper,
            )
        ],
        button=Link(words.gettext("Sign in"), address),
        after=[
            words.ngettext(
                "The link works once, within %(count)s minute.",
                "The link works once, within %(count)s minutes.",
                minutes,
                count=minutes,
            ),
            words.gettext(
                "Do not pass it on. If that was not you, do nothing: without the link nobody "
                "comes in."
            ),
        ],
        small=[
            words.gettext(
                "You get this mail because you are an editor of %(publication)s.",
                publication=isolate(publication.name, language),
            )
        ],
    )
