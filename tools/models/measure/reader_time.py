"""How long readers take with and without a model: ``readers.csv`` of a crossed reading.

Columns: ``case``, ``reader``, ``with_model`` (1 or 0), ``seconds``. Compared are pairs of one
reader and one case, read both ways.
"""

import csv
import io
import math
from pathlib import Path

import numpy as np

from knowledge.errors import ContractError, InvalidValueError, UnreadableError
from knowledge.model import Frozen

LEAST_PAIRS = 5
_DRAWS = 2000
_SEED = 20_190_101  # of the bootstrap: any, but always the same
_MOST_S = 24 * 3600


class ReaderTime(Frozen):
    """Seconds of reading.

    Args:
        pairs, readers: How many were compared.
        unpaired: Readings that have no partner; they are in no figure.
        without_s, with_s: Median seconds.
        saved_s: Median of (without - with) over the pairs; below 0 the model costs time.
        ci: 95 % interval of it, by drawing readers and then their cases (2000 draws).
    """

    pairs: int
    readers: int
    unpaired: int
    without_s: float
    with_s: float
    saved_s: float
    ci: tuple[float, float]


def read_reader_time(path: Path) -> ReaderTime:
    """Return what a file of readings says.

    Raises:
        UnreadableError: No readable table.
        InvalidValueError: A cell that cannot be.
        ContractError: Fewer than `LEAST_PAIRS` pairs.
    """
    try:
        text = path.read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(path.name, "no table of commas in UTF-8", "save it as CSV") from error
    seconds: dict[tuple[str, str], dict[bool, float]] = {}
    for number, row in enumerate(rows, 2):
        reader, case, aided, taken = _row(row, f"{path.name} row {number}")
        pair = seconds.setdefault((reader, case), {})
        if aided in pair:
            raise InvalidValueError(f"{path.name} row {number}", "stands there twice", "one each")
        pair[aided] = taken
    return _compared(seconds, path.name)


def _row(row: dict[str, str], where: str) -> tuple[str, str, bool, float]:
    reader, case = (row.get("reader") or "").strip(), (row.get("case") or "").strip()
    aided = (row.get("with_model") or "").strip()
    try:
        taken = float(row.get("seconds") or "")
    except ValueError:
        taken = math.nan
    if not reader or not case or aided not in ("0", "1") or not 0 < taken <= _MOST_S:
        raise InvalidValueError(where, "is no reading", "case, reader, with_model 0 or 1, seconds")
    return reader, case, aided == "1", taken


def _compared(seconds: dict[tuple[str, str], dict[bool, float]], name: str) -> ReaderTime:
    both = {key: pair for key, pair in seconds.items() if len(pair) == 2}
    if len(both) < LEAST_PAIRS:
        raise ContractError(
            name, f"{len(both)} cases read both ways", f"at least {LEAST_PAIRS} by the same reader"
        )
    saved: dict[str, list[float]] = {}
    for (reader, _), pair in sorted(both.items()):
        saved.setdefault(reader, []).append(pair[False] - pair[True])
    every = [value for values in saved.values() for value in values]
    draw = np.random.default_rng(_SEED)
    groups = [np.array(values) for values in saved.values()]
    medians = []
    for _ in range(_DRAWS):
        chosen = draw.integers(0, len(groups), len(groups))
        drawn = [draw.choice(groups[at], len(groups[at])) for at in chosen]
        medians.append(float(np.median(np.concatenate(drawn))))
    low, high = np.percentile(medians, [2.5, 97.5])
    return ReaderTime(
        pairs=len(both),
        readers=len(saved),
        unpaired=len(seconds) - len(both),
        without_s=float(np.median([pair[False] for pair in both.values()])),
        with_s=float(np.median([pair[True] for pair in both.values()])),
        saved_s=float(np.median(every)),
        ci=(float(low), float(high)),
    )
