"""Observation to facts: one for the value, one for each component."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from knowledge.analytes import analytes
from knowledge.clinical_time import ClinicalTime
from knowledge.finding import NotAssessed, State, Why
from knowledge.timeline import Category, Fact
from tools.intake.fhir.build import evidence, fact
from tools.intake.fhir.coded import Coded, category_codes, coded
from tools.intake.fhir.haemolysis import FLAG, haemolysed
from tools.intake.fhir.resources import (
    Device,
    ObservationDetail,
    ObservationResource,
    Specimen,
    WithValue,
)
from tools.intake.fhir.source import Source, validated, what_is_wrong, words
from tools.intake.fhir.value import Reading, lab_flags, read_value, with_range

_STATUS_FLAGS: dict[str | None, tuple[str, ...]] = {
    "final": (),
    "amended": ("amended",),
    "corrected": ("corrected",),
    "preliminary": ("preliminary",),
    "unknown": ("status-unknown",),
    None: ("status-not-stated",),
}
"""Statuses of a result that is used (FHIR R4 ObservationStatus), and the flags they leave."""

_DETAILS = frozenset(ObservationDetail.model_fields)
_NO_DETAIL = ObservationDetail()
_NO_VALUE = Reading(
    path="value",
    state=State.NOT_ASSESSED,
    not_assessed=NotAssessed(why=Why.MISSING, detail="the observation states no value"),
)


def facts_of_observation(source: Source) -> Iterator[Fact]:
    """Yield the facts of an Observation; what cannot be used is noted in `source.problems`."""
    entry = source.entry
    resource = validated(entry, ObservationResource, source.problems)
    detail: ObservationDetail | None = _NO_DETAIL
    if entry.resource.keys() & _DETAILS:
        detail = validated(entry, ObservationDetail, source.problems)
    if resource is None or detail is None:
        return
    if resource.status not in _STATUS_FLAGS:
        source.problems.append(f"{entry.name}: status: not a status of FHIR R4")
        return
    if detail.focus:
        source.problems.append(f"{entry.name}: is about another subject (focus)")
        return
    shared = _Shared(source, resource, detail)
    empty = not resource.component and not detail.hasMember
    own = shared.fact(resource, entry.resource, "Observation", _NO_VALUE if empty else None)
    if own is not None:
        yield own
    for index, element in enumerate(resource.component):
        part = shared.component(element, f"Observation.component[{index}]")
        if part is not None:
            yield part


class _Shared:
    """What an Observation and its components share: time, method, site, flags."""

    __slots__ = ("body_site", "categories", "end", "flags", "method", "source", "time")

    def __init__(
        self, source: Source, resource: ObservationResource, detail: ObservationDetail
    ) -> None:
        self.source = source
        self.end: ClinicalTime | None = None
        if resource.effectiveDateTime is not None:
            self.time = source.time(resource.effectiveDateTime)
        else:
            self.time, self.end = _collected(source, detail)
        self.method = _method(source, detail)
        self.body_site = words(detail.bodySite) or None
        self.categories = category_codes(resource.category)
        self.flags = _STATUS_FLAGS[resource.status]
        if self.time is None:
            self.flags += ("no-collection-time",)
        if detail.note:
            self.flags += ("has-note",)
        if (detail.note or detail.specimen is not None) and haemolysed(source, detail):
            self.flags += (FLAG,)

    def component(self, element: Any, path: str) -> Fact | None:
        """Return the fact of one component, or None after noting why there is none."""
        try:
            stated = WithValue.model_validate(element)
        except ValidationError as error:
            self._problem(path, what_is_wrong(error))
            return None
        return self.fact(stated, element, path, None)

    def fact(
        self, stated: WithValue, element: dict[str, Any], path: str, otherwise: Reading | None
    ) -> Fact | None:
        """Return the fact of one value, or of `otherwise` where there is no value."""
        try:
            code = coded(stated.code)
        except ValidationError:
            self._problem(path, "code: not valid")
            return None
        try:
            reading = read_value(stated, element, analyte=code.analyte, loinc=code.loinc)
        except ValidationError as error:
            self._problem(path, what_is_wrong(error))
            return None
        reading = reading or otherwise
        if reading is None:
            return None
        flags = (*self.flags, *reading.flags)
        if stated.interpretation:
            flags += tuple(flag for flag in lab_flags(stated) if flag not in flags)
        if code.disagree:
            flags += ("codes-disagree",)
        entry = self.source.entry
        return fact(
            self._category(code),
            code.concept,
            reading.state,
            place=evidence(entry.file, entry.name, f"{path}.{reading.path}"),
            not_assessed=reading.not_assessed,
            value=reading.value,
            time=self.time,
            end=self.end,
            body_site=self.body_site,
            method=self.method,
            reported=with_range(reading.reported, reading, stated.referenceRange),
            flags=flags,
        )

    def _problem(self, path: str, what: str) -> None:
        self.source.problems.append(f"{self.source.entry.name}: {path}.{what}")

    def _category(self, code: Coded) -> Category:
        group = analytes().analytes[code.analyte].group if code.analyte is not None else None
        if group == "laboratory" or (group is None and "laboratory" in self.categories):
            return Category.LABORATORY
        if group == "vital-sign" or "vital-signs" in self.categories:
            return Category.VITAL_SIGN
        return Category.OBSERVATION


def _collected(
    source: Source, resource: ObservationDetail
) -> tuple[ClinicalTime | None, ClinicalTime | None]:
    """Return when the specimen or measurement was taken; never when it was issued."""
    if resource.effectiveInstant is not None:
        return source.time(resource.effectiveInstant), None
    if resource.effectivePeriod is not None:
        return source.period(resource.effectivePeriod)
    entry = source.lookup.find(resource.specimen, source.entry)
    if entry is None or entry.type != "Specimen":
        return None, None
    specimen = validated(entry, Specimen, source.problems)
    if specimen is None or specimen.collection is None:
        return None, None
    if specimen.collection.collectedDateTime:
        return source.time(specimen.collection.collectedDateTime), None
    return source.period(specimen.collection.collectedPeriod)


def _method(source: Source, resource: ObservationDetail) -> str | None:
    """Return method and device in words: it may name the assay."""
    if resource.method is None and resource.device is None:
        return None
    parts = [words(resource.method)]
    if resource.device is not None:
        entry = source.lookup.find(resource.device, source.entry)
        device = None
        if entry is not None and entry.type == "Device":
            device = validated(entry, Device, source.problems)
        parts.append(_device_words(device) if device else resource.device.display or "")
    return "; ".join(part for part in parts if part)[:400] or None


def _device_words(device: Device) -> str:
    names = [n.name for n in device.deviceName if n.name]
    parts = (device.manufacturer, *names, device.modelNumber, words(device.type))
    return " ".join(part for part in parts if part)
