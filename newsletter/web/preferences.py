"""The preferences page, and the way of a reader to another address."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import UsageError
from newsletter.log import mask_address
from newsletter.publication.model import Settings
from newsletter.rendering.filters import format_day
from newsletter.subscribers.address import MAX_CHARACTERS
from newsletter.subscribers.address import show_address as shown_address
from newsletter.web.asking import Problem, problem_with
from newsletter.web.context import WebContext
from newsletter.web.endpoint import field
from newsletter.web.language import language_name, page_language
from newsletter.web.pages import render_page
from newsletter.web.rhythm import describe_rhythm
from newsletter.workflows.change_address import (
    AddressQuestion,
    ask_for_address,
    confirm_address,
    read_address_question,
)
from newsletter.workflows.pauses import LONGEST_PAUSE
from newsletter.workflows.preferences import (
    Preferences,
    Wishes,
    read_preferences,
    update_preferences,
)
from newsletter.workflows.take_back_address import read_take_back, take_address_back

_CADENCE, _PAUSE_END = "cadence.", "pause_end."
PREFERENCES_WORDING = "Switched on in the preferences."


def show_preferences(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    preferences = read_preferences(
        context.database, context.keyring, settings, request.path_params["token"]
    )
    return preferences_page(context, request, settings, preferences)


def take_preferences(context: WebContext, request: Request, form: FormData) -> Response:
    settings = context.load_settings()
    token = request.path_params["token"]
    try:
        preferences = update_preferences(
            context.database,
            context.letters(settings),
            token,
            _wishes(form),
            wording=PREFERENCES_WORDING,
            now=context.clock.now(),
        )
    except UsageError as error:
        if error.subject not in ("name", "pause", "pause_until"):
            # No form of ours offers that, or leaves out that it is one.
            raise HTTPException(HTTPStatus.BAD_REQUEST) from error
        preferences = read_preferences(context.database, context.keyring, settings, token)
        return preferences_page(
            context, request, settings, preferences, problem=error.subject, typed=form
        )
    return preferences_page(context, request, settings, preferences, done="saved")


def take_address_wish(context: WebContext, request: Request, form: FormData) -> Response:
    settings = context.load_settings()
    token = request.path_params["token"]
    preferences = read_preferences(context.database, context.keyring, settings, token)
    language = page_language(
        request, settings, reader_language=_reader_language(settings, preferences)
    )
    written = field(form, "address")
    # Sent once more as it was shown, it is meant as it is, or as the button says.
    sure = bool(written) and field(form, "sure") == written
    written = (sure and field(form, "use")) or written
    wrong = problem_with(context, settings, language.words, written, sure=sure)
    if wrong is not None:
        return preferences_page(
            context, request, settings, preferences, problem="address", typed=form, wrong=wrong
        )
    ask_for_address(
        context.database, context.letters(settings), token, written, now=context.clock.now()
    )
    return preferences_page(context, request, settings, preferences, done="address")


def show_address(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    question = read_address_question(
        context.database, context.keyring, request.path_params["token"], now=context.clock.now()
    )
    return _address_page(context, request, question)


def take_address(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    question = confirm_address(
        context.database,
        context.letters(settings),
        request.path_params["token"],
        now=context.clock.now(),
    )
    return _address_page(context, request, question)


def _address_page(context: WebContext, request: Request, question: AddressQuestion) -> Response:
    settings = context.load_settings()
    gone = not (question.possible or question.done)
    return render_page(
        context,
        settings,
        "address",
        language=page_language(request, settings, reader_language=question.subscriber.language),
        status=HTTPStatus.GONE if gone else HTTPStatus.OK,
        question=question,
        masked=mask_address(question.address) if question.address else "",
    )


def show_take_back(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    return _take_back_page(context, request, press=False)


def take_take_back(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    return _take_back_page(context, request, press=True)


def _take_back_page(context: WebContext, request: Request, *, press: bool) -> Response:
    settings = context.load_settings()
    answer = take_address_back if press else read_take_back
    found = answer(
        context.database, context.keyring, request.path_params["token"], now=context.clock.now()
    )
    gone = not (found.possible or found.done)
    return render_page(
        context,
        settings,
        "take_back",
        language=page_language(request, settings, reader_language=found.subscriber.language),
        status=HTTPStatus.GONE if gone else HTTPStatus.OK,
        found=found,
        masked=mask_address(found.address) if found.address else "",
    )


def preferences_page(
    context: WebContext,
    request: Request,
    settings: Settings,
    preferences: Preferences,
    *,
    done: str = "",
    problem: str = "",
    typed: FormData | None = None,
    write_to: str = "",
    possible_from: datetime | None = None,
    wrong: Problem | None = None,
) -> Response:
    """The page, with what was ``done`` ("saved", "address", "data") or the field with a problem.

    ``wrong`` is what to tell at the field of another address. ``done`` "no data" is
    for whom no mail may go to: they may ``write_to`` the paper; with ``possible_from`` only
    until then.
    """
    reader = preferences.subscriber
    now = context.clock.now()
    stored = _as_stored(settings, preferences)
    # A day is judged where its newsletter is made: what is offered is right for all they have.
    zones = {
        one.newsletter.zone_in(settings.publication)
        for one in preferences.choices
        if one.on or one.paused
    } or {settings.publication.zone}
    first_day = max(now.astimezone(zone).date() for zone in zones) + timedelta(days=1)
    last_day = min((now + LONGEST_PAUSE).astimezone(zone).date() for zone in zones)
    language = page_language(
        request, settings, reader_language=_reader_language(settings, preferences)
    )
    return render_page(
        context,
        settings,
        "preferences",
        language=language,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        action=f"{context.base_path}/preferences/{request.path_params['token']}",
        choices=preferences.choices,
        filled=stored if typed is None or problem == "address" else _as_typed(typed, stored),
        pause_days=stored.pause_ends,
        goodbyes=preferences.left,
        rhythms={
            one.newsletter.slug: describe_rhythm(one.newsletter.send_moment, language.words)
            for one in preferences.choices
        },
        named=bool(reader.name),
        wanted_address=(
            shown_address(field(typed, "address")[:MAX_CHARACTERS]) if typed is not None else ""
        ),
        wrong=wrong.sentence if wrong else "",
        suggestion=wrong.suggestion if wrong else "",
        mail_languages=[(tag, language_name(tag)) for tag in preferences.languages],
        first_day=first_day.isoformat(),
        last_day=last_day.isoformat(),
        masked=mask_address(reader.address),
        done=done,
        write_to=write_to,
        # The first day on which it is so at any hour.
        possible_day=format_day(
            possible_from.astimezone(settings.publication.zone).date() + timedelta(days=1),
            language.tag,
            style="long",
        )
        if possible_from
        else "",
        problem=problem,
    )


@dataclass(frozen=True)
class _Filled:
    """What the form holds: newsletters that are ticked, to get and to pause, and by their slugs
    cadences, departments and the days on which pauses end."""

    newsletters: Collection[str]
    cadences: Mapping[str, str]
    departments: Mapping[str, Collection[str]]
    pause_ends: Mapping[str, str]
    language: str
    paused: Collection[str] = ()
    pause_until: str = ""
    name: str = ""
    nameless: bool = False


def _as_stored(settings: Settings, preferences: Preferences) -> _Filled:
    choices = {one.newsletter.slug: one for one in preferences.choices}
    return _Filled(
        newsletters=[slug for slug, one in choices.items() if one.on],
        cadences={slug: one.cadence.value for slug, one in choices.items()},
        departments={slug: one.chosen for slug, one in choices.items()},
        pause_ends={
            slug: day.isoformat() if (day := one.pause_day(settings)) else ""
            for slug, one in choices.items()
        },
        # Not the name: the link is forwarded with the issues it stands in.
        language=preferences.subscriber.language or "",
    )


def _as_typed(form: FormData, stored: _Filled) -> _Filled:
    """Whoever has to mend one field keeps what all others held."""
    shown = _texts(form, "shown")
    narrowed = {slug: _texts(form, f"departments.{slug}") for slug in _texts(form, "narrows")}
    return _Filled(
        # A form that is older than a newsletter says nothing of it.
        newsletters=[
            *_texts(form, "newsletter"),
            *(slug for slug in stored.newsletters if slug not in shown),
        ],
        cadences={
            slug: field(form, _CADENCE + slug) or cadence
            for slug, cadence in stored.cadences.items()
        },
        departments={**stored.departments, **narrowed},
        pause_ends={
            slug: field(form, _PAUSE_END + slug) if _PAUSE_END + slug in form else day
            for slug, day in stored.pause_ends.items()
        },
        language=field(form, "language") if "language" in form else stored.language,
        paused=_texts(form, "pause"),
        pause_until=field(form, "pause_until"),
        name=field(form, "name"),
        nameless="nameless" in form,
    )


def _wishes(form: FormData) -> Wishes:
    if "none" in form:
        # Whatever stands in the other fields: nothing keeps a reader from leaving.
        return Wishes(newsletters=(), shown=_texts(form, "shown"), leave_all=True)
    asked = _texts(form, "narrows")
    return Wishes(
        newsletters=_texts(form, "newsletter"),
        shown=_texts(form, "shown"),
        paused=_texts(form, "pause"),
        pause_until=_day(field(form, "pause_until")),
        pause_ends={
            name.removeprefix(_PAUSE_END): _day(value)
            for name, value in form.items()
            if name.startswith(_PAUSE_END) and isinstance(value, str)
        },
        departments={slug: tuple(_texts(form, f"departments.{slug}")) for slug in asked},
        cadences={
            name.removeprefix(_CADENCE): value
            for name, value in form.items()
            if name.startswith(_CADENCE) and isinstance(value, str)
        },
        name="" if "nameless" in form else field(form, "name").strip() or None,
        language=field(form, "language") if "language" in form else None,
    )


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError("that is no day", subject="pause_until") from error


def _texts(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def _reader_language(settings: Settings, preferences: Preferences) -> str | None:
    """The reader's own language, else the one in which all their newsletters are."""
    if preferences.subscriber.language:
        return preferences.subscriber.language
    choices = preferences.choices
    # Who has just left them all still reads what they were in.
    theirs = [one for one in choices if one.on] or [one for one in choices if one.state]
    languages = {one.newsletter.language_in(settings.publication) for one in theirs}
    return languages.pop() if len(languages) == 1 else None
