"""What decides a training: equal recipes on equal machines give equal adapters."""

import hashlib

import orjson
from pydantic import Field, PositiveFloat, PositiveInt

from agent.router_planner.compact import FORM
from knowledge.model import Frozen

ON_CPU, ON_GPU = 6_000, 60_000
"""Traces of one training: 6,000 were 763,000 tokens and took 72 minutes, 175 tokens/s, on two cores
that did other work too; free ones did 221. What an accelerator does was not measured."""


class Recipe(Frozen):
    """The numbers of one training.

    Args:
        form: Of the prompts.
        retrieval: What found the tools that are offered in the prompts; set by the training.
        experts: Of each layer.
        experts_per_token: Used for a token. Two: with one, weights that are normalised over the
            chosen experts are always 1, and the gate learns nothing from the task.
        seed: Of traces, gates, adapters and order.
        traces: Different training examples.
        epochs: Times each is seen.
        batch: Traces of one step.
        rank: Of the adapters, of each expert as of attention and gate.
        alpha_over_rank: Scale of the adapters.
        rate: Largest learning rate; it rises over the first twentieth and falls in a line to zero.
        balance: Weight of the load-balancing loss (Fedus 2021, arXiv 2101.03961, eq. 4).
        clip: Largest norm of the gradient.
    """

    form: str = FORM
    retrieval: str = ""
    experts: PositiveInt = Field(default=4, ge=2, le=16)
    experts_per_token: PositiveInt = Field(default=2, ge=2, le=4)
    seed: int = Field(default=20261123, ge=0)
    traces: PositiveInt = ON_CPU
    epochs: PositiveInt = 1
    batch: PositiveInt = 16
    rank: PositiveInt = 6
    alpha_over_rank: PositiveFloat = 2.0
    rate: PositiveFloat = 1e-3
    balance: float = Field(default=0.01, ge=0)
    clip: PositiveFloat = 1.0

    @property
    def steps(self) -> int:
        """Steps of the whole training.

        Examples:
            >>> Recipe(traces=100, batch=16).steps
            7
        """
        return -(-self.traces // self.batch) * self.epochs

    @property
    def sha256(self) -> str:
        """Hash of all numbers: a checkpoint of another recipe is not resumed."""
        body = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(body).hexdigest()

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        warm = max(1, self.steps // 20)
        if step < warm:
            return self.rate * (step + 1) / warm
        return self.rate * max(0.0, (self.steps - step) / max(1, self.steps - warm))
