"""An accelerator as the roofline sees it: what it really gives, not what its data sheet says."""

from pydantic import Field, NonNegativeFloat, PositiveFloat

from knowledge.model import Frozen

CHUNK_TOKENS = 8192
"""vLLM's ``max_num_batched_tokens`` for large accelerators."""


class Effective(Frozen):
    """One accelerator at one end of the assumptions, or as fitted on a run.

    Args:
        bytes_per_s: Memory that a step reads per second.
        flops_per_s: Of the matrices, in the precision they are computed in.
        overhead_s: Of a step beyond memory and arithmetic, on one accelerator.
        link_s: Further time of a step where accelerators of one node work together.
        node_link_s: Further time where nodes work together.
        usable_bytes: For weights, keys and values: what is left of its memory.
        imbalance: Load of the busiest rank over the mean, where experts are spread over ranks.
        per_node: Accelerators that share a node.
        chunk_tokens: Most prompt tokens of one step.
    """

    bytes_per_s: PositiveFloat
    flops_per_s: PositiveFloat
    overhead_s: NonNegativeFloat = 0.0
    link_s: NonNegativeFloat = 0.0
    node_link_s: NonNegativeFloat = 0.0
    usable_bytes: float
    imbalance: float = Field(default=1.0, ge=1.0)
    per_node: int = Field(default=8, ge=1)
    chunk_tokens: int = Field(default=CHUNK_TOKENS, ge=1)

    def step_overhead_s(self, group: int) -> float:
        """Return the fixed time of a step over a group of accelerators."""
        linked = self.link_s if group > 1 else 0.0
        return self.overhead_s + linked + (self.node_link_s if group > self.per_node else 0.0)
