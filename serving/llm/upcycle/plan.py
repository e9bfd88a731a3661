"""What is to be made: how many experts, in which form, and what follows from that."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt, ValidationError, model_validator

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen

Form = Literal["mixtral", "qwen-moe"]
Dtype = Literal["bfloat16", "float32"]

MOST_EXPERTS = 64
"""Each expert of SmolLM2-135M takes 160 MB in bfloat16."""


class Plan(Frozen):
    """A mixture of experts to make of a dense model.

    Args:
        form: Whose architecture: Mixtral (routed experts alone), or Qwen2-MoE (a shared expert and
            routed ones). Qwen3-MoE normalises queries and keys, which the dense model does not, so
            no weights make it give the same outputs.
        experts: Routed experts of a layer.
        top_k: Of them, those that work on one token.
        dtype: Of the written weights.
        seed: Of the new router.
    """

    form: Form
    experts: PositiveInt
    top_k: PositiveInt
    dtype: Dtype = "bfloat16"
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _possible(self) -> "Plan":
        if not 2 <= self.experts <= MOST_EXPERTS:
            raise ValueError(f"experts must be 2 to {MOST_EXPERTS}")
        if self.top_k > self.experts:
            raise ValueError("top-k is larger than the number of experts")
        return self


def plan(form: str, experts: int, top_k: int, dtype: str, seed: int) -> Plan:
    """Return a plan from what a person typed.

    Raises:
        InvalidValueError: It cannot be made; the message says why.
    """
    try:
        return Plan.model_validate(
            {"form": form, "experts": experts, "top_k": top_k, "dtype": dtype, "seed": seed}
        )
    except ValidationError as error:
        problem = error.errors()[0]
        where = "".join(f"{part}: " for part in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        raise InvalidValueError(
            "upcycling", f"{where}{reason}", "see `epicrisis llm upcycle --help`"
        ) from error
