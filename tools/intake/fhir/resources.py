"""Thin models of the FHIR R4 resources that are read: only the elements used, types strict.

Unknown elements pass; a wrong type of a known element refuses the resource with the element's path.
Values and times stay as written here; `value` and `moment` read them. The models are msgspec
structures: as strict as pydantic models, and several times as fast for the thousands of elements
of a chart.
"""

from typing import Any, cast

from msgspec import Struct, field

NONE = cast("list[Any]", ())
"""Stands for an absent list; immutable, so that it is shared and not copied for every resource."""


class Thin(Struct, gc=False):
    """Base: elements not named are left alone, ``"7"`` is not a number.

    ``gc=False``: what is read from JSON holds no cycles, so that the collector need not look at it.
    """


class FhirCoding(Thin):
    """A code in a system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Thin):
    """Codings and a text."""

    coding: list[FhirCoding] = NONE
    text: str | None = None


class FhirQuantity(Thin):
    """A number as written; `value` is checked where it is used, so that its place can be named."""

    value: Any = None
    comparator: Any = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class FhirRange(Thin):
    """Two bounds, each included."""

    low: FhirQuantity | None = None
    high: FhirQuantity | None = None


class Ratio(Thin):
    """A titre or ratio, shown as written."""

    numerator: FhirQuantity | None = None
    denominator: FhirQuantity | None = None


class Period(Thin):
    """Start and end, as written."""

    start: str | None = None
    end: str | None = None


class Identifier(Thin):
    """A business identifier."""

    use: str | None = None
    system: str | None = None
    value: str | None = None


class Reference(Thin):
    """A reference, as written."""

    reference: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class Annotation(Thin):
    """A comment."""

    text: str | None = None


class Attachment(Thin):
    """Content in the resource (base64) or elsewhere (url)."""

    contentType: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None
    creation: str | None = None


class Resource(Thin):
    """What every resource may carry."""

    id: str | None = None
    implicitRules: str | None = None
    modifierExtension: list[Any] = NONE


class HumanName(Thin):
    """A name."""

    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: list[str | None] = NONE


class PatientResource(Resource):
    """Patient."""

    identifier: list[Identifier] = NONE
    name: list[HumanName] = NONE
    gender: str | None = None
    birthDate: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None


class ReferenceRange(Thin):
    """A reference range as the laboratory printed it."""

    low: FhirQuantity | None = None
    high: FhirQuantity | None = None
    text: str | None = None
    type: CodeableConcept | None = None


class WithValue(Thin):
    """The elements that an Observation and its components share.

    What repeats through a chart is read once for each distinct content (`fhir.coded`). Values of
    other types are read by `OtherValue`, where there is one.
    """

    code: Any
    valueQuantity: FhirQuantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] = NONE
    referenceRange: list[Any] = NONE


class OtherValue(Thin):
    """The types of value that few Observations have."""

    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueRange: FhirRange | None = None
    valueRatio: Ratio | None = None
    valueSampledData: Any = None
    valueTime: str | None = None
    valueDateTime: str | None = None
    valuePeriod: Period | None = None


class ObservationResource(WithValue):
    """Observation."""

    status: str | None = None
    category: Any = None
    effectiveDateTime: str | None = None
    component: list[Any] = NONE
    focus: list[Reference] = NONE
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    note: list[Annotation] = NONE
    bodySite: CodeableConcept | None = None
    method: CodeableConcept | None = None
    specimen: Reference | None = None
    device: Reference | None = None
    hasMember: list[Reference] = NONE
    derivedFrom: list[Reference] = NONE


class SpecimenCollection(Thin):
    """When a specimen was taken."""

    collectedDateTime: str | None = None
    collectedPeriod: Period | None = None


class Specimen(Resource):
    """Specimen."""

    collection: SpecimenCollection | None = None


class SpecimenState(Thin):
    """Specimen: its condition, read apart so that it never costs the collection time."""

    condition: list[CodeableConcept] = NONE
    note: list[Annotation] = NONE


class DeviceName(Thin):
    """A name of a device."""

    name: str | None = None


class Device(Resource):
    """Device."""

    deviceName: list[DeviceName] = NONE
    manufacturer: str | None = None
    modelNumber: str | None = None
    type: CodeableConcept | None = None


class Medication(Resource):
    """Medication."""

    code: CodeableConcept | None = None


class ConditionResource(Resource):
    """Condition."""

    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    code: CodeableConcept | None = None
    bodySite: list[CodeableConcept] = NONE
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementAge: Any = None
    abatementRange: Any = None
    abatementString: str | None = None
    recordedDate: str | None = None


class MedicationResource(Resource):
    """MedicationRequest, MedicationStatement and MedicationAdministration."""

    status: str | None = None
    intent: str | None = None
    doNotPerform: bool = False
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    authoredOn: str | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None


class ProcedureResource(Resource):
    """Procedure."""

    status: str | None = None
    code: CodeableConcept | None = None
    bodySite: list[CodeableConcept] = NONE
    performedDateTime: str | None = None
    performedPeriod: Period | None = None


class EncounterResource(Resource):
    """Encounter."""

    status: str | None = None
    class_: FhirCoding | None = field(default=None, name="class")
    type: list[CodeableConcept] = NONE
    period: Period | None = None


class ReportResource(Resource, kw_only=True):
    """DiagnosticReport."""

    status: str | None = None
    code: CodeableConcept
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    conclusion: str | None = None
    presentedForm: list[Attachment] = NONE


class Announced(Thin, kw_only=True):
    """What an Observation or DiagnosticReport says of results that are elsewhere, or not there yet.

    Read apart so that it never costs the result itself.
    """

    status: str | None = None
    effectiveDateTime: str | None = None
    effectiveInstant: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    result: list[Reference] = NONE
    hasMember: list[Reference] = NONE
    conclusion: str | None = None
    presentedForm: list[Any] = NONE


class DocumentContent(Thin):
    """One form of a document."""

    attachment: Attachment


class DocumentResource(Resource):
    """DocumentReference."""

    status: str | None = None
    type: CodeableConcept | None = None
    description: str | None = None
    date: str | None = None
    content: list[DocumentContent] = NONE
