"""Writing an HL7 annotated ECG (aECG, PORT_MT020001): the rhythm series, without annotations.

The standard was made for drug trials: it requires a trial and a subject. Both carry what is known,
or say that nothing is (`nullFlavor`).
"""

import re
import uuid
from datetime import timedelta
from xml.etree import ElementTree as ET

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.errors import ContractError
from tools.ecg.model import EcgRecording
from tools.ecg.writers.quantised import Quantised, quantised, stamp

_V3, _XSI = "urn:hl7-org:v3", "http://www.w3.org/2001/XMLSchema-instance"
_CPT, _ACT, _MDC = "2.16.840.1.113883.6.12", "2.16.840.1.113883.5.4", "2.16.840.1.113883.6.24"
_GENDER = "2.16.840.1.113883.5.1"
_SEX = {"female": "F", "male": "M"}
_OURS = uuid.UUID("3b7d3f2c-6a55-4d0c-9b43-1f0b8f0f7a10")
"""Name space of the identifiers derived from a recording's id."""
_UNKNOWN = {"nullFlavor": "UNK"}


def aecg(recording: EcgRecording) -> bytes:
    """Return an aECG document of the recording; the same recording gives the same bytes.

    Raises:
        ContractError: The scale is not known, or a sample is invalid, which aECG cannot say.
    """
    whole = quantised(recording)
    if whole.invalid.any():
        names = [n for n, bad in zip(whole.leads, whole.invalid.T, strict=True) if bad.any()]
        raise ContractError(
            recording.file,
            f"invalid samples in {', '.join(names)}, which aECG cannot mark",
            "write it as DICOM",
        )
    ET.register_namespace("", _V3)
    ET.register_namespace("xsi", _XSI)
    root = ET.Element(f"{{{_V3}}}AnnotatedECG")
    _add(root, "id", root=str(uuid.uuid5(_OURS, recording.id)))
    _add(root, "code", code="93000", codeSystem=_CPT, codeSystemName="CPT-4")
    _period(root, recording)
    event = _path(root, "componentOf", "timepointEvent")
    assignment = _path(event, "componentOf", "subjectAssignment")
    _subject(_path(assignment, "subject", "trialSubject"), recording)
    trial = _path(assignment, "componentOf", "clinicalTrial")
    _add(trial, "id", **_UNKNOWN)
    series = _path(root, "component", "series")
    _add(series, "id", root=str(uuid.uuid5(_OURS, f"series {recording.id}")))
    _add(series, "code", code="RHYTHM", codeSystem=_ACT, codeSystemName="ActCode")
    _period(series, recording)
    _low_cut(series, recording.low_cut_hz)
    sequences = _path(series, "component", "sequenceSet")
    _clock(sequences, recording)
    for column, lead in enumerate(whole.leads):
        _lead(sequences, whole, column, lead)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _subject(subject: ET.Element, recording: EcgRecording) -> None:
    who = recording.identity
    system, number = who.identifiers[0] if who.identifiers else ("", "")
    if not number:
        _add(subject, "id", **_UNKNOWN)
    else:
        _add(subject, "id", extension=number, **_assigned_by(system))
    if who.is_empty and who.sex is None:
        return
    person = _add(subject, "subjectDemographicPerson")
    if who.family or who.given:
        name = _add(person, "name")
        if who.given:
            _add(name, "given").text = " ".join(who.given)
        if who.family:
            _add(name, "family").text = who.family
    if who.sex is not None:
        _add(person, "administrativeGenderCode", code=_SEX[who.sex], codeSystem=_GENDER)
    if who.birth_date is not None:
        _add(person, "birthTime", value=who.birth_date.at.strftime(_day(who.birth_date)))


def _assigned_by(system: str) -> dict[str, str]:
    """Return who numbers the subjects: an OID as the root, any other system as a name."""
    if not system:
        return {}
    oid = system.removeprefix("urn:oid:")
    if oid != system and re.fullmatch(r"[\d.]+", oid):
        return {"root": oid}
    return {"assigningAuthorityName": system}


def _day(time: ClinicalTime) -> str:
    shorter = {Precision.YEAR: "%Y", Precision.MONTH: "%Y%m"}
    return shorter.get(time.precision, "%Y%m%d")


def _period(parent: ET.Element, recording: EcgRecording) -> None:
    """Add the time of the recording, or that it is unknown."""
    start = recording.start
    if start is None:
        _add(parent, "effectiveTime", **_UNKNOWN)
        return
    period = _add(parent, "effectiveTime")
    _add(period, "low", value=stamp(start), inclusive="true")
    if start.precision is Precision.SECOND:
        seconds = len(recording.signal_mv) / recording.sampling_rate_hz
        end = start.model_copy(update={"at": start.at + timedelta(seconds=seconds)})
        _add(period, "high", value=stamp(end), inclusive="false")


def _low_cut(series: ET.Element, low_cut_hz: float | None) -> None:
    if low_cut_hz is None:
        return
    outer = _path(series, "controlVariable", "controlVariable")
    _add(outer, "code", code="MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS", codeSystem=_MDC)
    inner = _path(outer, "component", "controlVariable")
    _add(inner, "code", code="MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ", codeSystem=_MDC)
    _add(inner, "value", type_="PQ", value=f"{low_cut_hz:g}", unit="Hz")


def _clock(sequences: ET.Element, recording: EcgRecording) -> None:
    """Add the time of the samples: absolute where the start is known to the second."""
    sequence = _path(sequences, "component", "sequence")
    step = f"{1 / recording.sampling_rate_hz:.9g}"
    start = recording.start
    if start is not None and start.precision is Precision.SECOND:
        _add(sequence, "code", code="TIME_ABSOLUTE", codeSystem=_ACT, codeSystemName="ActCode")
        value = _add(sequence, "value", type_="GLIST_TS")
        _add(value, "head", value=stamp(start))
    else:
        _add(sequence, "code", code="TIME_RELATIVE", codeSystem=_ACT, codeSystemName="ActCode")
        value = _add(sequence, "value", type_="GLIST_PQ")
        _add(value, "head", value="0", unit="s")
    _add(value, "increment", value=step, unit="s")


def _lead(sequences: ET.Element, whole: Quantised, column: int, lead: str) -> None:
    sequence = _path(sequences, "component", "sequence")
    code = f"MDC_ECG_LEAD_{lead.upper() if lead.startswith('a') else lead}"
    _add(sequence, "code", code=code, codeSystem=_MDC, codeSystemName="MDC")
    value = _add(sequence, "value", type_="SLIST_PQ")
    _add(value, "origin", value="0", unit="uV")
    _add(value, "scale", value=str(whole.step_uv), unit="uV")
    _add(value, "digits").text = " ".join(map(str, whole.values[:, column].tolist()))


def _path(parent: ET.Element, *names: str) -> ET.Element:
    for name in names:
        parent = _add(parent, name)
    return parent


def _add(parent: ET.Element, name: str, *, type_: str = "", **attributes: str) -> ET.Element:
    typed = {f"{{{_XSI}}}type": type_} if type_ else {}
    return ET.SubElement(parent, f"{{{_V3}}}{name}", {**typed, **attributes})
