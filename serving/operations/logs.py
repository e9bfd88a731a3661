"""Log lines: what happened, to which id; never what was in a record."""

import logging
import sys
from datetime import UTC, datetime
from typing import Literal

import orjson

from knowledge.plain_text import visible


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the kind of an exception.

    The message of an exception and its local values stay out: they may carry patient data. Where
    it was raised is kept.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(_exception(record))
        return orjson.dumps(line).decode()


class TextLines(logging.Formatter):
    """The same as text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        message = visible(record.getMessage()).replace("\n", " ")
        text = f"{time} {record.levelname} {record.name}: {message}"
        found = _exception(record)
        return f"{text} [{found['exception']} at {found['at']}]" if found else text


def configure(form: Literal["text", "json"], *, level: int = logging.INFO) -> None:
    """Send every log line to standard error in this form; only an entry point calls this."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _exception(record: logging.LogRecord) -> dict[str, str]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    kind, _, trace = record.exc_info
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
    return {"exception": kind.__name__, "at": where}
