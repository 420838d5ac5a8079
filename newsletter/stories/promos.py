"""What stands in a story's markup and is not the story.

Plugins and themes put share rows, sign-up prompts and links to neighbours into
the text. They are known by the words of their classes, or, where an editor
typed them, by how the paragraph begins.
"""

import re
from collections.abc import Mapping

# A wrapper of the whole text may carry such a word too ("post has-sharing").
LONGEST_PROMO = 600

_JUNK_CLASS = re.compile(
    r"""(?:^|\s)(?:
      shared?(?:addy|-.*|_.*)? | sharing.* | social(?:-.*|_.*|s)? | addtoany.* | a2a_.* | heateor.*
    | essb.* | jp-relatedposts | jp-post-flair | jetpack-.*subscri.* | wp-block-jetpack-.*
    | (?:js-)?newsletter.* | subscri.* | sign-?up.* | signup.* | mc4wp.* | mailpoet.* | mailchimp.*
    | mc_embed.* | promo(?:-.*|_.*|s|tion)? | advert.* | ads?(?:-.*|_.*)? | adsbygoogle | banner.*
    | related(?:-.*|_.*|posts)? | recommended.* | yarpp.* | jnews_inline_related.* | crp_related
    | read-?more.* | more-link | continue-reading | also-read | post-navigation | nav-.*
    | pagination | prev(?:ious)?(?:-.*)? | next(?:-.*)? | adjacent-.* | author-(?:box|bio|info).*
    | comments?(?:-.*)? | post-tags? | tags?(?:-links|-list|cloud)? | entry-meta | post-meta
    | breadcrumbs? | toc
    | ez-toc.* | donate.* | donation.* | paywall.* | popup.* | modal.* | widget.* | sidebar.*
    | screen-reader-text | sr-only | visually-hidden | wp-block-buttons? | wp-block-embed.*
    | wp-block-(?:latest-posts|query|file|search|rss|tag-cloud|social-links|post-navigation-link)
    )(?=\s|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_JUNK_ROLES = frozenset({"complementary", "navigation", "form", "search", "dialog", "banner"})

# How a promo paragraph begins. Each is tried on short paragraphs only.
_PROMO_TEXT = re.compile(
    r"""^[\W_]*(?:
      (?:sign\ up|subscribe)\b.*\b(?:newsletter|mail|e-mail|inbox|list|updates?|channel
        |free|here|today|now|us|weekly|digest)\b
    | (?:sign\ up|subscribe)[\W_]*$
    | get\b.*\b(?:in\ your\ inbox|newsletter)\b
    | (?:join|follow|like|find)\ us\ on\b | follow\ us\b
    | follow\b.*\bon\ (?:twitter|x|facebook|instagram|telegram|social)\b
    | (?:please\ )?(?:support|donate\ to)\b.*\b(?:journalism|our\ work|our\ reporting)\b
    | read\ (?:also|more|next)\b.* | (?:see|watch|listen)(?:\ (?:also|more|now|too))\s*[:\-–—].*
    | (?:also\ read|more\ on\ this|related(?:\ (?:stories|articles|posts|topics|news))?)\s*[:\-–—].*
    | (?:related(?:\ (?:stories|articles|posts|news))?|recommended)[\W_]*$
    | (?:previous|next|prev)(?:\ (?:post|article|story))?\s*[:\-–—«»←→|].*
    | (?:previous|next)(?:\ (?:post|article|story))?[\W_]*$
    | (?:share|like|tweet|print|e-?mail)(?:\ (?:this|this\ (?:article|story|post)|on\ \w+))?[\W_]*$
    | (?:share|like)\ this\s*:.* | share\ (?:on|via)\b.* | loading[\W_]*$
    | (?:advertisement|advertising|sponsored(?:\ content)?)[\W_]*$
    | click\ here\b.* | tags?\s*:.* | discover\ more\b.*
    | continue\ reading\b.* | the\ post\b.*\bappeared\ first\ on\b.*
    | բաժանորդագրվ.* | կարդացե?ք\ (?:նաև|նաեւ|ավելին).* | (?:կիսվել|կիսվե՛ք|գովազդ)[\W_]*$
    | (?:նախորդ|հաջորդ)(?:ը|\ հոդված\w*)?\s*(?:[:՝։\-–—«»←→].*|$)
    | подпи(?:шитесь|сывайтесь|саться).* | (?:читайте|смотрите)\ (?:также|ещё|еще).*
    | (?:поделиться|реклама)[\W_]*$
    | (?:предыдущая|следующая)(?:\ (?:статья|запись))?\s*(?:[:\-–—«»←→].*|$)
    | اشترك\b.* | (?:اقرأ|إقرأ|اقرأوا)\ (?:أيضا|أيضًا|أيضاً|المزيد).* | (?:شارك|إعلان)[\W_]*$
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_LONGEST_PROMO_TEXT = 200


def is_junk_element(attributes: Mapping[str, str | None]) -> bool:
    """Whether an element's attributes call it a promo, a share row, or hidden."""
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if (attributes.get("role") or "") in _JUNK_ROLES:
        return True
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if names != " " and _JUNK_CLASS.search(names):
        return True
    if (attributes.get("rel") or "") in {"prev", "next"}:
        return True
    return bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def is_promo_text(paragraph: str) -> bool:
    """Whether a whole paragraph is a prompt, a share row or a link to another story."""
    return len(paragraph) <= _LONGEST_PROMO_TEXT and _PROMO_TEXT.match(paragraph) is not None
