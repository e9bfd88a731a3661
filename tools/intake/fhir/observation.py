"""Observation to facts: one for the value, one for each component."""

from collections.abc import Iterator

from knowledge.analytes import analytes
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import LOINC
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.timeline import Category, Fact
from tools.intake.fhir.resources import (
    CodeableConcept,
    Device,
    ObservationResource,
    Specimen,
    WithValue,
)
from tools.intake.fhir.source import (
    Source,
    codes,
    concept,
    validated,
    words,
)
from tools.intake.fhir.value import Reading, lab_flags, read_value, with_range

_STATUS_FLAGS = {
    "final": (),
    "amended": ("amended",),
    "corrected": ("corrected",),
    "preliminary": ("preliminary",),
    "unknown": ("status-unknown",),
    None: ("status-not-stated",),
}
"""Statuses of a result that is used (FHIR R4 ObservationStatus), and the flags they leave."""


def facts_of_observation(source: Source) -> Iterator[Fact]:
    """Yield the facts of an Observation; what cannot be used is noted in `source.problems`."""
    resource = validated(source.entry, ObservationResource, source.problems)
    if resource is None:
        return
    if resource.status not in _STATUS_FLAGS:
        source.problems.append(f"{source.entry.name}: status: not a status of FHIR R4")
        return
    if resource.focus:
        source.problems.append(f"{source.entry.name}: is about another subject (focus)")
        return
    shared = _Shared(source, resource)
    if (own := shared.fact(resource, resource.code, "Observation")) is not None:
        yield own
    elif not resource.component and not resource.hasMember:
        yield shared.no_value(resource)
    for index, component in enumerate(resource.component):
        path = f"Observation.component[{index}]"
        if (fact := shared.fact(component, component.code, path)) is not None:
            yield fact


class _Shared:
    """What an Observation and its components share: time, method, site, flags."""

    def __init__(self, source: Source, resource: ObservationResource) -> None:
        self.source = source
        self.time, self.end = _collected(source, resource)
        self.method = _method(source, resource)
        self.body_site = words(resource.bodySite) or None
        self.stated_category = {c.code for k in resource.category for c in k.coding}
        self.flags: tuple[str, ...] = _STATUS_FLAGS[resource.status]
        if self.time is None:
            self.flags += ("no-collection-time",)
        if resource.note:
            self.flags += ("has-note",)

    def fact(self, stated: WithValue, code: CodeableConcept, path: str) -> Fact | None:
        """Return the fact of one value, or None where there is no value."""
        key, loinc, disagree = _analyte_of(code)
        reading = read_value(stated, analyte=key, loinc=loinc)
        if reading is None:
            return None
        flags = (*self.flags, *reading.flags, *lab_flags(stated))
        if disagree:
            flags += ("codes-disagree",)
        return self._build(stated, code, key, reading, path, flags)

    def no_value(self, resource: ObservationResource) -> Fact:
        """Return the fact that an Observation was made without any value."""
        key, _, _ = _analyte_of(resource.code)
        reading = Reading(
            path="value",
            state=State.NOT_ASSESSED,
            not_assessed=NotAssessed(why=Why.MISSING, detail="the observation states no value"),
        )
        return self._build(resource, resource.code, key, reading, "Observation", self.flags)

    def _build(
        self,
        stated: WithValue,
        code: CodeableConcept,
        key: str | None,
        reading: Reading,
        path: str,
        flags: tuple[str, ...],
    ) -> Fact:
        finding = Finding(
            concept=concept(code, default="observation without a name", analyte=key),
            state=reading.state,
            not_assessed=reading.not_assessed,
            value=reading.value,
            time=self.time,
            body_site=self.body_site,
            method=self.method,
            reported=with_range(reading.reported, reading, stated.referenceRange),
            flags=flags,
            evidence=(self.source.evidence(f"{path}.{reading.path}"),),
        )
        return Fact(category=self._category(key), finding=finding, period_end=self.end)

    def _category(self, key: str | None) -> Category:
        group = analytes().analytes[key].group if key is not None else None
        if group == "laboratory" or (group is None and "laboratory" in self.stated_category):
            return Category.LABORATORY
        if group == "vital-sign" or "vital-signs" in self.stated_category:
            return Category.VITAL_SIGN
        return Category.OBSERVATION


def _analyte_of(code: CodeableConcept) -> tuple[str | None, str | None, bool]:
    """Return the analyte's key, the LOINC code it was found by, and whether codes disagree."""
    found = {key: c for c in codes(code, LOINC) if (key := analytes().for_loinc(c)) is not None}
    if len(found) != 1:
        return None, None, len(found) > 1
    return *next(iter(found.items())), False


def _collected(
    source: Source, resource: ObservationResource
) -> tuple[ClinicalTime | None, ClinicalTime | None]:
    """Return when the specimen or measurement was taken; never when it was issued."""
    if resource.effectiveDateTime or resource.effectiveInstant:
        return source.time(resource.effectiveDateTime or resource.effectiveInstant), None
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


def _method(source: Source, resource: ObservationResource) -> str | None:
    """Return method and device in words: it may name the assay."""
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
