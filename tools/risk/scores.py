"""The scores as tools: one for each file under ``knowledge/data/scores``, found by scanning."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding
from knowledge.risk import Risk
from knowledge.scores import Score, score, score_ids
from tools.risk.score import evaluate, inputs_of, with_parts
from tools.toolbox import Card, Family, Tool


def score_tools() -> Iterator[Tool[..., Risk]]:
    """Yield one tool for each packaged score; its arguments are the score's clinical inputs."""
    for score_id in score_ids():
        yield _tool(score(score_id))


def _tool(chosen: Score) -> Tool[..., Risk]:
    def function(**findings: Finding | None) -> Risk:
        return evaluate(chosen.id, {i: f for i, f in findings.items() if f is not None})

    function.__name__ = function.__qualname__ = chosen.id
    function.__module__ = __name__
    function.__doc__ = f"{chosen.purpose}\n\n{chosen.population.text}"
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [_parameter(input_id) for input_id in inputs_of(chosen.id)], return_annotation=Risk
    )
    return Tool(function, card=_card(chosen), version=chosen.version)


def _parameter(input_id: str) -> inspect.Parameter:
    entry = catalogue().get(input_id)
    unit = f" Unit {entry.unit}." if entry.unit else ""
    annotation: Any = Annotated[
        Finding | None, Field(description=f"{entry.question}{unit} Answer: {entry.how}.")
    ]
    return inspect.Parameter(
        input_id, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _card(chosen: Score) -> Card:
    parts = with_parts(chosen.id)
    clauses = [
        clause
        for part in parts
        for clause in (*part.population.outside_if, *part.population.requires)
    ]
    sources = [source for part in parts for source in part.sources.values()]
    return Card(
        title=chosen.name,
        group="risk",
        topic=chosen.topic,
        on_request=chosen.on_request,
        needs=tuple(catalogue().get(i).label for i in inputs_of(chosen.id)),
        refuses=tuple(dict.fromkeys(clause.reason for clause in clauses)),
        limits=tuple(dict.fromkeys(part.population.text for part in parts)),
        sources=tuple(
            dict.fromkeys(f"{s.title}, doi {s.doi}" if s.doi else s.title for s in sources)
        ),
    )


SCORES = Family(score_tools)
