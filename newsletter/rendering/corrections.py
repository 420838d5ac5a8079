"""What an issue's archive page says of links that were corrected after it was sent."""

from newsletter.issues.model import CorrectionKind, LinkCorrection
from newsletter.words import words_of


def tell_correction(correction: LinkCorrection, language: str) -> str:
    """A sentence for readers: the editors' own words where they gave any.

    Its date stands before it: "Corrected on 9 August 2025: …".
    """
    if correction.told:
        return correction.told
    words = words_of(language)
    if correction.kind is CorrectionKind.WITHDRAWN:
        return words.gettext(
            "The link of “%(headline)s” was withdrawn.", headline=correction.headline
        )
    return words.gettext(
        "The link of “%(headline)s” leads to another page now.", headline=correction.headline
    )
