"""The figures of a measurement for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from serving.llm.measure.bench import Measurement
from serving.llm.measure.figures import Figures, Spread

_WIDTH = 120
_NONE = "-"


def show(found: Measurement, console: Console) -> None:
    """Print the figures and how they were taken."""
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("")
    for run in found.runs:
        table.add_column(f"{run.concurrency} at once", justify="right")
    for title, values in _lines(found):
        if set(values) != {_NONE}:
            table.add_row(title, *values)
    known = (found.host, found.server, found.model)
    console.print(", ".join(part for part in known if part), markup=False, highlight=False)
    console.print(table)
    for line in notes(found):
        console.print(line, markup=False, highlight=False)


def notes(found: Measurement) -> Iterator[str]:
    """Give how the figures were taken, and every error."""
    load = found.load
    length = (
        "replies forced to their length" if found.forced_length else "replies end by themselves"
    )
    yield (
        f"{load.prompts} prompts a run, {found.words} invented words each (seed {found.seed}), no "
        f"two with a common beginning; {length}; closed loop, streamed."
    )
    warm = ", ".join(f"{count} before {at} at once" for at, count in found.warmed_up.items())
    failed = f"; {found.warmup_errors} of them failed" if found.warmup_errors else ""
    yield f"Warm-up, not counted: {warm}{failed}."
    yield (
        "Times are of whole replies, their number in brackets; p95 needs 20 of them, p99 100. "
        "A failed request counts as sent and as not good."
    )
    for run in found.runs:
        for error, count in run.errors.items():
            yield f"{run.concurrency} at once: {count} of {run.requests} failed: {error}"


def _lines(found: Measurement) -> Iterator[tuple[str, list[str]]]:
    runs = found.runs
    yield "answered / sent", [f"{run.answered} / {run.requests}" for run in runs]
    yield "seconds", [f"{run.seconds:.1f}" for run in runs]
    yield "requests/s", [f"{run.requests_per_s:.2f}" for run in runs]
    yield "output tokens/s", [f"{run.output_tokens_per_s:.1f}" for run in runs]
    yield "input tokens/s", [_or_dash(run.input_tokens_per_s) for run in runs]
    yield "prompt tokens (least, median, most)", [_range(run.prompt_tokens) for run in runs]
    yield "reply tokens (least, median, most)", [_range(run.reply_tokens) for run in runs]
    yield "prompt tokens from a cache", [_or_dash(run.cached_tokens) for run in runs]
    for title, name in (
        ("first token, ms", "first"),
        ("between pieces, ms", "gap"),
        ("token after the first, ms", "per_token"),
        ("whole reply, ms", "whole"),
    ):
        for share in ("p50", "p95", "p99", "most"):
            yield f"{title}, {share}", [_one(getattr(run, name), share) for run in runs]
    if found.target.stated:
        yield f"within the target ({_target(found)})", [_good(run) for run in runs]
        yield "goodput, requests/s", [_or_dash(run.good_per_s) for run in runs]


def _one(values: Spread, share: str) -> str:
    value = getattr(values, share)
    return _NONE if value is None else f"{value:.1f} ({values.count})"


def _range(values: tuple[int, int, int] | None) -> str:
    return "not counted" if values is None else ", ".join(map(str, values))


def _or_dash(value: float | None) -> str:
    return "not counted" if value is None else f"{value:g}"


def _target(found: Measurement) -> str:
    goals = (
        ("first", found.target.first_ms),
        ("token", found.target.per_token_ms),
        ("whole", found.target.whole_ms),
    )
    return ", ".join(f"{name} {value:g} ms" for name, value in goals if value is not None)


def _good(run: Figures) -> str:
    return _NONE if run.good is None else f"{run.good} / {run.requests}"
