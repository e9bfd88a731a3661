"""A reading put together again from the FHIR bundle that `fhir_out` writes."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from knowledge.errors import UnreadableError, UnsupportedError
from knowledge.finding import NotAssessed, State, Why
from tools.readings import fhir_terms as t
from tools.readings.check import faults
from tools.readings.model import (
    Accepted,
    Edit,
    Entry,
    Image,
    Reading,
    Said,
    Stated,
    Study,
    Subject,
)

_AGAIN = "export the reading again with `epicrisis reading export --fhir`"
_STATUSES = frozenset({"final", "preliminary", "cancelled"})
"""Of an observation: that of its report, or of what an edit replaced."""
_VALUES = frozenset({"valueCodeableConcept", "valueQuantity", "valueString"})


def reading_from_fhir(
    bundle: Mapping[str, Any], *, name: str = "bundle", any_version: bool = False
) -> Reading:
    """Return the reading of a bundle.

    Args:
        bundle: As `fhir_bundle` writes it.
        name: Of the file, for messages.
        any_version: It may be of another version of the form, where it fits the one here too.

    Raises:
        UnsupportedError: It holds no reading of ours, or several.
        UnreadableError: Something of the reading is missing or damaged.
        InvalidValueError: The reading does not fit its form.
    """
    entries = bundle.get("entry") or ()
    try:
        held: dict[str, Any] = {
            str(e.get("fullUrl")): e.get("resource") or {}
            for e in entries
            if isinstance(e, Mapping) and isinstance(e.get("resource") or {}, Mapping)
        }
        reports = [r for r in held.values() if _is_report(r)]
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(name, f"damaged ({type(error).__name__})", _AGAIN) from error
    if len(reports) != 1:
        raise UnsupportedError(name, f"holds {len(reports)} structured readings", _AGAIN)
    try:
        found = _Reader(held, reports[0]).reading()
    except (KeyError, IndexError, TypeError, AttributeError, StopIteration) as error:
        raise UnreadableError(
            name, f"a part of the reading is missing ({type(error).__name__}: {error})", _AGAIN
        ) from error
    except (ValidationError, ValueError) as error:
        raise UnreadableError(
            name, f"a part of the reading is damaged: {error}"[:300], _AGAIN
        ) from error
    for fault in faults(found, any_version=any_version):
        raise fault
    return found


def _is_report(resource: Mapping[str, Any]) -> bool:
    return (
        resource.get("resourceType") == "DiagnosticReport"
        and t.code_of(resource.get("code"), t.FORM) is not None
    )


class _Reader:
    """Follows the references of one report."""

    def __init__(self, held: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        self.held = held
        self.report = report
        form = t.code_of(report["code"], t.FORM)
        self.form = form or ""
        self.system = t.item_system(self.form)

    def reading(self) -> Reading:
        report, about = self.report, self._about()
        items = {}
        for reference in report["result"]:
            resource = self._at(reference)
            item_id = t.code_of(resource["code"], self.system)
            if item_id is not None:
                items[item_id] = self._stated(resource)
        prior = about.get("prior")
        edits = self._edits()
        if len(edits) != about["edits"]["valueUnsignedInt"]:
            raise ValueError("edits are missing")
        return Reading(
            id=next(i["value"] for i in report["identifier"] if i.get("system") == t.READING),
            version=about["version"]["valuePositiveInt"],
            form=self.form,
            form_version=about["form-version"]["valueString"],
            form_sha256=about["form-sha256"]["valueString"],
            status=report["status"],
            signed=_said_of(about["signed"]) if "signed" in about else None,
            started=_said_of(about["started"]),
            subject=self._subject(about),
            study=self._study(),
            prior=prior["valueString"] if prior is not None else None,
            items=items,
            edits=tuple(edits),
            accepted=tuple(self._accepted()),
        )

    def _accepted(self) -> Iterator[Accepted]:
        for extension in self.report["extension"]:
            if extension["url"] == f"{t.ABOUT}-accepted":
                parts = {e["url"]: e for e in extension["extension"]}
                yield Accepted(key=parts["key"]["valueString"], said=_said_of(extension))

    def _about(self) -> dict[str, Any]:
        begin = f"{t.ABOUT}-"
        return {
            e["url"].removeprefix(begin): e
            for e in self.report["extension"]
            if e["url"].startswith(begin)
        }

    def _subject(self, about: Mapping[str, Any]) -> Subject:
        patient = self._at(self.report["subject"])
        identifier = patient["identifier"][0]
        return Subject(
            id=identifier["value"],
            issuer=identifier.get("system", ""),
            age_years=about["age"]["valueQuantity"]["value"] if "age" in about else None,
            sex=patient["gender"],
        )

    def _study(self) -> Study:
        study = self._at(self.report["imagingStudy"][0])
        uid = next(i["value"] for i in study["identifier"] if i.get("system") == t.DICOM_UID)
        accession = [i["value"] for i in study["identifier"] if "type" in i]
        images = [
            Image(
                sop_class_uid=instance["sopClass"]["code"].removeprefix("urn:oid:"),
                series_uid=series["uid"],
                sop_uid=instance["uid"],
            )
            for series in study.get("series", ())
            for instance in series["instance"]
        ]
        return Study(
            study_uid=uid.removeprefix("urn:oid:"),
            modality=study["modality"][0]["code"],
            done=study.get("started"),
            accession=accession[0] if accession else "",
            images=tuple(images),
        )

    def _stated(self, resource: Mapping[str, Any]) -> Stated:
        details = [(t.code_of(c["code"], t.DETAIL), c) for c in resource.get("component", ())]
        named = [(d, t.code_of(c.get("valueCodeableConcept"), t.DETAIL)) for d, c in details]
        counted = {d: c["valueQuantity"]["value"] for d, c in details if "valueQuantity" in c}
        one = {d: code for d, code in named if code is not None}
        number = resource.get("valueQuantity")
        value = resource.get("valueCodeableConcept")
        answers = [c["code"] for c in (value or {}).get("coding", ()) if c["system"] == t.ANSWER]
        notes = [n["text"] for n in resource.get("note", ())]
        why = _why(resource)
        state = t.code_of(value, t.STATE)
        if resource.get("status") not in _STATUSES:
            raise ValueError(f"an observation with the status {resource.get('status')!r:.40}")
        if {key for key in resource if key.startswith("value")} - _VALUES:
            raise ValueError("an observation with a value that no reading of ours has")
        said = answers or number or resource.get("valueString") or resource.get("hasMember")
        if state is None and why is None and not said:
            raise ValueError("an observation that says neither present nor absent")
        return Stated.model_validate(
            {
                "state": State.NOT_ASSESSED if why is not None else State(state or "present"),
                "not_assessed": why,
                "said": self._said(resource),
                "side": one.get("side"),
                "zones": tuple(code for d, code in named if d == "zone"),
                "size_mm": counted.get("size"),
                "certainty": counted.get("certainty"),
                "margin": counted.get("margin"),
                "change": one.get("change"),
                "choices": tuple(answers),
                "number": number["value"] if number else None,
                "unit": number["code"] if number else None,
                "text": resource.get("valueString") or "".join(notes),
                "entries": tuple(self._entry(ref) for ref in resource.get("hasMember", ())),
            }
        )

    def _entry(self, reference: Mapping[str, str]) -> Entry:
        resource = self._at(reference)
        items = {}
        for member in resource.get("hasMember", ()):
            part = self._at(member)
            items[str(t.code_of(part["code"], self.system))] = self._stated(part)
        return Entry(id=str(t.code_of(resource["code"], t.ENTRY)), items=items)

    def _said(self, resource: Mapping[str, Any]) -> Said | None:
        marks = [e["valueCode"] for e in resource.get("extension", ()) if e["url"] == t.SAID]
        if not marks:
            return None
        device = resource.get("device")
        who = device["display"] if device else resource["performer"][0]["display"]
        return Said(by=marks[0], who=who, at=resource["issued"])

    def _edits(self) -> list[Edit]:
        found = []
        for resource in self.held.values():
            marks = {e["url"]: e for e in resource.get("extension", ())}
            if resource.get("resourceType") != "Provenance" or t.PATH not in marks:
                continue
            found.append(
                Edit(
                    version=marks[f"{t.ABOUT}-version"]["valuePositiveInt"],
                    path=marks[t.PATH]["valueString"],
                    before=self._stated(self._at(resource["entity"][0]["what"])),
                    by=resource["agent"][0]["who"]["display"],
                    at=resource["recorded"],
                )
            )
        return found

    def _at(self, reference: Mapping[str, str]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.held[reference["reference"]]
        return found


def _why(resource: Mapping[str, Any]) -> NotAssessed | None:
    reason = resource.get("dataAbsentReason")
    if reason is None:
        return None
    own = t.code_of(reason, t.WHY)
    return NotAssessed(why=Why(own or "missing"), detail=reason.get("text", ""))


def _said_of(extension: Mapping[str, Any]) -> Said:
    parts = {e["url"]: e for e in extension["extension"]}
    return Said(
        by=parts["by"]["valueCode"],
        who=parts["who"]["valueString"],
        at=parts["at"]["valueInstant"],
    )
