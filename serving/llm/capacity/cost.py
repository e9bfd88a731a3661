"""What a case costs in accelerator hours, where a price was given."""

from pydantic import NonNegativeFloat

from knowledge.model import Frozen
from serving.llm.capacity.span import Span
from serving.llm.capacity.workload import Workload


class Cost(Frozen):
    """Of one case, in the currency of the given price.

    Args:
        at_this_load: With the cases that were asked for; None where it is not assessed.
        when_full: With as many as the accelerators do.
        reason: Why it is not assessed; empty where it is.
    """

    at_this_load: NonNegativeFloat | None = None
    when_full: Span | None = None
    reason: str = ""


def cost_of(
    price_per_hour: float | None,
    count: int | None,
    cases_per_hour: Span | None,
    work: Workload,
    share: float,
) -> Cost:
    """Return what a case costs: price x accelerators / cases.

    Args:
        price_per_hour: Of one accelerator; None where it was not given.
        count: Accelerators; None where no number does the work.
        cases_per_hour: What they do at most.
        work: What is asked.
        share: Part of the work that they take.
    """
    if price_per_hour is None:
        return Cost(reason="not assessed: no price was given (--price-per-gpu-hour)")
    if count is None or cases_per_hour is None or cases_per_hour.low <= 0:
        return Cost(reason="not assessed: the objectives are not met")
    hour = price_per_hour * count
    asked = work.cases_per_hour * share
    return Cost(
        at_this_load=hour / asked if asked else None,
        when_full=Span.of(hour / cases_per_hour.low, hour / cases_per_hour.high),
        reason="" if asked else "not assessed at this load: no cases an hour were given",
    )
