"""The house's rules that the import linter can't see, read from the source itself."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "newsletter"
# Alembic's own environment and generated steps follow its conventions.
FILES = sorted(
    file.relative_to(HOUSE)
    for file in HOUSE.rglob("*.py")
    if not file.is_relative_to(HOUSE / "storage/migrations")
)

STAGES = {
    "sources",
    "pictures",
    "stories",
    "ranking",
    "issues",
    "subscribers",
    "rendering",
    "checks",
    "delivery",
    "feedback",
}
VAGUE_MODULES = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "base"}
VAGUE_ENDINGS = ("Manager", "Handler", "Service", "Helper", "Util", "Utils")

LAZY_LOADERS = {
    Path("cli/loading.py"): "loads one command's module, so that --help is quick",
    Path("storage/database.py"): "loads Alembic only where something is to migrate",
    Path("rendering/inline.py"): "loads premailer only where something is rendered",
}
CLOCKS = {
    Path("clock.py"): "the clock itself",
}
CLOCK_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}
# Files that may catch everything, each with its reason. Whoever catches everything
# only to clean up and raise it again needs no place here.
CATCH_ALL = {
    Path("delivery/openers.py"): "raises it again in the thread that asked for the connection",
    Path("scheduling/scheduler.py"): "the scheduler's job wrapper: the next tick must come",
    Path("workflows/reader_uploads.py"): "the loop over what waits: what can't be read ends failed",
    Path("rendering/inline.py"): "premailer's adapter",
    Path("rendering/environment.py"): "Jinja2's adapter: a template is foreign code",
    Path("sources/feed_adapter.py"): "feedparser's adapter",
    Path("pictures/decode.py"): "Pillow's adapter: its decoders raise whatever they meet",
}

Rule = Callable[[Path, ast.Module], Iterator[str]]


def find_hidden_imports(file: Path, tree: ast.Module) -> Iterator[str]:
    """Imports stand at a file's top, where one sees them; optional packages excepted."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        optional = {
            id(node)
            for attempt in ast.walk(function)
            if isinstance(attempt, ast.Try) and _expects_import_error(attempt)
            for node in attempt.body
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in optional:
                yield f"{file}:{node.lineno} imports inside a function"
    for node in ast.walk(tree):
        name = _dotted(node.func) if isinstance(node, ast.Call) else ()
        if name and name[-1] in {"import_module", "__import__"} and file not in LAZY_LOADERS:
            yield f"{file}:{node.lineno} loads a module by name"


def _expects_import_error(attempt: ast.Try) -> bool:
    return any(
        isinstance(handler.type, ast.Name)
        and handler.type.id in {"ImportError", "ModuleNotFoundError"}
        for handler in attempt.handlers
    )


def find_code_in_doors(file: Path, tree: ast.Module) -> Iterator[str]:
    """A room's door tells what the room is, and does nothing."""
    if file.name != "__init__.py" or len(file.parts) == 1:  # the house's own may tell its version
        return
    if ast.get_docstring(tree) is None:
        yield f"{file} does not say what the room is"
    if len(tree.body) > 1:
        yield f"{file}:{tree.body[1].lineno} holds more than a docstring"


def find_vague_names(file: Path, tree: ast.Module) -> Iterator[str]:
    """A name says what a thing is, in the field's words."""
    for part in (*file.parts[:-1], file.stem):
        if part in VAGUE_MODULES:
            yield f"{file} is named {part}"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(VAGUE_ENDINGS):
            yield f"{file}:{node.lineno} names a class {node.name}"


def find_logic_in_storage(file: Path, tree: ast.Module) -> Iterator[str]:
    """Storage knows the stages' nouns and what they ask of it, never their logic."""
    if file.parts[0] != "storage":
        return
    for node in ast.walk(tree):
        for module in _imported_modules(node):
            parts = module.split(".")
            of_a_stage = parts[0] == "newsletter" and parts[1:2] != [] and parts[1] in STAGES
            if of_a_stage and parts[2:] not in (["model"], ["ports"]):
                yield f"{file}:{node.lineno} imports {module}; model and ports are open to it"


def _imported_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        # "from newsletter.sources import rest" names a module in its second half.
        if module.count(".") < 2:
            return [f"{module}.{alias.name}" for alias in node.names]
        return [module]
    return []


def find_swallowed_errors(file: Path, tree: ast.Module) -> Iterator[str]:
    """Whoever catches everything hides faults; a few known places translate them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or not _catches_all(node):
            continue
        last = node.body[-1]
        cleans_up = isinstance(last, ast.Raise) and last.exc is None
        if not cleans_up and file not in CATCH_ALL:
            yield f"{file}:{node.lineno} catches everything"


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or _dotted(kind)[-1:] in {("Exception",), ("BaseException",)} for kind in kinds
    )


def find_own_clocks(file: Path, tree: ast.Module) -> Iterator[str]:
    """The time comes as an argument or from the injected clock."""
    if file in CLOCKS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _dotted(node)[-2:] in CLOCK_CALLS:
            yield f"{file}:{node.lineno} asks the machine for the time"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if ("time", alias.name) in CLOCK_CALLS:
                    yield f"{file}:{node.lineno} imports a clock"


def _dotted(node: ast.AST) -> tuple[str, ...]:
    """``a.b.c`` as a tuple; empty where it begins with anything but a name."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        start = _dotted(node.value)
        return (*start, node.attr) if start else ()
    return ()


RULES: list[Rule] = [
    find_hidden_imports,
    find_code_in_doors,
    find_vague_names,
    find_logic_in_storage,
    find_swallowed_errors,
    find_own_clocks,
]


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    assert len(FILES) > 50
    broken = [
        sentence
        for file in FILES
        for sentence in rule(file, ast.parse((HOUSE / file).read_text(encoding="utf-8")))
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("rule", "allowed", "file"),
    [
        (rule, allowed, file)
        for rule, allowed in (
            (find_hidden_imports, LAZY_LOADERS),
            (find_swallowed_errors, CATCH_ALL),
            (find_own_clocks, CLOCKS),
        )
        for file in allowed
    ],
)
def test_every_allowance_is_needed(
    monkeypatch: pytest.MonkeyPatch, rule: Rule, allowed: dict[Path, str], file: Path
) -> None:
    tree = ast.parse((HOUSE / file).read_text(encoding="utf-8"))
    monkeypatch.delitem(allowed, file)
    assert list(rule(file, tree)) != []


@pytest.mark.parametrize(
    ("rule", "file", "source"),
    [
        (find_hidden_imports, "web/app.py", "def f():\n    import json"),
        (find_hidden_imports, "web/app.py", "async def f():\n    if x:\n        from a import b"),
        (
            find_hidden_imports,
            "web/app.py",
            "from importlib import import_module\nimport_module('x')",
        ),
        (find_code_in_doors, "web/__init__.py", ""),
        (find_code_in_doors, "web/__init__.py", '"""Web."""\nfrom newsletter.web import app'),
        (find_vague_names, "web/utils.py", ""),
        (find_vague_names, "common/model.py", ""),
        (find_vague_names, "web/app.py", "class IssueManager: ..."),
        (find_logic_in_storage, "storage/stories.py", "from newsletter.stories.merge import merge"),
        (find_logic_in_storage, "storage/stories.py", "from newsletter.stories import merge"),
        (find_logic_in_storage, "storage/stories.py", "import newsletter.delivery.retry"),
        (find_swallowed_errors, "web/app.py", "try: f()\nexcept Exception: pass"),
        (find_swallowed_errors, "web/app.py", "try: f()\nexcept: pass"),
        (find_swallowed_errors, "web/app.py", "try: f()\nexcept (OSError, Exception) as e: log(e)"),
        (find_swallowed_errors, "web/app.py", "try: f()\nexcept Exception as e: raise A() from e"),
        (find_own_clocks, "web/app.py", "datetime.now(UTC)"),
        (find_own_clocks, "web/app.py", "datetime.datetime.utcnow()"),
        (find_own_clocks, "web/app.py", "field(default_factory=date.today)"),
        (find_own_clocks, "web/app.py", "from time import time"),
    ],
)
def test_a_broken_rule_is_seen(rule: Rule, file: str, source: str) -> None:
    assert list(rule(Path(file), ast.parse(source))) != []


@pytest.mark.parametrize(
    ("rule", "file", "source"),
    [
        (
            find_hidden_imports,
            "web/app.py",
            "def f():\n    try:\n        import uvloop\n    except ImportError:\n        pass",
        ),
        (find_hidden_imports, "cli/loading.py", "importlib.import_module('x')"),
        (find_code_in_doors, "web/__init__.py", '"""The pages."""'),
        (find_vague_names, "web/app.py", "class Helpful: ..."),
        (find_logic_in_storage, "storage/a.py", "from newsletter.stories.model import Story"),
        (find_logic_in_storage, "storage/a.py", "from newsletter.delivery import ports"),
        (find_logic_in_storage, "workflows/a.py", "from newsletter.stories.merge import merge"),
        (
            find_swallowed_errors,
            "web/app.py",
            "try: f()\nexcept BaseException:\n    g()\n    raise",
        ),
        (find_own_clocks, "web/app.py", "clock.now()\ntime.monotonic()"),
    ],
)
def test_what_is_allowed_passes(rule: Rule, file: str, source: str) -> None:
    assert list(rule(Path(file), ast.parse(source))) == []
