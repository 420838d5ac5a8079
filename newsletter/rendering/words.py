"""The words that the shipped templates print, in one table a language.

A sentence may hold ``{names}``. A counted noun has one entry for each plural
form of its language (CLDR names: one, few, other), as ``stories.one``.
"""

from collections.abc import Mapping

from newsletter.errors import RenderError

ENGLISH: Mapping[str, str] = {
    "pictures_question": "Can’t see the pictures?",
    "view_in_browser": "View in browser",
    "number": "No. {number}",
    "separator": " · ",
    "stories.one": "{count} story",
    "stories.other": "{count} stories",
    "minutes.one": "{count} minute",
    "minutes.other": "{count} minutes",
    "min.one": "{count} min",
    "min.other": "{count} min",
    "reads.one": "{count} read",
    "reads.other": "{count} reads",
    "stories_and_minutes": "{stories}, {minutes}",
    "byline": "By {name}",
    "credit": "Photo: {name}",
    "first_published": "First published by {name}",
    "still_read": "Still read",
    "note_signature": "Your editors",
    "end": "End of this issue",
    "worth_question": "Was this issue worth your {minutes}?",
    "answer": "Write to the editors",
    "reason": "You get this e-mail because you subscribed to {newsletter}.",
    "preferences": "Change what you get",
    "unsubscribe": "Unsubscribe",
    "forwarded": "Did a friend send you this?",
    "subscribe": "Subscribe to {newsletter}",
    "copyright": "© {year} {publication}",
    "confirm_subject": "Please confirm: {newsletter}",
    "confirm_title": "One click, and it is yours",
    "confirm_asked": "Someone, we hope you, asked at {site} for {newsletter} "
    "to be sent to {address}.",
    "confirm_button": "Yes, send me {newsletter}",
    "confirm_ignore": "If that was not you, do nothing: without the click you are not "
    "subscribed, and no e-mail will follow.",
    "confirm_expires": "The link works until {date}.",
    "copy_address": "If the button does not work, copy this address into your browser:",
    "notice_reason": "You get this notice because you are an editor of {publication}.",
}

# Reformed orthography. Armenian leaves the noun in the singular after a number.
ARMENIAN: Mapping[str, str] = {
    "pictures_question": "Նկարները չե՞ն երևում։",
    "view_in_browser": "Բացել դիտարկիչում",
    "number": "Թիվ {number}",
    "separator": " · ",
    "stories.one": "{count} հոդված",
    "stories.other": "{count} հոդված",
    "minutes.one": "{count} րոպե",
    "minutes.other": "{count} րոպե",
    "min.one": "{count} րոպե",
    "min.other": "{count} րոպե",
    "reads.one": "{count} ընթերցում",
    "reads.other": "{count} ընթերցում",
    "stories_and_minutes": "{stories}, {minutes}",
    "byline": "{name}",
    "credit": "Լուսանկարը՝ {name}",
    "first_published": "Առաջինը հրապարակել է՝ {name}",
    "still_read": "Դեռ կարդում են",
    "note_signature": "Ձեր խմբագիրները",
    "end": "Թողարկման ավարտը",
    "worth_question": "Արժե՞ր այս թողարկումը ձեր {minutes}ն։",
    "answer": "Գրել խմբագիրներին",
    "reason": "Դուք ստանում եք այս նամակը, քանի որ բաժանորդագրվել եք՝ {newsletter}։",
    "preferences": "Փոխել նախընտրությունները",
    "unsubscribe": "Հրաժարվել բաժանորդագրությունից",
    "forwarded": "Ընկե՞րն է ուղարկել ձեզ այս նամակը։",
    "subscribe": "Բաժանորդագրվել՝ {newsletter}",
    "copyright": "© {year} {publication}",
    "confirm_subject": "Խնդրում ենք հաստատել՝ {newsletter}",
    "confirm_title": "Մնաց մեկ սեղմում",
    "confirm_asked": "Ինչ-որ մեկը, հուսով ենք՝ դուք, {site} կայքում խնդրել է "
    "«{newsletter}»-ն ուղարկել {address} հասցեին։",
    "confirm_button": "Այո, ուղարկեք {newsletter}",
    "confirm_ignore": "Եթե դա դուք չեք եղել, ոչինչ մի՛ արեք. առանց սեղմելու դուք "
    "բաժանորդ չեք դառնա, և այլ նամակ չի գա։",
    "confirm_expires": "Հղումը գործում է մինչև {date}։",
    "copy_address": "Եթե կոճակը չի աշխատում, պատճենեք այս հասցեն ձեր դիտարկիչում՝",
    "notice_reason": "Դուք ստանում եք այս ծանուցումը որպես խմբագիր՝ {publication}։",
}

_TABLES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "hy": ARMENIAN}


def table_language(language: str) -> str:
    """The language of the table that serves a BCP 47 tag: English where there is none yet."""
    primary = language.replace("_", "-").split("-")[0].lower()
    return primary if primary in _TABLES else "en"


def words_of(language: str) -> Mapping[str, str]:
    """The table that serves a BCP 47 tag."""
    return _TABLES[table_language(language)]


def say(key: str, language: str, **names: object) -> str:
    """The words called ``key`` with their names filled in; RenderError for an unknown key."""
    try:
        return words_of(language)[key].format(**names)
    except KeyError as error:
        raise RenderError(
            f'the templates ask for the words "{key}" with {sorted(names)}, '
            f"and the word table has no {error}",
            subject=key,
        ) from error
