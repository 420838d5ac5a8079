"""What an issue's archive page says of what was corrected after it was sent."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from markupsafe import Markup, escape

from newsletter.issues.model import CorrectionKind, CorrectionNote, Issue
from newsletter.rendering.bidi import text_direction
from newsletter.words import is_armenian, nearest_language, words_of

# Stands for a headline in a sentence of ours until that is escaped.
_HEADLINE = "\ue000"


def tell_corrections(
    issue: Issue, corrections: Sequence[CorrectionNote], language: str
) -> tuple[tuple[datetime, Markup], ...]:
    """What was corrected at a time, for readers, as HTML: our sentences, then the editors' words.

    Its date stands before it: "Corrected on 9 August 2025: …". Headlines and the
    editors' words carry their own language where it is not that of our sentences.
    """
    spoken = nearest_language(language)
    return tuple(
        (
            at,
            Markup(" ").join(
                (
                    *dict.fromkeys(_tell(issue, one, spoken) for one in notes),
                    *([_mark(told, issue.language, spoken)] if told else []),
                )
            ),
        )
        for (at, told), notes in groupby(corrections, key=lambda one: (one.at, one.told))
    )


def _tell(issue: Issue, correction: CorrectionNote, language: str) -> Markup:
    sentence = _say(correction, language)
    headline = correction.headline
    told = next((each for each in issue.items if each.story_id == correction.story_id), None)
    own = (told.language if told else None) or ("hy" if is_armenian(headline) else issue.language)
    return _mark(headline, own, language).join(map(escape, sentence.split(_HEADLINE)))


def _mark(text: str, own: str, language: str) -> Markup:
    """``text`` as HTML that says its language where that is not the ``language`` around it."""
    if own.split("-")[0].lower() == language.split("-")[0].lower():
        return escape(text)
    mark = Markup('<span lang="{}" dir="{}">{}</span>')
    return mark.format(own, text_direction(own), text)


def _say(correction: CorrectionNote, language: str) -> str:
    words = words_of(language)
    headline = _HEADLINE
    match correction.kind:
        case CorrectionKind.CHANGED:
            return words.gettext(
                "The link of “%(headline)s” leads to another page now.", headline=headline
            )
        case CorrectionKind.WITHDRAWN:
            return words.gettext("The link of “%(headline)s” was withdrawn.", headline=headline)
        case CorrectionKind.HEADLINE:
            return words.gettext("The headline of “%(headline)s” was changed.", headline=headline)
        case CorrectionKind.SUMMARY:
            return words.gettext("The summary of “%(headline)s” was changed.", headline=headline)
        case CorrectionKind.REMOVED:
            return words.gettext("“%(headline)s” was taken out.", headline=headline)
        case CorrectionKind.SUBJECT:
            return words.gettext("The subject of the e-mail was changed.")
        case CorrectionKind.NOTE:
            return words.gettext("The editors’ note was changed.")
        case CorrectionKind.BLOCK:
            # Translators: the part of an issue that is no story: a quotation, a number, a question.
            return words.gettext("The part beside the stories was changed.")
