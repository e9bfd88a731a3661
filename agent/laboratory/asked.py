"""The questions on request that the laboratory's part asks of the chart."""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.interference import interferences
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_patterns import laboratory_patterns
from knowledge.laboratory_report import report_table
from knowledge.reflex_tests import reflex_tests
from tools.labs.laboratory_chart import SUBJECT_INPUTS
from tools.labs.markers.of_chart import MARKER_INPUTS
from tools.labs.patterns.read import clinical_names
from tools.risk.score import inputs_of


@cache
def asked_inputs() -> Mapping[str, ClinicalInput]:
    """Return them by id; those of the pathway are answered for every assessment."""
    held = catalogue().on_request
    return MappingProxyType({key: held[key] for key in dict.fromkeys(_names()) if key in held})


def _names() -> Iterator[str]:
    yield from SUBJECT_INPUTS
    yield from MARKER_INPUTS
    yield from (signal.input for signal in interferences().signals.values() if signal.input)
    for key in report_table().indices:
        for name, spec in laboratory_indices().indices[key].inputs.items():
            yield spec.analyte or name
    for pattern in laboratory_patterns().values():
        yield from clinical_names(pattern)
        for row in pattern.facts.values():
            if row.score is not None:
                yield from inputs_of(row.score)
    for test in reflex_tests().tests:
        yield from test.when.inputs()
