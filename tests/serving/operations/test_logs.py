import json
import logging
import sys

import pytest

from serving.operations.logs import JsonLines, TextLines


def broken(formatter: logging.Formatter) -> str:
    try:
        raise ValueError("Jane Roe, born 1955-01-02")
    except ValueError:
        record = logging.LogRecord(
            "serving.x", logging.ERROR, __file__, 1, "run %s broke", ("run-1",), sys.exc_info()
        )
    return formatter.format(record)


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()], ids=["json", "text"])
def test_the_message_of_an_exception_stays_out_of_the_log(formatter: logging.Formatter) -> None:
    line = broken(formatter)
    assert "Roe" not in line
    assert "1955" not in line
    assert "run run-1 broke" in line
    assert "ValueError" in line
    assert "broken" in line


def test_a_json_line_is_one_line_of_json() -> None:
    record = logging.LogRecord("a", logging.INFO, __file__, 1, "two\nlines \x1b[31m", (), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "two\nlines \x1b[31m"


def test_a_text_line_is_one_line_too() -> None:
    record = logging.LogRecord("a", logging.INFO, __file__, 1, "one\nINFO forged: line", (), None)
    assert "\n" not in TextLines().format(record)
