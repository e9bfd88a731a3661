"""The derived indices as tools: one for each row of the table, run on request."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from knowledge.finding import Finding, State
from knowledge.index import Index
from knowledge.laboratory_indices import IndexRow, laboratory_indices
from knowledge.quantity import Choice
from tools.labs.indices.compute import compute
from tools.toolbox import Card, Family, Tool

GROUP = "derived index"
_VERSION = "1"


def index_tools() -> Iterator[Tool[..., Index]]:
    """Yield one tool for each index; its arguments are the inputs and options of the row."""
    for index_id, row in laboratory_indices().indices.items():
        yield _tool(index_id, row)


def _tool(index_id: str, row: IndexRow) -> Tool[..., Index]:
    def function(**given: Finding | None) -> Index:
        measured = {key: given.get(key) for key in row.inputs}
        return compute(index_id, measured, {key: _chosen(given.get(key)) for key in row.options})

    function.__name__ = function.__qualname__ = index_id
    function.__module__ = __name__
    function.__doc__ = f"{row.name}{f', {row.unit}' if row.unit != '1' else ''}."
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [_parameter(key, text) for key, text in _inputs(row).items()], return_annotation=Index
    )
    return Tool(function, card=_card(row), version=_VERSION)


def _inputs(row: IndexRow) -> dict[str, str]:
    measured = {key: f"{spec.label}. Unit {spec.unit}." for key, spec in row.inputs.items()}
    chosen = {k: f"{o.label}. One of {', '.join(o.choices)}." for k, o in row.options.items()}
    return {**measured, **chosen}


def _parameter(key: str, text: str) -> inspect.Parameter:
    annotation: Any = Annotated[Finding | None, Field(description=text)]
    return inspect.Parameter(
        key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _chosen(finding: Finding | None) -> str | bool | None:
    if finding is None or finding.state is State.NOT_ASSESSED:
        return None
    if isinstance(finding.value, Choice):
        return finding.value.choice
    return finding.state is State.PRESENT


def _card(row: IndexRow) -> Card:
    source = laboratory_indices().sources[row.source]
    return Card(
        title=row.name,
        group=GROUP,
        topic=row.family.replace("_", " "),
        on_request=True,
        needs=tuple(_inputs(row).values()),
        refuses=tuple(dict.fromkeys(s.because for s in row.inputs.values() if s.because)),
        limits=row.caveats,
        sources=(f"{source.title}, doi {source.doi}" if source.doi else source.title,),
    )


INDICES = Family(index_tools)
