"""The words that stand at a sign-up's field: "Get the Courier in your inbox:"."""

from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter, Placement
from newsletter.words import Words

_FOOTER = "footer"
_ARTICLE = "the "


def placement_prompt(
    publication: Publication, newsletter: Newsletter, placement: Placement | None, words: Words
) -> str:
    """A placement's own words, else the usual ones in the language of ``words``.

    The footer asks for the newsletter by its name, every other place for the paper.
    """
    if placement is not None and placement.text:
        return placement.text.format(
            newsletter=newsletter.name,
            publication=publication.name,
            short_name=publication.nickname,
        )
    if placement is not None and placement.slug == _FOOTER:
        name = newsletter.name
        if name.lower().startswith(_ARTICLE):
            name = name[len(_ARTICLE) :]
        return words.gettext("Get the %(newsletter)s in your inbox:", newsletter=name)
    return words.gettext("Get %(paper)s in your inbox:", paper=publication.nickname)
