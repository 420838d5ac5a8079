"""The options by which an editor writes into an issue: its note, and the part that is no story."""

from typing import Annotated

import typer

from newsletter.errors import UsageError
from newsletter.issues.model import Block, BlockKind

NoteOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help='the note above the stories; "" takes it out')
]
BlockOption = Annotated[
    str | None,
    typer.Option(
        metavar="KIND=TEXT",
        help='a part that is no story: quote=TEXT, number=TEXT or question=TEXT; "" takes it out',
    ),
]
BlockSourceOption = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="below it: who said so, or what the number counts"),
]


def read_block(block: str | None, source: str | None) -> Block | None:
    """The block that the options ask for, None where they ask for none.

    Without text it takes out the one that is there. UsageError says how to write one.
    """
    if block is None:
        if source is not None:
            raise UsageError(
                "--block-source belongs to --block KIND=TEXT", subject="--block-source"
            )
        return None
    if not block.strip():
        return Block(BlockKind.QUOTE, "")
    kind, _, text = block.partition("=")
    text = " ".join(text.split())
    if kind not in frozenset(BlockKind) or not text:
        raise UsageError(
            f'--block: "{block}" is none; write quote=TEXT, number=TEXT or question=TEXT',
            subject="--block",
        )
    kind = BlockKind(kind)
    if kind is BlockKind.QUOTE:
        # The marks are printed in the issue's own language.
        text = text.strip('"“”„«»') or text
    return Block(kind, text, " ".join((source or "").split()))
