# ruff: noqa: RUF001
"""What was measured on the images of a case as facts: each value whole, or why there is none."""

from collections.abc import Iterator

from agent.assessment import Assessment
from agent.fact_sheet.imaging_words import measure_lines, studies_measured
from agent.facts import Fact
from knowledge.imaging_measures import imaging_measures
from knowledge.passages import Language

_PREFIX = "imaging"


def imaging_facts(assessment: Assessment, language: Language) -> Iterator[Fact]:
    """Yield each measurement, on which study and when; said whole and by code."""
    for place, (study, one) in enumerate(studies_measured(assessment.imaging)):
        kind = imaging_measures().kind_of(one.tool)
        when = "" if study.time is None else f" {study.time.show(assessment.time_zone)}"
        for number, line in enumerate(measure_lines(one, language)):
            head = f"{kind.zh}{when}" if language == "zh" else f"{kind.en}{when}"
            colon = "：" if language == "zh" else ": "
            yield Fact(
                key=f"{_PREFIX}.{line.code}.{place:03d}.{number:03d}",
                kind="imaging",
                names=(line.name,),
                whole=True,
                outside=True,
                text=f"{head[:1].upper()}{head[1:]}{colon}{line.text}",
                language=language,
                evidence=line.evidence,
            )


def measured_findings(assessment: Assessment) -> frozenset[str]:
    """Return the ids of the findings that these facts tell."""
    measured = studies_measured(assessment.imaging)
    return frozenset(finding.id for _, one in measured for finding in one.findings)
