"""What the baselines of the delivery bench send: the same issue as the engine, as a file."""

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Letter:
    """An issue's content with the marks of its reader slots, and one finished message.

    ``sample`` has CRLF line ends and is not dot-stuffed.
    """

    subject: str
    from_name: str
    from_address: str
    base_url: str
    text: str
    html: str
    sample: bytes


def write_letter(letter: Letter, path: Path) -> None:
    """Keep ``letter`` at ``path``."""
    document = {**asdict(letter), "sample": base64.b64encode(letter.sample).decode()}
    path.write_text(json.dumps(document), encoding="utf-8")


def read_letter(path: Path) -> Letter:
    """The letter of `write_letter`."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return Letter(**{**document, "sample": base64.b64decode(document["sample"])})
