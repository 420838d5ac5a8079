"""Logs: a short event name, then stable keys, as key=value or JSON, on standard error.

Never a whole address or token: `mask_address` is the one way to name a reader.
"""

import logging
import sys
from typing import Any, Literal

import structlog

Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]


def get_logger(name: str) -> Any:
    """A logger whose methods take an event name and keyword values."""
    return structlog.stdlib.get_logger(name)


def mask_address(address: str) -> str:
    """``lilit@paper.example`` as ``l…@paper.example``: enough to recognise, not to mail."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{at}{domain}"


def configure_logging(fmt: Format = "text", level: Level = "info") -> None:
    """Send the service's logs, and its libraries' warnings, to standard error."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: Any = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if fmt == "json"
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("newsletter").setLevel(level.upper())
