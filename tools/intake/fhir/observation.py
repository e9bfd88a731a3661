"""Observation to facts: one for the value, one for each component."""

from collections.abc import Iterator
from typing import Any

from msgspec import ValidationError, convert

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import NotAssessed, State, Why
from knowledge.specimen_words import specimen_states
from knowledge.timeline import Category, Fact
from tools.intake.fhir.build import evidence, fact
from tools.intake.fhir.coded import coded
from tools.intake.fhir.haemolysis import FLAG, haemolysed
from tools.intake.fhir.measured_in import measured_in
from tools.intake.fhir.resources import Device, ObservationResource, Specimen, WithValue
from tools.intake.fhir.source import Source, short_reference, validated, what_is_wrong, words
from tools.intake.fhir.specimen import WRONG_SPECIMEN, code_in_specimen
from tools.intake.fhir.value import Reading, read_value, with_range

_STATUS_FLAGS: dict[str | None, tuple[str, ...]] = {
    "final": (),
    "amended": ("amended",),
    "corrected": ("corrected",),
    "preliminary": ("preliminary",),
    "unknown": ("status-unknown",),
    None: ("status-not-stated",),
}
"""Statuses of a result that is used (FHIR R4 ObservationStatus), and the flags they leave."""

_LONGEST_NOTE = 300
"""Characters of a note that are kept beside its result."""

_NO_VALUE = Reading(
    path="value",
    state=State.NOT_ASSESSED,
    not_assessed=NotAssessed(why=Why.MISSING, detail="the observation states no value"),
)


def facts_of_observation(source: Source) -> Iterator[Fact]:
    """Yield the facts of an Observation; what cannot be used is noted in `source.problems`."""
    entry = source.entry
    resource = validated(entry, ObservationResource, source.problems)
    if resource is None:
        return
    if resource.status not in _STATUS_FLAGS:
        source.problems.append(f"{entry.name}: status: not a status of FHIR R4")
        return
    if resource.focus:
        source.problems.append(f"{entry.name}: is about another subject (focus)")
        return
    shared = _Shared(source, resource)
    empty = not resource.component and not resource.hasMember
    own = shared.fact(resource, entry.resource, "Observation", _NO_VALUE if empty else None)
    if own is not None:
        yield own
    for index, element in enumerate(resource.component):
        part = shared.component(element, f"Observation.component[{index}]")
        if part is not None:
            yield part


def _implied(source: Source, resource: ObservationResource) -> list[Any]:
    """Return the category of an Observation that states none: a laboratory's by where it stands."""
    named = resource.specimen is not None or source.lookup.is_reported(source.entry)
    return [{"coding": [{"code": "laboratory"}]}] if named else []


class _Shared:
    """What an Observation and its components share: time, method, site, flags."""

    __slots__ = (
        "body_site",
        "category",
        "derived_from",
        "end",
        "flags",
        "method",
        "method_kind",
        "note",
        "source",
        "specimen",
        "time",
    )

    def __init__(self, source: Source, resource: ObservationResource) -> None:
        self.source = source
        self.category = resource.category or _implied(source, resource)
        self.end: ClinicalTime | None = None
        if resource.effectiveDateTime is not None:
            self.time = source.time(resource.effectiveDateTime)
        else:
            self.time, self.end = _collected(source, resource)
        self.method = _method(source, resource)
        self.specimen, self.method_kind = measured_in(source, resource, self.method)
        self.body_site = words(resource.bodySite) or None
        self.derived_from = tuple(
            short_reference(one.reference) for one in resource.derivedFrom if one.reference
        )
        self.flags = _STATUS_FLAGS[resource.status]
        if self.time is None:
            self.flags += ("no-collection-time",)
        if resource.note:
            self.flags += ("has-note",)
        said = [note.text for note in resource.note if note.text]
        self.note = " / ".join(said)[:_LONGEST_NOTE]
        if (resource.note or resource.specimen is not None) and haemolysed(source, resource):
            self.flags += (FLAG,)
        self.flags += tuple(f for f in specimen_states(said) if f not in self.flags)

    def component(self, element: Any, path: str) -> Fact | None:
        """Return the fact of one component, or None after noting why there is none."""
        try:
            stated = convert(element, WithValue)
        except ValidationError as error:
            self._problem(path, what_is_wrong(error))
            return None
        return self.fact(stated, element, path, None)

    def fact(
        self, stated: WithValue, element: dict[str, Any], path: str, otherwise: Reading | None
    ) -> Fact | None:
        """Return the fact of one value, or of `otherwise` where there is no value."""
        try:
            code = coded(element, self.category)
        except ValidationError:
            self._problem(path, "code: not valid")
            return None
        of_specimen = code.category is not Category.VITAL_SIGN
        specimen = self.specimen if of_specimen else None
        code, other = code_in_specimen(code, specimen)
        try:
            reading = read_value(stated, element, analyte=code.analyte, loinc=code.loinc)
        except ValidationError as error:
            self._problem(path, what_is_wrong(error))
            return None
        reading = reading or otherwise
        if reading is None:
            return None
        if code.contradicted is not None:
            reading = _of_no_known_test(reading, code.contradicted)
            self._problem(path, f"code: {code.contradicted}; it is not assessed")
        flags = self.flags + reading.flags
        if code.flags:
            flags = tuple(dict.fromkeys(flags + code.flags)) if flags else code.flags
        if code.disagree:
            flags += ("codes-disagree",)
        if other:
            flags += (WRONG_SPECIMEN,)
        entry = self.source.entry
        return fact(
            code.category,
            code.concept,
            reading.state,
            place=evidence(entry.file, entry.name, f"{path}.{reading.path}"),
            not_assessed=reading.not_assessed,
            value=reading.value,
            time=self.time,
            end=self.end,
            body_site=self.body_site,
            method=self.method,
            reported=with_range(reading, code.range_words),
            flags=flags,
            specimen=specimen,
            method_kind=self.method_kind if of_specimen else None,
            derived_from=self.derived_from,
            note=self.note,
        )

    def _problem(self, path: str, what: str) -> None:
        self.source.problems.append(f"{self.source.entry.name}: {path}.{what}")


def _of_no_known_test(reading: Reading, contradicted: str) -> Reading:
    """Return a value that is not assessed: which test it is of is not certain."""
    value = reading.reported or (str(reading.value) if reading.value is not None else None)
    why = NotAssessed(why=Why.CONFLICTING, detail=contradicted)
    return Reading(path=reading.path, state=State.NOT_ASSESSED, not_assessed=why, reported=value)


def _collected(
    source: Source, resource: ObservationResource
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


def _method(source: Source, resource: ObservationResource) -> str | None:
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
