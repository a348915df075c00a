"""Logs of structlog and the standard library, to stderr: JSON lines under the supervisor, plain text by hand."""

from __future__ import annotations

import logging
import sys
from typing import Any

from shoufu.runtime import env

QUIET = {
    "procrastinate": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "nats": logging.WARNING,
    "numba": logging.WARNING,
}


def setup() -> None:
    """Configure logging of this process; stdout stays free for a command's own output."""
    import structlog

    level = getattr(logging, str(env.get("SHOUFU_LOG_LEVEL")).upper(), logging.INFO)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_renderers()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(max(level, quiet))


def _renderers() -> list[Any]:
    import structlog

    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if env.get("SHOUFU_LOG_FORMAT") == "json":
        plain = structlog.processors.JSONRenderer(ensure_ascii=False)
        return [strip, structlog.processors.format_exc_info, plain]
    # The usual tracebacks show local variables: keys and what people wrote.
    said = structlog.dev.plain_traceback
    return [strip, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=said)]
