"""What a check has to say."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Whether a finding holds the issue back; INFO asks for nothing."""

    STOP = "stop"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One remark: ``what`` is a stable word for machines, ``sentence`` says it to an editor."""

    level: Level
    what: str
    sentence: str


def stops(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that must be mended before the issue may go out."""
    return tuple(finding for finding in findings if finding.level is Level.STOP)
