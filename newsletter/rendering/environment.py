"""Templates by name: the shipped ones, and a paper's own before them."""

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import GeneratorType
from typing import NamedTuple

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
)

from newsletter.errors import ConfigError, NewsletterError, RenderError
from newsletter.rendering.bounded import LARGEST, SECONDS, BoundedRenderer
from newsletter.rendering.sandbox import Sandbox, make_sandbox

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".html", ".txt", ".xml", ".css", ".svg")


def shipped_templates() -> Path:
    """The folder of the templates: inside the package in a wheel, beside it in a checkout."""
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if folder.is_dir():
            return folder
    raise RenderError(
        f"the templates that belong to {_PACKAGE} are missing; install the package again",
        subject=str(_PACKAGE),
    )


class SourceFault(NamedTuple):
    """What is wrong in a template's source, and in which line."""

    line: int
    sentence: str


class Templates:
    """Templates by name, such as ``email/issue.html`` or ``web/archive.html``.

    A file of ``own_folder`` takes the place of the shipped one of the same name,
    and reaches it as ``shipped/email/issue.html`` to extend it. Where there is
    such a folder, everything is rendered in a process that has little memory and
    ``seconds`` of time.
    """

    def __init__(self, own_folder: Path | None = None, *, seconds: float = SECONDS) -> None:
        if own_folder is not None and not own_folder.is_dir():
            raise ConfigError(
                f"there is no folder {own_folder}; create it or take the key for your own "
                "templates out of the config",
                subject=str(own_folder),
            )
        self.own_folder = own_folder
        self._bounded = BoundedRenderer(own_folder, seconds) if own_folder is not None else None
        self._sandbox = open_sandbox(None)

    def render(self, name: str, /, **context: object) -> str:
        """The template called ``name`` with ``context``; RenderError names file and line."""
        if self._bounded is not None:
            return self._bounded.render(name, context)
        return render_template(self._sandbox, name, context)


def lint_source(name: str, source: str) -> tuple[SourceFault, ...]:
    """What is wrong with a template before it is rendered: syntax, names, private parts."""
    sandbox = open_sandbox(None)
    try:
        tree = sandbox.parse(source, name)
        sandbox.compile(source, name)
    except TemplateSyntaxError as error:
        return (
            SourceFault(error.lineno, f"{(error.message or 'It is no template').rstrip('.')}."),
        )
    return tuple(sorted(set(_find_private(tree)), key=lambda fault: fault.line))


def read_names(name: str, source: str) -> dict[str, int]:
    """The variables that a template reads and does not set itself, and the line of each.

    The source is one that `lint_source` finds nothing against.
    """
    tree = open_sandbox(None).parse(source, name)
    wanted = meta.find_undeclared_variables(tree)
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        if node.name in wanted and node.ctx == "load":
            lines.setdefault(node.name, node.lineno)
    return lines


def _find_private(tree: nodes.Template) -> Iterator[SourceFault]:
    """Attributes that lead out of what a template is given, into Python's own objects."""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Filter)):
        name = ""
        if isinstance(node, nodes.Getattr):
            name = node.attr
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            name = str(node.arg.value)
        elif isinstance(node, nodes.Filter) and node.name == "attr":
            first = node.args[0] if node.args else None
            name = str(first.value) if isinstance(first, nodes.Const) else ""
        if name.startswith("_"):
            yield SourceFault(
                node.lineno, f"It reaches for “{name[:60]}”, which is no part of what it is given."
            )


def open_sandbox(own_folder: Path | None) -> Sandbox:
    """The environment of the shipped templates, those of ``own_folder`` before them."""
    shipped = FileSystemLoader(shipped_templates())
    own = [FileSystemLoader(own_folder)] if own_folder is not None else []
    return make_sandbox(ChoiceLoader([*own, shipped, PrefixLoader({"shipped": shipped})]))


def render_template(sandbox: Sandbox, name: str, context: Mapping[str, object]) -> str:
    """The template called ``name``; RenderError names file and line, also of a mere mistake."""
    try:
        return _write(sandbox.get_template(name), context)
    except TemplateNotFound as error:
        raise RenderError(
            f'there is no template "{error.name}" (wanted by {name})', subject=name
        ) from error
    except TemplateSyntaxError as error:
        where = error.filename or error.name or name
        raise RenderError(f"{where}, line {error.lineno}: {error.message}", subject=name) from error
    except NewsletterError:
        raise
    # A template is a program, of the paper's own if it likes: it can fail in any way.
    except Exception as error:
        raise RenderError(f"{_place_of(error, name)}: {_say(error)}", subject=name) from error


class _TooLarge(Exception):
    """What a template ran into; its argument is the place."""


def _write(template: Template, context: Mapping[str, object]) -> str:
    pieces = []
    size = 0
    stream = template.generate(**context)
    for piece in stream:
        size += len(piece)
        if size > LARGEST:
            raise _TooLarge(_place_within(stream) or str(template.name))
        pieces.append(piece)
    return "".join(pieces)


def _say(error: Exception) -> str:
    if isinstance(error, _TooLarge):
        return f"it writes more than {LARGEST:,} characters"
    if isinstance(error, MemoryError):
        return "it needs more memory than a template gets"
    if isinstance(error, RecursionError):
        return "it goes round in a circle"
    return str(error)


def _place_within(stream: Iterator[str]) -> str:
    """Where a template stands that was not done: in what it includes, if that is being written."""
    place = ""
    inner: object = stream
    while isinstance(inner, GeneratorType) and (frame := inner.gi_frame) is not None:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            file = template.filename or template.name
            place = f"{file}, line {template.get_corresponding_lineno(frame.f_lineno)}"
        # So Jinja2 calls it in the code that it makes of an include.
        inner = inner.gi_yieldfrom or frame.f_locals.get("gen")
    return place


def _place_of(error: Exception, name: str) -> str:
    """Where in the templates it went wrong: Jinja2 puts their lines into the traceback."""
    if isinstance(error, _TooLarge):
        return str(error)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).suffix in _SUFFIXES:
            return f"{frame.filename}, line {frame.lineno}"
    return name
