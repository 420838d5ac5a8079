"""The one Jinja2 environment: the shipped templates, and a paper's own before them."""

import traceback
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    select_autoescape,
)

from newsletter.errors import ConfigError, NewsletterError, RenderError
from newsletter.rendering.filters import FILTERS, TESTS
from newsletter.rendering.translate import GLOBALS, MESSAGES

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_templates() -> Path:
    """The folder of the templates: inside the package in a wheel, beside it in a checkout."""
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if folder.is_dir():
            return folder
    raise RenderError(
        f"the templates that belong to {_PACKAGE} are missing; install the package again",
        subject=str(_PACKAGE),
    )


class Templates:
    """Templates by name, such as ``email/issue.html`` or ``web/archive.html``.

    A file of ``own_folder`` takes the place of the shipped one of the same name,
    and reaches it as ``shipped/email/issue.html`` to extend it. Values are
    escaped in .html files. Undefined names are errors.
    """

    def __init__(self, own_folder: Path | None = None) -> None:
        if own_folder is not None and not own_folder.is_dir():
            raise ConfigError(
                f"there is no folder {own_folder}; create it or take the key for your own "
                "templates out of the config",
                subject=str(own_folder),
            )
        shipped = FileSystemLoader(shipped_templates())
        loaders = [shipped, PrefixLoader({"shipped": shipped})]
        if own_folder is not None:
            loaders.insert(0, FileSystemLoader(own_folder))
        self._environment = Environment(
            loader=ChoiceLoader(loaders),
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html", "xml")),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n"],
        )
        # A sentence may run over several lines of the template.
        self._environment.policies["ext.i18n.trimmed"] = True
        self._environment.install_gettext_callables(**MESSAGES, newstyle=True)  # type: ignore[attr-defined]
        self._environment.globals.update(GLOBALS)
        self._environment.filters.update(FILTERS)
        self._environment.tests.update(TESTS)

    def render(self, name: str, /, **context: object) -> str:
        """The template called ``name`` with ``context``; RenderError names file and line."""
        try:
            return self._environment.get_template(name).render(**context)
        except TemplateNotFound as error:
            raise RenderError(
                f'there is no template "{error.name}" (wanted by {name})', subject=name
            ) from error
        except TemplateSyntaxError as error:
            where = error.filename or error.name or name
            raise RenderError(
                f"{where}, line {error.lineno}: {error.message}", subject=name
            ) from error
        except NewsletterError:
            raise
        # A template is a program, of the paper's own if it likes: it can fail in any way.
        except Exception as error:
            raise RenderError(f"{_place_of(error, name)}: {error}", subject=name) from error


def _place_of(error: Exception, name: str) -> str:
    """Where in the templates it went wrong: Jinja2 puts their lines into the traceback."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).suffix in (".html", ".txt", ".xml", ".css"):
            return f"{frame.filename}, line {frame.lineno}"
    return name
