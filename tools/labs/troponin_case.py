"""What every serial troponin algorithm is given."""

from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime
from knowledge.patient import Sex
from knowledge.quantity import Interval
from knowledge.troponin import TroponinAssay
from tools.labs.troponin_onset import Onset
from tools.labs.troponin_samples import Series, SeriesSample


@dataclass(frozen=True, kw_only=True)
class TroponinCase:
    """One series with what is known around it; the series holds at least one sample.

    Args:
        assay_id: Key of the assay table; a high-sensitivity assay.
        assay: Its row.
        series: Samples in order.
        onset: Time from onset to the first sample.
        sex: None where not assessed.
        pain_ongoing: None where not assessed.
        grace: GRACE in-hospital points; None where not assessed.
        at: Time of assessment.
    """

    assay_id: str
    assay: TroponinAssay
    series: Series
    onset: Onset
    sex: Sex | None
    pain_ongoing: bool | None
    grace: Interval | None
    at: ClinicalTime

    @property
    def limit_99(self) -> float:
        """The overall 99th percentile of the assay, ng/L."""
        overall = self.assay.percentile_99.overall
        assert overall is not None  # noqa: S101 - the loader requires it of these assays
        return overall.value

    def reads_low(self, sample: SeriesSample) -> bool:
        """Return whether the sample is haemolysed and the assay then reads falsely low."""
        return sample.haemolysed and self.assay.haemolysis == "falls"
