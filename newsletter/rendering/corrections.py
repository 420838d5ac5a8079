"""What an issue's archive page says of links that were corrected after it was sent."""

from collections.abc import Mapping

from newsletter.issues.model import CorrectionKind, LinkCorrection

_SENTENCES: Mapping[str, Mapping[CorrectionKind, str]] = {
    "en": {
        CorrectionKind.CHANGED: "The link of “{headline}” leads to another page now.",
        CorrectionKind.WITHDRAWN: "The link of “{headline}” was withdrawn.",
    },
    "hy": {
        CorrectionKind.CHANGED: "«{headline}» նյութի հղումն այժմ տանում է այլ էջ։",
        CorrectionKind.WITHDRAWN: "«{headline}» նյութի հղումը հետ է վերցվել։",
    },
}


def tell_correction(correction: LinkCorrection, language: str) -> str:
    """A sentence for readers: the editors' own words where they gave any.

    Its date stands before it: "Corrected on 9 August 2025: …".
    """
    if correction.told:
        return correction.told
    primary = language.replace("_", "-").split("-")[0].lower()
    sentences = _SENTENCES.get(primary, _SENTENCES["en"])
    return sentences[correction.kind].format(headline=correction.headline)
