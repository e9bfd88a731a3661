"""A result's own output among its evidence: what says or uses a result names it.

So a recommendation, a sentence and the headline lead to the arithmetic behind them, and whoever
changes what one of them says can be shown the others.
"""

from typing import Any

from knowledge.evidence import Evidence, ToolEvidence
from knowledge.risk import Risk
from knowledge.scores import score, score_ids
from tools.toolbox import Tool, discover


def named(tool: Tool[..., Any], risk: Risk) -> Risk:
    """Return a risk whose evidence begins with its own output, then the scores that it reads.

    Args:
        tool: What computed it.
        risk: Its result.
    """
    found: dict[Evidence, None] = {_output(tool, risk.name): None}
    for key in _read(tool):
        found[_output(discover()[key], score(key).name)] = None
    return risk.model_copy(update={"evidence": tuple({**found, **dict.fromkeys(risk.evidence)})})


def _output(tool: Tool[..., Any], name: str) -> ToolEvidence:
    return ToolEvidence(tool=tool.name, version=tool.version, output=name)


def _read(tool: Tool[..., Any]) -> tuple[str, ...]:
    """Return the scores that a rule reads, but itself."""
    if tool.name not in score_ids():
        return ()
    return tuple(key for key in score(tool.name).scores_read() if key != tool.name)
