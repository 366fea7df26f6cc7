"""Structured logs: readable on a terminal, JSON lines in a service."""

import logging
import sys

import structlog


def configure(*, verbose: bool = False) -> None:
    """Sends all logs, also those of libraries, to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if sys.stderr.isatty():
        # A prettier traceback would show local variables, and secrets among them.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
    )
    logging.raiseExceptions = False  # what cannot be logged must not end the thread that has something to say
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        ),
    )
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if verbose else logging.INFO, force=True)
    for chatty in ("alembic", "fontTools", "matplotlib", "urllib3", "Rx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It warns of a job whose last run goes on: that is as planned.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
