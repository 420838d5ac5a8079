"""An item's words for the mail: what an editor says otherwise, beside what the site says."""

from dataclasses import replace

from newsletter.issues.model import AS_THE_SITE, Item, ItemField, SiteWords
from newsletter.pictures.model import PictureFile
from newsletter.stories.model import Picture


def say_headline(item: Item, headline: str) -> Item:
    """The item under that headline, the site's kept; as the site has it, it is no edit."""
    own = item.headline if item.site.headline is None else item.site.headline
    site = replace(item.site, headline=None if headline == own else own)
    return replace(item, headline=headline, site=site)


def say_excerpt(item: Item, excerpt: str) -> Item:
    """The same for the excerpt."""
    own = item.excerpt if item.site.excerpt is None else item.site.excerpt
    site = replace(item.site, excerpt=None if excerpt == own else own)
    return replace(item, excerpt=excerpt, site=site)


def show_picture(item: Item, picture: Picture | None) -> Item:
    """The same for the picture: None leaves it out."""
    own = site_picture(item)
    same = (picture and replace(picture, files=())) == (own and replace(own, files=()))
    site = replace(item.site, picture=None if same else own)
    return replace(item, picture=picture, site=site)


def site_picture(item: Item) -> Picture | None:
    """The picture as the site has it."""
    return item.picture if item.site.picture is None else item.site.picture


def reset_field(item: Item, field: ItemField) -> Item:
    """The item with one field as the site has it."""
    site, own = item.site, site_picture(item)
    match field:
        case ItemField.HEADLINE:
            return item if site.headline is None else say_headline(item, site.headline)
        case ItemField.EXCERPT:
            return item if site.excerpt is None else say_excerpt(item, site.excerpt)
        case ItemField.PICTURE:
            return item if item.picture is not None else show_picture(item, own)
        case ItemField.ALT:
            if own is None or item.picture is None:
                return item
            return show_picture(item, replace(item.picture, alt=own.alt))
        case ItemField.CROP:
            if own is None or item.picture is None or item.picture.focus == own.focus:
                return item
            return show_picture(item, replace(item.picture, focus=own.focus, files=own.files))


def keep_words(old: Item, new: Item) -> Item:
    """``new``, the story as the site has it now, with what an editor said in ``old``."""
    item = replace(new, site=AS_THE_SITE)
    if old.site.headline is not None:
        item = say_headline(item, old.headline)
    if old.site.excerpt is not None:
        item = say_excerpt(item, old.excerpt)
    if old.picture and item.picture and old.picture.url == item.picture.url:
        item = _with_files(item, item.picture, _site_files(old))
        if item.picture and old.site.picture is not None:
            alt = old.picture.alt if ItemField.ALT in old.changed else item.picture.alt
            focus, files = old.picture.focus, old.picture.files
            item = show_picture(item, replace(item.picture, alt=alt, focus=focus, files=files))
    elif ItemField.PICTURE in old.changed:
        item = show_picture(item, None)
    return item


def site_words(item: Item) -> SiteWords:
    """All that the site has, whether an editor says otherwise or not."""
    site = item.site
    return SiteWords(
        headline=item.headline if site.headline is None else site.headline,
        excerpt=item.excerpt if site.excerpt is None else site.excerpt,
        picture=site_picture(item),
    )


def _with_files(item: Item, picture: Picture, files: tuple[PictureFile, ...]) -> Item:
    return replace(item, picture=replace(picture, files=files))


def _site_files(item: Item) -> tuple[PictureFile, ...]:
    picture = site_picture(item)
    return picture.files if picture else ()
