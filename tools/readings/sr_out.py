"""A reading as a DICOM structured report: Comprehensive SR, measurement report (TID 1500).

Each item is a group of measurements and qualitative evaluations (PS3.16 TID 1501), found again by
its tracking identifier. The report is preliminary and unverified, also where the reading was
signed: who signed stands in it, and this software verifies nothing.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from knowledge.errors import ContractError, IdentityConflictError
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_items import Item
from knowledge.reading_words import reading_words
from tools.dicom_out.maker import MANUFACTURER, NOTICE, Maker
from tools.dicom_out.settle import object_uids, settle
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of, uid
from tools.readings import sr_terms as t
from tools.readings.category import outcomes
from tools.readings.model import Reading, Stated
from tools.readings.report import reading_report
from tools.readings.sentences import sentence

METHOD, METHOD_VERSION = "structured_reading", "1"
_SERIES_NUMBER = 9902
_HEADER = (
    "PatientID", "IssuerOfPatientID", "PatientName", "PatientSex",
    "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID", "StudyID",
    "AccessionNumber", "ReferringPhysicianName", "Modality",
)  # fmt: skip
_TIMES = {"PatientBirthDate": "%Y%m%d", "StudyDate": "%Y%m%d", "StudyTime": "%H%M%S"}
_SEX = {"female": "F", "male": "M", "other": "O", "unknown": ""}


def reading_sr(reading: Reading, sources: Sources | None = None) -> bytes:
    """Return a reading as a DICOM file.

    Args:
        reading: That fits its form.
        sources: The images that were read; without them the reading's own identifiers of study,
            series and instances are referred to.

    Raises:
        ContractError: The sources are of another study.
        IdentityConflictError: The sources are of another patient.
    """
    import highdicom as hd

    form = reading_form(reading.form)
    of = _checked(reading, sources) if sources is not None else _stand_in(reading)
    maker = Maker(method=METHOD, method_version=METHOD_VERSION, at=reading.last_change)
    content = digest_of(reading.model_dump_json().encode())
    series, instance = object_uids("reading", of, maker, content)
    groups = [_group(reading, item, path, given) for item, path, given in _places(form, reading)]
    body = hd.sr.MeasurementReport(
        observation_context=_context(reading, maker),
        procedure_reported=_own(form.id, form.name.en),
        imaging_measurements=groups,
    )
    body[0].ContentSequence.extend(_texts(reading, form))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name of one part, as the source has it
        document = hd.sr.ComprehensiveSR(
            evidence=list(of.datasets),
            content=body[0],
            series_instance_uid=series,
            series_number=_SERIES_NUMBER,
            sop_instance_uid=instance,
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            is_final=False,
            is_verified=False,
            record_evidence=bool(reading.study.images) or sources is not None,
        )
    return settle(document, sources=of, maker=maker, description=form.id)


def _places(form: ReadingForm, reading: Reading) -> Iterator[tuple[Item | None, str, Stated]]:
    """Yield every item with its path; an entry of a list has no item of its own."""
    for path, given in reading.items.items():
        item = form.items[path]
        yield item, path, given
        parts = {part.id: part for part in item.items}
        for entry in given.entries:
            yield None, f"{path}/{entry.id}", given
            for key, stated in entry.items.items():
                yield parts[key], f"{path}/{entry.id}/{key}", stated


def _group(reading: Reading, item: Item | None, path: str, given: Stated) -> Any:
    import highdicom as hd

    tracking = hd.sr.TrackingIdentifier(
        identifier=path, uid=uid("tracking", reading.id, reading.form, path)
    )
    if item is None:
        return hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, finding_type=_own(t.ENTRY, t.MEANINGS[t.ENTRY])
        )
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        finding_type=_own(item.id, item.label.en),
        measurements=list(_measurements(given)) or None,
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(name=_named(name), value=_own(code, meaning))
            for name, code, meaning in _evaluations(item, given)
        ],
    )
    for name, text in _words(given):
        group[0].ContentSequence.append(_text(name, text))
    return group


def _evaluations(item: Item, given: Stated) -> Iterator[tuple[str, str, str]]:
    words = reading_words()
    yield t.STATE, given.state.value, words.states[given.state.value].en
    if given.not_assessed is not None:
        why = given.not_assessed.why.value
        yield t.WHY, why, words.reasons[why].en
    if given.said is not None:
        yield t.SAID_BY, given.said.by, words.speakers[given.said.by].en
    if given.side is not None:
        yield t.SIDE, given.side, words.sides[given.side].en
    yield from ((t.ZONE, zone, words.zones[zone].en) for zone in given.zones)
    if given.change is not None:
        yield t.CHANGE, given.change, words.changes[given.change].en
    yield from ((t.ANSWER, choice, item.answers[choice].en) for choice in given.choices)


def _words(given: Stated) -> Iterator[tuple[str, str]]:
    if given.said is not None:
        yield t.SAID_WHO, given.said.who
        yield t.SAID_AT, given.said.at.isoformat()
    if given.not_assessed is not None and given.not_assessed.detail:
        yield t.WHY_TEXT, given.not_assessed.detail
    if given.text:
        yield t.REMARK, given.text


def _measurements(given: Stated) -> Iterator[Any]:
    from highdicom.sr import Measurement

    if given.number is not None:
        unit = _ucum(given.unit or "1")
        yield Measurement(name=_named(t.NUMBER), value=given.number, unit=unit)
    if given.size_mm is not None:
        yield Measurement(name=_named(t.SIZE), value=given.size_mm, unit=_ucum("mm"))
    if given.certainty is not None:
        yield Measurement(name=_named(t.CERTAINTY), value=given.certainty, unit=_ucum("1"))
    if given.margin is not None:
        unit = _ucum(given.unit or "1")
        yield Measurement(name=_named(t.MARGIN), value=given.margin, unit=unit)


def _texts(reading: Reading, form: ReadingForm) -> Iterator[Any]:
    """Yield the notice, the sentences, the categories, and what else makes the reading whole."""
    yield _text("comment", NOTICE)
    for item, _, given in _places(form, reading):
        if item is not None and not given.nobody_looked:
            yield _text("comment", sentence(item, given, "en"))
    report = reading_report(reading)
    yield _text("comment", "Summary: " + "; ".join(report.summary))
    if outcomes(form, reading.items):
        for line in report.categories:
            missing = f" (needs {', '.join(line.missing)})" if line.missing else ""
            yield _text(t.CATEGORY, f"{line.label}: {line.text}{missing}")
    about = reading.model_dump(mode="json", exclude={"items", "edits"}, exclude_none=True)
    counts = {
        "statements": sum(1 for _ in _places(form, reading)),
        "replaced": len(reading.edits),
    }
    yield _text(t.ABOUT, json.dumps({**about, **counts}, ensure_ascii=False))
    yield from (_text(t.EDIT, e.model_dump_json(exclude_none=True)) for e in reading.edits)


def _context(reading: Reading, maker: Maker) -> Any:
    from highdicom import sr
    from pydicom.sr.codedict import codes

    device = sr.DeviceObserverIdentifyingAttributes(
        uid=uid("device", MANUFACTURER, maker.software),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"{maker.method} {maker.method_version}",
        serial_number=maker.software,
    )
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def _checked(reading: Reading, sources: Sources) -> Sources:
    """Return the sources, which are of the patient and the study of the reading.

    Raises:
        ContractError: Of another study.
        IdentityConflictError: Of another patient.
    """
    if sources.study != reading.study.study_uid:
        raise ContractError(
            f"reading {reading.id}", "is of another study than the images", "give its own images"
        )
    patient = str(sources.datasets[0].get("PatientID", "") or "")
    if patient != reading.subject.id:
        raise IdentityConflictError(
            f"reading {reading.id}",
            "is not of the patient of the images",
            "give its own images",
            files=sources.files,
        )
    return Sources(datasets=tuple(_header(ds) for ds in sources.datasets), files=sources.files)


def _header(source: Any) -> Any:
    """Return what tells patient, study and instance; a day or time that is none is left empty."""
    from pydicom.dataset import Dataset

    ds = Dataset()
    for keyword in _HEADER:
        setattr(ds, keyword, str(source.get(keyword, "") or ""))
    for keyword, form in _TIMES.items():
        stated = str(source.get(keyword, "") or "").partition(".")[0]
        try:
            datetime.strptime(stated, form)  # noqa: DTZ007 - only whether it is one
        except ValueError:
            stated = ""
        setattr(ds, keyword, stated)
    return ds


def _stand_in(reading: Reading) -> Sources:
    """Return headers that say of whom and of what the reading is, and nothing else."""
    from pydicom.dataset import Dataset

    study, who = reading.study, reading.subject
    made = []
    images: Sequence[tuple[str, str, str]] = [
        (image.sop_class_uid, image.series_uid, image.sop_uid) for image in study.images
    ] or [("1.2.840.10008.5.1.4.1.1.7", uid("none", study.study_uid), uid("no", study.study_uid))]
    for sop_class, series, instance in images:
        ds = Dataset()
        ds.PatientID, ds.IssuerOfPatientID = who.id, who.issuer
        ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "", "", _SEX[who.sex]
        ds.StudyInstanceUID, ds.SeriesInstanceUID = study.study_uid, series
        ds.SOPClassUID, ds.SOPInstanceUID = sop_class, instance
        ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "", study.accession, ""
        done = study.done
        ds.StudyDate = done.strftime("%Y%m%d") if done is not None else ""
        ds.StudyTime = done.strftime("%H%M%S") if done is not None else ""
        ds.Modality = study.modality
        made.append(ds)
    return Sources(datasets=tuple(made), files=tuple("reading" for _ in made))


def _text(name: str, text: str) -> Any:
    from highdicom.sr import RelationshipTypeValues, TextContentItem
    from pydicom.sr.codedict import codes

    concept = codes.DCM.Comment if name == "comment" else _named(name)
    return TextContentItem(
        name=concept, value=text, relationship_type=RelationshipTypeValues.CONTAINS
    )


def _named(name: str) -> Any:
    return _own(name, t.MEANINGS[name])


def _own(code: str, meaning: str) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code, scheme_designator=t.SCHEME, meaning=meaning[:64])


def _ucum(unit: str) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=unit, scheme_designator="UCUM", meaning=unit)
