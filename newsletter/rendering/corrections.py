"""What an issue's archive page says of what was corrected after it was sent."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from newsletter.issues.model import CorrectionKind, CorrectionNote
from newsletter.words import words_of


def tell_corrections(
    corrections: Sequence[CorrectionNote], language: str
) -> tuple[tuple[datetime, str], ...]:
    """What was corrected at a time, for readers: our sentences, then the editors' own words.

    Its date stands before it: "Corrected on 9 August 2025: …".
    """
    return tuple(
        (at, " ".join((*dict.fromkeys(_tell(one, language) for one in notes), told)).strip())
        for (at, told), notes in groupby(corrections, key=lambda one: (one.at, one.told))
    )


def _tell(correction: CorrectionNote, language: str) -> str:
    words = words_of(language)
    headline = correction.headline
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
