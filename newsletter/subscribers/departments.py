"""The departments of the paper that a subscription is narrowed to."""

from newsletter.errors import UsageError

# What parts the names in a file, on the command line and in the database.
SEPARATOR = ";"
_LONGEST = 100
# Of all names together: a PostgreSQL B-tree refuses entries above 2,704 bytes.
_LONGEST_CHOICE = 500


def parse_departments(text: str) -> tuple[str, ...]:
    """The names in ``text``, parted by ";", each once, in the order of the alphabet.

    The same choice is always the same value; a name counts once, in capitals or
    not. None means all departments. UsageError for what no department is called.
    """
    names: dict[str, str] = {}
    for part in text.split(SEPARATOR):
        name = " ".join(part.split())
        if len(name) > _LONGEST or not name.isprintable():
            raise UsageError(
                f"a department has a name of more than {_LONGEST} characters, or of some that "
                "can't be printed",
                subject="departments",
            )
        if name:
            names.setdefault(name.casefold(), name)
    if sum(map(len, names.values())) + len(names) > _LONGEST_CHOICE:
        raise UsageError(
            f"the departments have more than {_LONGEST_CHOICE} characters in all",
            subject="departments",
        )
    return tuple(names[key] for key in sorted(names))


def join_departments(names: tuple[str, ...]) -> str:
    """The names as `parse_departments` reads them back."""
    return SEPARATOR.join(names)
