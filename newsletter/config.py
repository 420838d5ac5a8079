"""The config file: bootstrap, read once and frozen, beside the settings it seeds.

Any key may also come from the environment as ``NEWSLETTER_TABLE__KEY``, in
arrays by slug (``NEWSLETTER_RELAY__MAIN__PASSWORD``). What is unknown, in the
file or in the environment, stops the start with one sentence.
"""

import difflib
import ipaddress
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from newsletter.errors import ConfigError

_PREFIX = "NEWSLETTER_"
# Names that configure the command line or the tests, and no key of the file.
_NOT_KEYS = ("NEWSLETTER_CONFIG", "NEWSLETTER_TEST_PG_URL")
_ARRAYS = ("relay", "source", "reads", "newsletter", "section", "placement")
_SETTINGS_TABLES = (
    "publication",
    "source",
    "reads",
    "newsletter",
    "delivery",
    "bounces",
    "inbox",
    "tracking",
    "pictures",
    "checks",
    "sign_up",
)

M = TypeVar("M", bound=BaseModel)


def shaped(pattern: str, words: str, *, longest: int = 2000) -> AfterValidator:
    """Refuse a text that does not match ``pattern``, saying in ``words`` what it has to be."""

    def check(text: str) -> str:
        if len(text) > longest or not re.fullmatch(pattern, text):
            raise ValueError(f'"{text[:60]}" is not {words}')
        return text

    return AfterValidator(check)


Slug = Annotated[
    str,
    shaped(r"[a-z0-9]+(-[a-z0-9]+)*", "of small letters, digits and hyphens only", longest=40),
]


class Table(BaseModel):
    """A table of the config file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseTable(Table):
    """Where everything is kept."""

    url: Annotated[
        str,
        shaped(r"(sqlite:///|postgresql://).+", "sqlite:///FILE or postgresql://USER@HOST/NAME"),
    ] = Field(
        "sqlite:///data/newsletter.sqlite",
        description="sqlite:///FILE (relative to the config file) or postgresql://USER@HOST/NAME",
    )
    durability: Literal["process", "full"] = Field(
        "process",
        description="process survives the death of the service, full the loss of power too",
    )


SHORTEST_API_KEY = 32
_WEAK_KEY = (
    f"a key for the API has at least {SHORTEST_API_KEY} characters; "
    "`openssl rand -hex 32` makes one"
)


class WebTable(Table):
    """The public pages."""

    base_url: Annotated[
        str, shaped(r"https?://[^\s/]\S*[^\s/]", "a web address without a slash at its end")
    ] = Field(
        "http://127.0.0.1:8000",
        description="the root of every link in a mail, without a slash at the end",
    )
    desk_url: Annotated[
        str,
        shaped(
            r"(?:https?://[^\s/]+)?",
            "a web address of a host alone, such as https://desk.paper.example",
        ),
    ] = Field(
        "",
        description="a host of its own for the editors' desk, such as "
        "https://desk.paper.example: it serves nothing else, and no other serves it; empty: "
        "base_url's",
    )
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses of proxies whose X-Forwarded-For is believed"
    )
    api_key: str = Field(
        "",
        repr=False,
        description="what programs show to read readers by the API; better given by api_key_file; "
        "empty: nobody may",
    )
    api_key_file: Path | None = Field(
        None, description="a file that holds nothing but that key, of at least 32 characters"
    )

    @model_validator(mode="after")
    def _check(self) -> "WebTable":
        if self.api_key and self.api_key_file:
            raise ValueError("give either api_key or api_key_file")
        if self.api_key and len(self.api_key) < SHORTEST_API_KEY:
            raise ValueError(_WEAK_KEY)
        return self

    def secret(self) -> str:
        """The API's key, from wherever it is kept; ConfigError if its file is no use."""
        if self.api_key_file is None:
            return self.api_key
        key = _read_secret(self.api_key_file, "[web] api_key_file")
        if len(key) < SHORTEST_API_KEY:
            raise ConfigError(f"{self.api_key_file}: {_WEAK_KEY}", subject="web.api_key_file")
        return key

    @property
    def desk(self) -> str:
        """Where the desk lies: below its own host's root, or beside the readers' pages."""
        return f"{self.desk_url or self.base_url}/desk"


class RelayTable(Table):
    """An SMTP server that we hand mail to."""

    slug: Slug = Field(description="its identity")
    host: str = Field(min_length=1, description="its name, which its certificate must show")
    port: int = Field(587, ge=1, le=65535, description="587 for starttls, 465 for tls")
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="verified always; none is for a server on this machine"
    )
    username: str = Field("", description="empty: no login")
    password: str = Field("", repr=False, description="better given by password_file")
    password_file: Path | None = Field(
        None, description="a file that holds nothing but the password"
    )
    connections: int = Field(
        4,
        ge=1,
        le=256,
        description="how many at the same time, of all workers; of several one is kept for "
        "confirmations and notices",
    )
    rate: float = Field(
        0, ge=0, description="how many messages a second, of all workers; 0: as many as it takes"
    )
    daily_cap: int = Field(
        0, ge=0, description="how many messages of issues a day (UTC), of all workers; 0: no cap"
    )
    warm_up: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (), description="the caps of the first days on which it sends, such as [200, 500, 2000]"
    )
    weight: int = Field(
        1, ge=0, description="its share of the work beside other relays; 0: only where no other can"
    )

    @model_validator(mode="after")
    def _check(self) -> "RelayTable":
        if self.password and self.password_file:
            raise ValueError("give either password or password_file")
        if (
            self.username
            and self.tls == "none"
            and self.host not in ("127.0.0.1", "::1", "localhost")
        ):
            raise ValueError('a login over tls = "none" would show the password to the network')
        return self

    def secret(self) -> str:
        """The password, from wherever it is kept; ConfigError if its file can't be read."""
        if self.password_file is None:
            return self.password
        return _read_secret(self.password_file, f'relay "{self.slug}": password_file')


def _read_secret(path: Path, key: str) -> str:
    """What a file holds; ``key`` says in which key of the config it is named."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"{key} {path} can't be read ({why})", subject=key) from error


Selector = Annotated[
    str,
    shaped(
        r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", "of small letters, digits and hyphens only", longest=63
    ),
]
Domain = Annotated[
    str,
    shaped(
        r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)?",
        "a domain in small letters, such as paper.example",
        longest=253,
    ),
]


class DkimTable(Table):
    """How mail is signed (RFC 6376)."""

    selectors: tuple[Selector, ...] = Field(
        (),
        max_length=2,
        description="the keys in data_dir/dkim that sign new mail: an RSA one, and beside it an "
        "Ed25519 one by choice; empty: mail is not signed here",
    )
    domain: Domain = Field(
        "", description="the signing domain; empty: that of each newsletter's sender"
    )

    @model_validator(mode="after")
    def _check(self) -> "DkimTable":
        if len(set(self.selectors)) < len(self.selectors):
            raise ValueError("selectors names the same key twice")
        return self


def _numeric_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise ValueError(f'"{text[:60]}" is not a numeric address such as 192.0.2.53') from error
    return text


class DnsTable(Table):
    """Whom DNS is asked of: for `newsletter check`, keys before a send, and mail hosts."""

    nameservers: tuple[Annotated[str, AfterValidator(_numeric_address)], ...] = Field(
        (), description="numeric addresses of name servers; empty: the machine's"
    )
    port: int = Field(53, ge=1, le=65535, description="their port")


class PrivacyTable(Table):
    """How long what is known of readers is kept; a run each night lets go of the rest."""

    unconfirmed_days: int = Field(
        30, ge=8, description="sign-ups that nobody confirmed; their link works for seven days"
    )
    network_days: int = Field(
        180,
        ge=0,
        description="the keyed hash of the network that a reader agreed from; 0: as long as the "
        "consent",
    )
    confirmations_days: int = Field(
        1095,
        ge=0,
        description="how many confirmations went to an address that nobody answered, by a keyed "
        "hash; afterwards three more may; 0: always",
    )
    unsubscribed_days: int = Field(
        1095,
        ge=0,
        description="who has left all newsletters: then erased, but for a keyed hash that keeps "
        "them off; above the 30 days of the undo, or 0: as long as it lasts",
    )
    change_log_days: int = Field(
        1095, ge=0, description="what the change log tells of readers in detail; 0: always"
    )
    ledger_days: int = Field(
        400,
        ge=0,
        description="who was sent an issue and who clicked in it, and system mail: then only "
        "counts are left; 0: always",
    )

    @model_validator(mode="after")
    def _check(self) -> "PrivacyTable":
        if 0 < self.unsubscribed_days <= 30:
            raise ValueError("unsubscribed_days must be above 30, because an undo works that long")
        if 0 < self.ledger_days < 30:
            raise ValueError("ledger_days must be at least 30: bounces and clicks come for weeks")
        return self


class LogTable(Table):
    """What is logged, on standard error."""

    format: Literal["text", "json"] = Field("text", description="key=value lines, or JSON")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="from where up")


class Bootstrap(Table):
    """What a process needs before it can read the settings."""

    data_dir: Path = Field(
        Path("data"),
        description="keys, locks and the pictures of mails (relative to the config file); part of "
        "any backup",
    )
    templates_dir: Path | None = Field(
        None, description="a folder whose templates take the place of those shipped"
    )
    database: DatabaseTable = DatabaseTable()
    web: WebTable = WebTable()
    relay: tuple[RelayTable, ...] = Field((), description="the SMTP server to hand mail to")
    dkim: DkimTable = DkimTable()
    dns: DnsTable = DnsTable()
    privacy: PrivacyTable = PrivacyTable()
    log: LogTable = LogTable()

    @model_validator(mode="after")
    def _check(self) -> "Bootstrap":
        slugs = [relay.slug for relay in self.relay]
        for slug in slugs:
            if slugs.count(slug) > 1:
                raise ValueError(f'two [[relay]] tables have the slug "{slug}"; rename one')
        return self


@dataclass(frozen=True)
class Config:
    """A config file as read: ``settings`` is the raw document of the settings' tables.

    ``origins`` names the environment variable of each key that came from one, and
    ``given`` is the raw document of the others, from which ``bootstrap`` was made.
    """

    path: Path
    bootstrap: Bootstrap
    settings: dict[str, Any]
    origins: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """The config of ``path`` with the environment laid over it; ConfigError says what to mend."""
    document = _read_toml(path)
    origins = _lay_environment_over(document, environ, path)
    known = [*Bootstrap.model_fields, *_SETTINGS_TABLES]
    for name in document:
        if name not in known:
            where = f"environment: {origins[name]}" if name in origins else path
            raise ConfigError(f'{where}: unknown key "{name}"{_nearest(name, known)}', subject=name)
    settings = {name: document.pop(name) for name in _SETTINGS_TABLES if name in document}
    bootstrap = validate(Bootstrap, document, str(path), origins)
    root = path.resolve().parent
    _resolve_counter_paths(settings.get("reads"), root)
    return Config(path, _resolve_paths(bootstrap, root), settings, origins, document)


def validate(
    model: type[M],
    document: Mapping[str, Any],
    where: str,
    origins: Mapping[str, str] | None = None,
) -> M:
    """``document`` as ``model``; ConfigError names ``where``, the key and the mend.

    Where the key came from the environment (``origins``), its variable is named instead.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problems = error.errors()
        # A key nobody knows explains the missing one beside it: tell it first.
        first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        sentence = _sentence(model, document, first["loc"], first["type"], first["msg"])
        dotted = ".".join(map(str, first["loc"]))
        if origins and dotted in origins:
            where = f"environment: {origins[dotted]}"
        raise ConfigError(f"{where}: {sentence}{more}", subject=dotted) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; `newsletter init --site URL` writes one",
            subject=str(path),
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror})", subject=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}", subject=str(path)) from error


def _resolve_paths(bootstrap: Bootstrap, root: Path) -> Bootstrap:
    """Paths count from the config file, so that the folder one starts in does not matter."""
    url = bootstrap.database.url
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{root / url.removeprefix('sqlite:///')}"
    return bootstrap.model_copy(
        update={
            "data_dir": root / bootstrap.data_dir,
            "templates_dir": bootstrap.templates_dir and root / bootstrap.templates_dir,
            "database": bootstrap.database.model_copy(update={"url": url}),
            "web": bootstrap.web.model_copy(
                update={
                    "api_key_file": bootstrap.web.api_key_file and root / bootstrap.web.api_key_file
                }
            ),
            "relay": tuple(
                relay.model_copy(
                    update={"password_file": relay.password_file and root / relay.password_file}
                )
                for relay in bootstrap.relay
            ),
        }
    )


def _resolve_counter_paths(counters: Any, root: Path) -> None:
    """The same for the files that [[reads]] name, before they go into the settings' rows."""
    for counter in counters if isinstance(counters, list) else ():
        for key in ("path", "password_file"):
            if isinstance(counter, dict) and isinstance(counter.get(key), str) and counter[key]:
                counter[key] = str(root / counter[key])


def _lay_environment_over(
    document: dict[str, Any], environ: Mapping[str, str], path: Path
) -> dict[str, str]:
    """Set the keys that the environment names; which variable each dotted key came from."""
    origins = {}
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in _NOT_KEYS:
            keys = name.removeprefix(_PREFIX).lower().split("__")
            origins[_set_key(document, keys, _environment_value(environ[name]), name, path)] = name
    return origins


def _set_key(document: dict[str, Any], keys: list[str], value: Any, name: str, path: Path) -> str:
    """Set one key; its place in the document, dotted."""
    *tables, last = keys
    place: Any = document
    walked: list[str] = []
    for depth, key in enumerate(tables):
        if isinstance(place, list):
            number = _entry_called(place, key, name, path)
            place = place[number]
            walked.append(str(number))
            continue
        known = [*Bootstrap.model_fields, *_SETTINGS_TABLES]
        if depth == 0 and key not in known:
            raise ConfigError(
                f'environment: {name} names an unknown table "{key}"{_nearest(key, known)}',
                subject=name,
            )
        place = place.setdefault(key, [] if key in _ARRAYS else {})
        walked.append(key)
    if not isinstance(place, dict):
        raise ConfigError(f"environment: {name} names no key of {path}", subject=name)
    place[last] = value
    return ".".join((*walked, last))


def _entry_called(entries: list[Any], key: str, name: str, path: Path) -> int:
    """The place of the entry whose slug is ``key``; a hyphen can't stand in a variable's name."""
    slugs = [str(entry.get("slug", "")) if isinstance(entry, dict) else "" for entry in entries]
    for wanted in (key, key.replace("_", "-")):
        if wanted in slugs:
            return slugs.index(wanted)
    raise ConfigError(
        f'environment: {name} names "{key}", and {path} has no entry of that slug'
        f"{_nearest(key, slugs)}",
        subject=name,
    )


def _environment_value(text: str) -> Any:
    """A list or a table is written as JSON; everything else is taken as it stands."""
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _sentence(
    model: type[BaseModel],
    document: Mapping[str, Any],
    loc: tuple[int | str, ...],
    kind: str,
    message: str,
) -> str:
    place = ": ".join(_names(document, loc[:-1] if kind in ("extra_forbidden", "missing") else loc))
    prefix = f"{place}: " if place else ""
    if kind == "extra_forbidden":
        known = list(_fields_at(model, loc[:-1]))
        return f'{prefix}unknown key "{loc[-1]}"{_nearest(str(loc[-1]), known)}'
    if kind == "missing":
        return f'{prefix}the key "{loc[-1]}" is missing'
    return prefix + _plain_words(message)


def _plain_words(message: str) -> str:
    """A validator's own sentence as it is; pydantic's with what it says put plainly."""
    words = message.removeprefix("Value error, ").removeprefix("Input s")
    return words if words == message.removeprefix("Value error, ") else f"s{words}"


def _names(document: Any, loc: tuple[int | str, ...]) -> Iterator[str]:
    """The tables on the way to a key, array entries by their slug."""
    waiting = ""
    for part in loc:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            document = None
        if isinstance(part, int):
            slug = document.get("slug") if isinstance(document, dict) else None
            yield f'{waiting} "{slug}"' if slug else f"{waiting} {part + 1}"
            waiting = ""
        else:
            if waiting:
                yield waiting
            waiting = part
    if waiting:
        yield waiting


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> Iterator[str]:
    """The keys that the table at ``loc`` knows."""
    for part in loc:
        if isinstance(part, str):
            field = next(
                (f for name, f in model.model_fields.items() if part in (name, f.alias)), None
            )
            inner = _model_in(field.annotation) if field else None
            if inner is None:
                return
            model = inner
    for name, field in model.model_fields.items():
        yield field.alias or name


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, getattr(annotation, "__args__", ()))), None)


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known here: {', '.join(sorted(known))}" if known else ""
