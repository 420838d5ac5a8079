"""The two lines of an inbox: subject and preheader."""

from collections.abc import Mapping, Sequence

from newsletter.issues.wording import fill_template
from newsletter.stories.canonical import title_key
from newsletter.stories.excerpt import cut_at_word

# What phones show of a subject, and what inboxes show after it.
LONGEST_SUBJECT = 60
SHORTEST_PREHEADER = 40
LONGEST_PREHEADER = 110
_BETWEEN = " · "


def write_subject(template: str, words: Mapping[str, str]) -> str:
    """The subject, cut at a word to `LONGEST_SUBJECT` characters.

    What the template adds to the headline is kept, and the headline cut, unless
    so little room is left that a headline could not be told from another.
    """
    subject = fill_template(template, words).strip()
    if len(subject) <= LONGEST_SUBJECT:
        return subject
    headline = words.get("headline", "")
    room = LONGEST_SUBJECT - (len(subject) - len(headline))
    if template.count("{headline}") == 1 and room >= LONGEST_SUBJECT // 2:
        cut = {**words, "headline": cut_at_word(headline, room)}
        return fill_template(template, cut).strip()
    return cut_at_word(subject, LONGEST_SUBJECT)


def write_preheader(headlines: Sequence[str], subject: str, filling: Sequence[str] = ()) -> str:
    """The next headlines after the subject's, `SHORTEST_PREHEADER` to `LONGEST_PREHEADER` long.

    A headline that the subject already shows is left out. Where the headlines
    do not make up a line, sentences of ``filling`` follow. With too little of
    either the line is short, or empty.
    """
    shown = title_key(subject)
    line = ""
    for text in (*headlines, *filling):
        key = title_key(text)
        if not key or key in shown:
            continue
        longer = f"{line}{_BETWEEN}{text}" if line else text
        if len(longer) > LONGEST_PREHEADER:
            return (
                line if len(line) >= SHORTEST_PREHEADER else cut_at_word(longer, LONGEST_PREHEADER)
            )
        line = longer
        if len(line) >= SHORTEST_PREHEADER and text in filling:
            break
    return line
