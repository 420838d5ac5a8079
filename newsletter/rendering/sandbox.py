"""The environment in which templates run: they print plain values, and reach nothing else.

A paper may replace any template, and whoever writes one is not to be trusted with
the process. Jinja2's sandbox keeps them from what begins with an underscore; this
one also keeps them from the methods of whatever is no plain value, and from
operators that make a value of any size out of a few characters.
"""

from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any

from jinja2 import StrictUndefined, select_autoescape
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.loaders import BaseLoader
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

from newsletter.publication.design import house_design
from newsletter.rendering.filters import FILTERS, TESTS
from newsletter.rendering.translate import GLOBALS, MESSAGES

# Whose methods a template may call: they give back values of the same kinds.
_PLAIN = (str, int, float, list, tuple, dict, date, time, timedelta)
# Jinja2's own: the state of a loop, an imported template's macros, what a template keeps.
_OF_JINJA = (LoopContext, TemplateModule, Cycler, Joiner, Namespace)
_LONGEST = 100_000  # of what a value is repeated to
_MOST_BITS = 10_000  # of a number


class _Loud(StrictUndefined):
    """What is missing, an error also where only a list is printed that it stands in."""

    __slots__ = ()
    __repr__ = StrictUndefined.__str__


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox, without reach to objects."""

    intercepted_binops = frozenset(("*", "**"))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Data of anything, methods of plain values only."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        return not callable(value) or isinstance(obj, (*_PLAIN, *_OF_JINJA))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Repetition and powers, as far as a page can need them; SecurityError beyond."""
        if _is_too_large(operator, left, right):
            raise SecurityError(f"{operator} makes too large a value here")
        return super().call_binop(context, operator, left, right)


def _is_too_large(operator: str, left: Any, right: Any) -> bool:
    """Whether the result would be larger than any page needs."""
    if isinstance(left, int) and isinstance(right, int):
        if operator == "*":
            return left.bit_length() + right.bit_length() > _MOST_BITS
        return left.bit_length() * max(0, right) > _MOST_BITS
    if operator == "*":
        for whole, times in ((left, right), (right, left)):
            if isinstance(whole, (str, bytes, list, tuple)) and isinstance(times, int):
                return len(whole) * times > _LONGEST
    return False


def make_sandbox(loader: BaseLoader) -> Sandbox:
    """The environment for the templates of ``loader``.

    Values are escaped in .html and .xml files. Undefined names are errors.
    """
    environment = Sandbox(
        loader=loader,
        undefined=_Loud,
        autoescape=select_autoescape(("html", "xml")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    # A sentence may run over several lines of the template.
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(**MESSAGES, newstyle=True)  # type: ignore[attr-defined]
    added: Mapping[str, Callable[..., object]] = GLOBALS
    # The house's look, where a page is not a certain paper's.
    environment.globals.update(added, design=house_design())
    environment.filters.update(FILTERS)
    environment.tests.update(TESTS)
    return environment
