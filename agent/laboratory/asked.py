"""The questions on request that the laboratory's part asks of the chart."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.interference import interferences
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_report import report_table
from tools.labs.laboratory_chart import SUBJECT_INPUTS


@cache
def asked_inputs() -> Mapping[str, ClinicalInput]:
    """Return them by id; those of the pathway are answered for every assessment."""
    rows = (laboratory_indices().indices[key] for key in report_table().indices)
    measured = (spec.analyte or name for row in rows for name, spec in row.inputs.items())
    signals = (signal.input for signal in interferences().signals.values() if signal.input)
    wanted = (*SUBJECT_INPUTS, *signals, *measured)
    held = catalogue().on_request
    return MappingProxyType({key: held[key] for key in dict.fromkeys(wanted) if key in held})
