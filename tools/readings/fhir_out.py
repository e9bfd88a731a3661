"""A reading as FHIR R4: a DiagnosticReport with an Observation for every item.

What is not assessed is written with its reason (`dataAbsentReason`); a category that is not
determined has no value either. The reading itself can be put together again from the bundle.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from knowledge.finding import Why
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_items import Item
from knowledge.reading_words import reading_words
from tools.readings import fhir_terms as t
from tools.readings.category import category_of, contradictions, outcomes
from tools.readings.model import Entry, Reading, Said, Stated
from tools.readings.names import path_name
from tools.readings.outcome import Outcome
from tools.readings.sentences import sentence
from tools.readings.summary import summary
from tools.readings.versions import open_clashes

_ABSENT = {
    Why.MISSING: "not-performed",
    Why.SWITCHED_OFF: "not-performed",
    Why.NO_MODEL: "not-performed",
    Why.OUTSIDE_CONTRACT: "not-applicable",
    Why.UNREADABLE: "error",
    Why.FAILED: "error",
    Why.QUALITY: "error",
}
"""Reasons in FHIR's value set; every other is ``unknown``. Ours stands beside it."""


def fhir_bundle(reading: Reading) -> dict[str, Any]:
    """Return a reading as a FHIR R4 collection.

    Args:
        reading: That fits its form.
    """
    writer = _Writer(reading)
    entries = [writer.report(), writer.patient(), writer.study()]
    entries += [made for path, given in reading.items.items() for made in writer.item(path, given)]
    entries += writer.categories()
    entries += writer.edits()
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": reading.last_change.isoformat(),
        "entry": entries,
    }


class _Writer:
    """Puts the resources of one reading together."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.form: ReadingForm = reading_form(reading.form)
        self.status = "final" if reading.signed is not None else "preliminary"
        self.found = outcomes(self.form, reading.items)
        self.open_ones = {clash.key for clash in open_clashes(reading)}

    def report(self) -> dict[str, Any]:
        reading, form = self.reading, self.form
        results = [self._ref(path) for path in reading.items]
        results += [self._ref(_category_key(outcome)) for outcome in self.found]
        body: dict[str, Any] = {
            "resourceType": "DiagnosticReport",
            "extension": list(self._about()),
            "identifier": [{"system": t.READING, "value": reading.id}],
            "status": self.status,
            "category": [t.RADIOLOGY],
            "code": t.concept(t.FORM, form.id, form.name.en),
            "subject": self._ref("patient"),
            "issued": reading.last_change.isoformat(),
            "performer": [{"display": reading.started.who}],
            "result": results,
            "imagingStudy": [self._ref("study")],
        }
        if reading.signed is not None:
            body["resultsInterpreter"] = [{"display": reading.signed.who}]
        if reading.study.done is not None:
            body["effectiveDateTime"] = reading.study.done.isoformat()
        research = reading_words().headings["research"].en
        against = contradictions(reading)
        said = "; ".join(summary(reading, form, self.found, against, "en"))
        body["conclusion"] = f"{said.removesuffix('.')}. {research}"
        return self._entry("report", body)

    def patient(self) -> dict[str, Any]:
        who = self.reading.subject
        identifier = {"value": who.id} | ({"system": who.issuer} if who.issuer else {})
        body = {"resourceType": "Patient", "identifier": [identifier], "gender": who.sex}
        return self._entry("patient", body)

    def study(self) -> dict[str, Any]:
        study = self.reading.study
        identifier = [{"system": t.DICOM_UID, "value": f"urn:oid:{study.study_uid}"}]
        if study.accession:
            kind = {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}
                ]
            }
            identifier.append({"type": kind, "value": study.accession})  # type: ignore[dict-item]
        modality = {"system": t.DCM, "code": study.modality}
        series = [
            {
                "uid": uid,
                "modality": modality,
                "instance": [
                    {
                        "uid": image.sop_uid,
                        "sopClass": {
                            "system": "urn:ietf:rfc:3986",
                            "code": f"urn:oid:{image.sop_class_uid}",
                        },
                    }
                    for image in images
                ],
            }
            for uid, images in itertools.groupby(study.images, key=lambda image: image.series_uid)
        ]
        body: dict[str, Any] = {
            "resourceType": "ImagingStudy",
            "identifier": identifier,
            "status": "available",
            "modality": [modality],
            "subject": self._ref("patient"),
        }
        if study.done is not None:
            body["started"] = study.done.isoformat()
        return self._entry("study", body | ({"series": series} if series else {}))

    def item(self, path: str, given: Stated) -> Iterator[dict[str, Any]]:
        """Yield the Observation of an item, of each entry of a list, and of their items."""
        item = self.form.item(path)
        members = [self._ref(f"{path}/{entry.id}") for entry in given.entries]
        body = self.observation(item, given) | ({"hasMember": members} if members else {})
        yield self._entry(path, body)
        for entry in given.entries:
            yield self._list_entry(item, entry)
            for key, stated in entry.items.items():
                yield from self.item(f"{path}/{entry.id}/{key}", stated)

    def observation(self, item: Item, given: Stated, *, status: str = "") -> dict[str, Any]:
        """Return the Observation of one item, without address and members."""
        code = t.concept(t.item_system(self.form.id), item.id, item.label.en)
        body: dict[str, Any] = self._observation(code, status or self.status)
        if given.not_assessed is not None:
            why = given.not_assessed.why
            standard = {"system": t.ABSENT_REASON, "code": _ABSENT.get(why, "unknown")}
            own = {"system": t.WHY, "code": why.value}
            body["dataAbsentReason"] = {"coding": [standard, own]}
            if given.not_assessed.detail:
                body["dataAbsentReason"]["text"] = given.not_assessed.detail
        elif given.number is not None:
            body["valueQuantity"] = _quantity(given.number, given.unit or "1")
        elif item.kind == "text":
            body["valueString"] = given.text
        elif item.kind != "choice" and item.kind != "choices":
            body["valueCodeableConcept"] = t.state_concept(given.state)
        elif given.choices:
            words = ", ".join(item.answers[c].en for c in given.choices if c in item.answers)
            codes = [{"system": t.ANSWER, "code": choice} for choice in given.choices]
            body["valueCodeableConcept"] = {"coding": codes, "text": words}
        if given.text and not (item.kind == "text" and given.not_assessed is None):
            body["note"] = [{"text": given.text}]
        if given.said is not None:
            body |= _said(given.said)
            body["text"] = _narrative(sentence(item, given, "en"))
        components = list(_components(given))
        return body | ({"component": components} if components else {})

    def categories(self) -> Iterator[dict[str, Any]]:
        """Yield an Observation for every table; without a value where it is not determined."""
        for outcome in self.found:
            yield self._entry(_category_key(outcome), self._category(outcome))

    def edits(self) -> Iterator[dict[str, Any]]:
        """Yield what was changed, and what stood there before."""
        for index, edit in enumerate(self.reading.edits):
            item = self.form.item(edit.path)
            before = self.observation(item, edit.before, status="cancelled")
            members = [e for e in edit.before.entries]
            key = f"before/{index}"
            if members:
                before["hasMember"] = [self._ref(f"{key}/{e.id}") for e in members]
            yield self._entry(key, before)
            for entry in members:
                yield self._list_entry(item, entry, key=key)
                parts = {part.id: part for part in item.items}
                for part, stated in entry.items.items():
                    old = self.observation(parts[part], stated, status="cancelled")
                    yield self._entry(f"{key}/{entry.id}/{part}", old)
            yield self._entry(
                f"edit/{index}",
                {
                    "resourceType": "Provenance",
                    "extension": [
                        {"url": t.PATH, "valueString": edit.path},
                        {"url": f"{t.ABOUT}-version", "valuePositiveInt": edit.version},
                    ],
                    "target": [self._ref("report")],
                    "recorded": edit.at.isoformat(),
                    "agent": [{"who": {"display": edit.by}}],
                    "entity": [{"role": "revision", "what": self._ref(key)}],
                },
            )

    def _list_entry(self, item: Item, entry: Entry, *, key: str = "") -> dict[str, Any]:
        path = f"{key or item.id}/{entry.id}"
        label = item.entry.en if item.entry is not None else item.label.en
        code = t.concept(t.ENTRY, entry.id, f"{label} {entry.id}")
        body = self._observation(code, "cancelled" if key else self.status)
        members = [self._ref(f"{path}/{part}") for part in entry.items]
        return self._entry(path, body | ({"hasMember": members} if members else {}))

    def _category(self, outcome: Outcome) -> dict[str, Any]:
        table = self.form.table(outcome.table)
        label = table.label.en + (f", {outcome.entry}" if outcome.entry else "")
        body = self._observation(t.concept(t.TABLE, table.id, label), self.status)
        category = category_of(self.form, outcome)
        if category is not None:
            body["valueCodeableConcept"] = t.concept(t.TABLE, category.id, category.label.en)
            if category.management is not None and not self.open_ones & set(outcome.look_again):
                body["note"] = [{"text": category.management.en}]
        else:
            missing = ", ".join(path_name(self.form, path, "en") for path in outcome.missing)
            words = "no entry" if outcome.no_entries else f"not determined; needs {missing}"
            if outcome.contradictions:
                words = "not determined: contradiction: " + " ".join(
                    because.en for because in outcome.because
                )
            body["dataAbsentReason"] = t.concept(t.ABSENT_REASON, "unknown", words)
            possible = [table.category(c).label.en for c in outcome.possible]
            if possible:
                body["note"] = [{"text": "Possible: " + "; ".join(possible)}]
        derived = [self._ref(path) for path in outcome.rests_on]
        return body | ({"derivedFrom": derived} if derived else {})

    def _observation(self, code: dict[str, Any], status: str) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "status": status,
            "category": [t.IMAGING],
            "code": code,
            "subject": self._ref("patient"),
        }

    def _about(self) -> Iterator[dict[str, Any]]:
        reading = self.reading
        yield {"url": f"{t.ABOUT}-version", "valuePositiveInt": reading.version}
        yield {"url": f"{t.ABOUT}-edits", "valueUnsignedInt": len(reading.edits)}
        yield {"url": f"{t.ABOUT}-form-version", "valueString": reading.form_version}
        yield {"url": f"{t.ABOUT}-form-sha256", "valueString": reading.form_sha256}
        yield _said_extension(f"{t.ABOUT}-started", reading.started)
        if reading.signed is not None:
            yield _said_extension(f"{t.ABOUT}-signed", reading.signed)
        if reading.prior is not None:
            yield {"url": f"{t.ABOUT}-prior", "valueString": reading.prior}
        for one in reading.accepted:
            yield _said_extension(f"{t.ABOUT}-accepted", one.said, key=one.key)
        if reading.subject.age_years is not None:
            yield {
                "url": f"{t.ABOUT}-age",
                "valueQuantity": _quantity(reading.subject.age_years, "a"),
            }

    def _entry(self, key: str, resource: dict[str, Any]) -> dict[str, Any]:
        return {"fullUrl": self._ref(key)["reference"], "resource": resource}

    def _ref(self, key: str) -> dict[str, str]:
        return {"reference": t.urn(self.reading.id, str(self.reading.version), key)}


def _category_key(outcome: Outcome) -> str:
    return f"category/{outcome.table}/{outcome.entry or ''}"


def _components(given: Stated) -> Iterator[dict[str, Any]]:
    words = reading_words()

    def named(detail: str, code: str, text: str) -> dict[str, Any]:
        return {
            "code": t.concept(t.DETAIL, detail, detail),
            "valueCodeableConcept": t.concept(t.DETAIL, code, text),
        }

    def counted(detail: str, number: float, unit: str) -> dict[str, Any]:
        return {
            "code": t.concept(t.DETAIL, detail, detail),
            "valueQuantity": _quantity(number, unit),
        }

    if given.side is not None:
        yield named("side", given.side, words.sides[given.side].en)
    for zone in given.zones:
        yield named("zone", zone, words.zones[zone].en)
    if given.change is not None:
        yield named("change", given.change, words.changes[given.change].en)
    if given.size_mm is not None:
        yield counted("size", given.size_mm, "mm")
    if given.certainty is not None:
        yield counted("certainty", given.certainty, "1")
    if given.margin is not None:
        yield counted("margin", given.margin, given.unit or "1")


def _said(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = {
        "extension": [{"url": t.SAID, "valueCode": said.by}],
        "issued": said.at.isoformat(),
    }
    if said.by in ("model", "measurement"):
        return found | {"device": {"display": said.who}}
    return found | {"performer": [{"display": said.who}]}


def _said_extension(url: str, said: Said, *, key: str = "") -> dict[str, Any]:
    named = [{"url": "key", "valueString": key}] if key else []
    return {
        "url": url,
        "extension": [
            *named,
            {"url": "by", "valueCode": said.by},
            {"url": "who", "valueString": said.who},
            {"url": "at", "valueInstant": said.at.isoformat()},
        ],
    }


def _quantity(number: float, unit: str) -> dict[str, Any]:
    return {"value": number, "unit": unit, "system": t.UCUM, "code": unit}


def _narrative(text: str) -> dict[str, str]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escaped}</div>',
    }
