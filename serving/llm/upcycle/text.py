"""What was made, in lines for a person."""

from collections.abc import Iterator
from pathlib import Path

from serving.llm.upcycle.record import Record


def record_lines(record: Record, out: Path) -> Iterator[str]:
    """Yield what was made, and how far it is from the dense model."""
    plan, sizes = record.plan, record.parameters
    yield f"{out}: {plan.form}, {plan.experts} experts, top-{plan.top_k}, {plan.dtype}, untuned"
    yield (
        f"{sizes.total:,} parameters, {sizes.active:,} of them active ({sizes.active_share:.1%}); "
        f"the dense model has {sizes.dense:,}"
    )
    for found in record.differences:
        yield (
            f"{found.dtype}, top-{found.top_k}: largest difference of a logit {found.largest:.3g} "
            f"(allowed {found.tolerance:.3g}), same next token at {found.same_first} of "
            f"{found.tokens} positions"
        )
