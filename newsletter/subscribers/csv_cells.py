"""Cells that a spreadsheet would run as a formula, made harmless and back.

A cell that starts with one of `=+-@`, their full-width twins, a tab or a
carriage return gets an apostrophe before it, which spreadsheets take as "this
is text"; so does what would start a cell where the file is opened with another
separator, or a line break taken for a row's end. One that starts with an
apostrophe gets a second one, so that `unguard_cell` gives back exactly what was
there.
"""

import re

_RUNS = frozenset("=+-@\t\r\n＝＋－＠")
_GUARD = "'"
# Where a program that parts the file in another way would begin a cell.
_INNER = re.compile(r"([;|\t\r\n])(?=[=+\-@＝＋－＠'])")
_INNER_GUARDED = re.compile(r"([;|\t\r\n])'(?=[=+\-@＝＋－＠'])")


def guard_cell(text: str) -> str:
    """``text`` as a cell that no spreadsheet runs."""
    text = _INNER.sub(rf"\1{_GUARD}", text)
    return _GUARD + text if text[:1] in _RUNS or text.startswith(_GUARD) else text


def unguard_cell(text: str) -> str:
    """What `guard_cell` was given."""
    guarded = text.startswith(_GUARD) and (text[1:2] in _RUNS or text[1:2] == _GUARD)
    return _INNER_GUARDED.sub(r"\1", text[1:] if guarded else text)
