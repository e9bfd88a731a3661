"""One laboratory result of a case with its flag."""

from dataclasses import dataclass

from knowledge.finding import Finding, State
from tools.labs.interval_model import ResultFlag


@dataclass(frozen=True, slots=True, eq=False)
class ChartResult:
    """One laboratory result.

    Args:
        finding: As intake made it; not assessed where the value cannot be used.
        analyte: Key of the analyte or of the worded test; None for a test we do not hold.
        flag: Where it lies, or why that is not known.
    """

    finding: Finding
    analyte: str | None
    flag: ResultFlag

    @property
    def usable(self) -> bool:
        """Whether it has a value that may be read."""
        return self.finding.state is State.PRESENT
