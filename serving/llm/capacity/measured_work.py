"""What a case takes, as measured once on the product's own evaluations."""

from functools import cache

from pydantic import PositiveFloat, PositiveInt

from knowledge.model import Frozen
from serving.llm.capacity.tables import packaged, read


class MeasuredWork(Frozen):
    """The record of one evaluation run.

    Args:
        title: What was run.
        measured_on: Date, ISO 8601.
        command: That made the record.
        model, server: Of the run: tokens are counted in its vocabulary.
        cases: Runs of the agent that called the model.
        calls_per_case, tokens_in, tokens_out: Means of one case.
        tokens_in_p95, tokens_out_p95: 19 of 20 cases take at most so many.
        cache_hit: Part of the prompt tokens that the server read from its cache.
        note: What to know before using it.
    """

    title: str
    measured_on: str
    command: str
    model: str
    server: str
    cases: PositiveInt
    calls_per_case: PositiveFloat
    tokens_in: PositiveFloat
    tokens_out: PositiveFloat
    tokens_in_p95: PositiveFloat
    tokens_out_p95: PositiveFloat
    cache_hit: float
    note: str

    @property
    def words(self) -> str:
        """Where its figures are from."""
        return (
            f"measured on {self.measured_on}, {self.cases} evaluation cases with {self.model}; "
            "a site's own: --traces"
        )


@cache
def measured_work() -> MeasuredWork:
    """Return the packaged record.

    Raises:
        ReferenceDataError: The file is not valid.
    """
    return read("workload.yaml", packaged("workload.yaml"), MeasuredWork)
