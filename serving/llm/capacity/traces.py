"""How many tokens a case takes, from the product's own records of runs.

Taken are: results of ``epicrisis eval run`` (one JSON for each task), assessments of ``epicrisis
agent --json`` with the agent's record, and recorded exchanges with a model (a JSON list, or one
JSON object a line), one file a case. Only runs of the agent that called a model count.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from knowledge.errors import InvalidValueError, UnreadableError
from knowledge.model import Frozen

_SUFFIXES = {".json", ".jsonl"}
_MOST_BYTES = 256 << 20


class CaseUse(Frozen):
    """What one run of one case took."""

    calls: PositiveInt
    prompt_tokens: NonNegativeInt
    completion_tokens: NonNegativeInt
    cached_tokens: NonNegativeInt = 0


class TraceUse(Frozen):
    """What the cases of a record took.

    Args:
        cases: Runs of the agent that called a model.
        files: Names of the files they are from.
        other_files: Names of JSON files that hold no such run.
        models: Names of the models, where the record says.
        calls, tokens_in, tokens_out: Mean of one case.
        tokens_in_p95, tokens_out_p95: 19 of 20 cases take at most so many.
        cache_hit: Part of all prompt tokens that the server had in its cache; None where no server
            reported any, which does not show that there were none.
    """

    cases: PositiveInt
    files: tuple[str, ...]
    other_files: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    calls: NonNegativeFloat
    tokens_in: NonNegativeFloat
    tokens_out: NonNegativeFloat
    tokens_in_p95: NonNegativeFloat
    tokens_out_p95: NonNegativeFloat
    cache_hit: NonNegativeFloat | None

    @property
    def words(self) -> str:
        """Where the figures are from."""
        of = f" with {', '.join(self.models)}" if self.models else ""
        return f"mean of {self.cases} recorded runs of the agent{of} ({', '.join(self.files)})"


def read_traces(path: Path) -> TraceUse:
    """Return what the cases of a file, or of every JSON file of a folder, took.

    Raises:
        UnreadableError: A file is not JSON.
        InvalidValueError: There is no such path, or no run of the agent that called a model.
    """
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES)
    elif path.is_file():
        files = [path]
    else:
        raise InvalidValueError(f"--traces {path}", "there is no such file or folder")
    uses: list[CaseUse] = []
    models: dict[str, None] = {}
    used: list[str] = []
    other: list[str] = []
    for file in files:
        content = _content(file)
        found = list(_uses(content))
        (used if found else other).append(file.name)
        uses += found
        if found and isinstance(content, dict) and isinstance(content.get("llm"), str):
            models[content["llm"]] = None
    if not uses:
        raise InvalidValueError(
            f"--traces {path.name}",
            "holds no run of the agent that called a model",
            "take the folder of `epicrisis eval run --llm configured`",
        )
    return _summed(uses, tuple(used), tuple(other), tuple(models))


def _summed(
    uses: list[CaseUse], files: tuple[str, ...], other: tuple[str, ...], models: tuple[str, ...]
) -> TraceUse:
    prompts = [use.prompt_tokens for use in uses]
    replies = [use.completion_tokens for use in uses]
    cached = sum(use.cached_tokens for use in uses)
    return TraceUse(
        cases=len(uses),
        files=files,
        other_files=other,
        models=models,
        calls=sum(use.calls for use in uses) / len(uses),
        tokens_in=sum(prompts) / len(uses),
        tokens_out=sum(replies) / len(uses),
        tokens_in_p95=_nearest_rank(prompts, 0.95),
        tokens_out_p95=_nearest_rank(replies, 0.95),
        cache_hit=cached / sum(prompts) if cached else None,
    )


def _content(file: Path) -> Any:
    if file.stat().st_size > _MOST_BYTES:
        raise UnreadableError(file.name, f"is larger than {_MOST_BYTES >> 20} MiB")
    content = file.read_bytes()
    try:
        if file.suffix == ".jsonl":
            return [orjson.loads(line) for line in content.splitlines() if line.strip()]
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(file.name, "is not JSON", "name another file or folder") from error


def _uses(content: Any) -> Iterator[CaseUse]:
    """Yield the runs of a file, whatever of the three kinds it is; none for any other."""
    if isinstance(content, dict) and isinstance(content.get("trials"), list):
        for trial in content["trials"]:
            if isinstance(trial, dict) and trial.get("system") == "agent":
                yield from _use(trial.get("llm"))
    elif isinstance(content, dict) and isinstance(content.get("agent"), dict):
        yield from _use(content["agent"].get("use"))
    elif isinstance(content, dict) and isinstance(content.get("assessment"), dict):
        yield from _uses(content["assessment"])
    elif isinstance(content, list):
        yield from _exchanges(content)


def _exchanges(rows: list[Any]) -> Iterator[CaseUse]:
    replies = [row.get("reply") for row in rows if isinstance(row, dict)]
    usages = [reply.get("usage") for reply in replies if isinstance(reply, dict)]
    known = [
        usage for usage in usages if isinstance(usage, dict) and _count(usage, "prompt_tokens")
    ]
    if known:
        names = ("prompt_tokens", "completion_tokens", "cached_tokens")
        yield CaseUse(
            calls=len(known), **{name: sum(_count(one, name) for one in known) for name in names}
        )


def _use(use: Any) -> Iterator[CaseUse]:
    if isinstance(use, dict) and _count(use, "calls") and _count(use, "prompt_tokens"):
        yield CaseUse(
            calls=_count(use, "calls"),
            prompt_tokens=_count(use, "prompt_tokens"),
            completion_tokens=_count(use, "completion_tokens"),
            cached_tokens=_count(use, "cached_tokens"),
        )


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _nearest_rank(values: list[int], share: float) -> float:
    """Return the smallest value that at least this share of all do not exceed."""
    return float(sorted(values)[max(0, math.ceil(share * len(values)) - 1)])
