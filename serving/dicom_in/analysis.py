"""Which analysis a series that arrived starts, and its results; or why there are none."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from knowledge.dicom_arrivals import ArrivalRule, dicom_arrivals
from knowledge.settings import Settings
from serving.dicom_in.analysed import Analysed
from serving.dicom_in.ct_analysis import analyse_ct
from serving.dicom_in.film_analysis import analyse_films
from tools.dicom_out.sources import Source, Sources, read_sources
from tools.imaging.ct.model import Point

_WORDS = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName")


def analyse_series(
    files: Mapping[str, Source],
    *,
    settings: Settings,
    at: datetime,
    seeds: tuple[Point, ...] = (),
    series: str | None = None,
) -> Analysed:
    """Return what the rules make of one series.

    Args:
        files: Name to path or content.
        settings: Whether device functions are on, and limits.
        at: The moment of the results, zoned.
        seeds: A point in each nodule of a CT, where a person gave some.
        series: Series Instance UID, where the files hold several.

    Raises:
        InputError: The series cannot be read; names the file and the reason.
        IdentityConflictError: The files are not of one patient.
    """
    if not settings.device_functions:
        return Analysed(reason="not assessed: switched off (EPICRISIS_DEVICE_FUNCTIONS)")
    sources = read_sources(files, series=series)
    rule, why_not = _rule(sources)
    if rule is None:
        return Analysed(reason=f"no rule fits: {why_not}")
    named = {name: files[name] for name in sources.files}
    match rule.analysis:
        case "ct-measurements":
            return analyse_ct(named, sources, rule=rule.id, settings=settings, at=at, seeds=seeds)
        case "chest-film":
            return analyse_films(named, sources, rule=rule.id, at=at)
        case other:
            assert_never(other)


def _rule(sources: Sources) -> tuple[ArrivalRule | None, str]:
    first = sources.datasets[0]
    words = [str(first.get(keyword, "") or "") for keyword in _WORDS]
    return dicom_arrivals().rule_for(sources.modality, words, len(sources.datasets))
