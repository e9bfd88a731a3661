"""OBX-2, OBX-5 and OBX-6 to the value of an Observation, as its type says."""

import base64
import binascii
import re
from typing import Any

from knowledge.errors import InvalidValueError
from knowledge.units import parse_stated
from tools.intake.fhir.value import UCUM
from tools.intake.hl7v2.coded import concept
from tools.intake.hl7v2.message import Message, Segment
from tools.intake.hl7v2.moment import moment
from tools.intake.printed_result import NumberFormat, two_readings

TEXTS = frozenset({"TX", "FT", "ST"})
CODED = frozenset({"CE", "CWE", "CNE", "CF"})
TIMES = frozenset({"DT", "TS", "DTM"})
ATTACHED = frozenset({"ED", "RP"})

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_MEDIA = {
    "PDF": "application/pdf",
    "PLAIN": "text/plain",
    "HTML": "text/html",
    "RTF": "application/rtf",
    "XML": "application/xml",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "DICOM": "application/dicom",
}
"""Subtypes of HL7 table 0291 as media types."""

_LONGEST_NUMBER = 40


def value_of(obx: Segment, message: Message) -> dict[str, Any]:
    """Return the value elements of an Observation; none where OBX-5 is empty.

    Args:
        obx: The segment; not of type ED or RP.
        message: It stands in.
    """
    if obx.is_null(5):
        return {"dataAbsentReason": {"text": "the sender deleted the value"}}
    if not obx.whole(5).strip():
        return {}
    kind = obx.get(2).upper()
    if kind == "NM" and obx.repetitions(5) == 1:
        return _number(obx.get(5) if obx.parts(5) == [[0]] else obx.whole(5), obx)
    if kind == "SN" and obx.repetitions(5) == 1:
        return _structured(obx)
    if kind in CODED:
        return _coded(obx, message)
    if kind in TIMES and obx.repetitions(5) == 1:
        return _time(obx.get(5))
    return _text(obx, message)


def attachment_of(obx: Segment) -> dict[str, Any] | str:
    """Return the attachment of a value of type ED or RP, or why there is none."""
    if obx.get(2).upper() == "RP":
        return {"contentType": _media(obx.get(5, 3), obx.get(5, 4)), "url": obx.get(5) or "none"}
    kind, subtype, coding, data = (obx.get(5, n) for n in (2, 3, 4, 5))
    form: dict[str, Any] = {"contentType": _media(kind, subtype)}
    if not data:
        return "an attachment (ED) without data"
    try:
        content = _decoded(data, coding.upper())
    except (binascii.Error, ValueError):
        return f"an attachment whose data are not {coding or 'of its encoding'}"
    return {**form, "data": base64.b64encode(content).decode()}


def text_attachment(text: str) -> dict[str, Any]:
    """Return a text as an attachment."""
    data = base64.b64encode(text.encode("utf-8", "replace")).decode()
    return {"contentType": "text/plain; charset=utf-8", "data": data}


def _decoded(data: str, coding: str) -> bytes:
    if coding == "BASE64":
        return base64.b64decode("".join(data.split()), validate=True)
    if coding == "HEX":
        return bytes.fromhex(data)
    return data.encode("utf-8", "replace")


def _media(kind: str, subtype: str) -> str:
    named = _MEDIA.get(subtype.upper())
    if named is not None:
        return named
    return f"{kind or 'application'}/{subtype}".lower()[:80] if subtype else "text/plain"


def _number(text: str, obx: Segment) -> dict[str, Any]:
    if _NUMBER.fullmatch(text) is None or len(text) > _LONGEST_NUMBER:
        return _printed(text, obx)
    number = float(text)
    return {"valueQuantity": {"value": int(number) if number.is_integer() else number, **unit(obx)}}


def _structured(obx: Segment) -> dict[str, Any]:
    """Return a structured numeric (SN): a bound, a number, a range, a ratio, or its words."""
    if any(places not in ([], [0]) for places in obx.parts(5)):
        return _printed(obx.whole(5), obx)
    sign, first, between, second = (obx.get(5, n) for n in (1, 2, 3, 4))
    if sign == "=":
        sign = ""
    numeric = [bool(_NUMBER.fullmatch(t)) and len(t) <= _LONGEST_NUMBER for t in (first, second)]
    own = unit(obx)
    if numeric[0] and not between and not second and sign in ("", "<", "<=", ">", ">="):
        made = {"value": float(first), **own}
        return {"valueQuantity": {**made, "comparator": sign} if sign else made}
    if all(numeric) and not sign and between == "-":
        ends = ({"value": float(t), **own} for t in (first, second))
        return {"valueRange": dict(zip(("low", "high"), ends, strict=True))}
    if all(numeric) and not sign and between in (":", "/"):
        ends = ({"value": float(t)} for t in (first, second))
        return {"valueRatio": dict(zip(("numerator", "denominator"), ends, strict=True))}
    return _printed(f"{sign}{first}{between}{second}" or obx.whole(5), obx)


def _coded(obx: Segment, message: Message) -> dict[str, Any]:
    found = [concept(obx, 5, message, rep=r) for r in range(1, obx.repetitions(5) + 1)]
    stated = [one for one in found if one]
    if not stated:
        return {}
    if len(stated) == 1:
        return {"valueCodeableConcept": stated[0]}
    words = "; ".join(one.get("text", "") for one in stated)
    coding = [c for one in stated for c in one.get("coding", [])]
    return {"valueCodeableConcept": {"coding": coding, "text": words}}


def _time(text: str) -> dict[str, Any]:
    try:
        return {"valueDateTime": moment(text)}
    except InvalidValueError:
        return {"valueString": text}


def _text(obx: Segment, message: Message) -> dict[str, Any]:
    """Return words with every repetition; a number sent as text has its unit behind it."""
    lines = [obx.whole(5, rep=r) for r in range(1, obx.repetitions(5) + 1)]
    text = ("\n" if obx.get(2).upper() in TEXTS else "; ").join(lines).strip()
    printed = _printed(text, obx) if len(lines) == 1 else {"valueString": text}
    number = parse_stated(printed["valueString"])
    if number is not None and number[1] is not None and two_readings(text, _numbers(message)):
        said = "the point has two readings, decimal sign or between thousands"
        return {"valueString": f"{printed['valueString']} ({said})"}
    return printed


def _numbers(message: Message) -> NumberFormat:
    """Return what the numbers that the message sends as text show of how they are written."""
    texts = [s.get(5) for s in message.segments if s.name == "OBX" and s.get(2).upper() == "ST"]
    return NumberFormat.of(texts)


def _printed(text: str, obx: Segment) -> dict[str, Any]:
    plain = text.lstrip("<>=").strip()
    printed = unit(obx).get("code") or unit(obx).get("unit")
    if printed and _NUMBER.fullmatch(plain):
        return {"valueString": f"{text.strip()} {printed}"}
    return {"valueString": text}


def unit(obx: Segment) -> dict[str, Any]:
    """Return the unit of OBX-6: a UCUM code where the field names UCUM, else as printed."""
    code, words, system = (obx.get(6, n) for n in (1, 2, 3))
    if not code:
        return {"unit": words} if words else {}
    if system.upper() == "UCUM":
        return {"unit": code, "system": UCUM, "code": code}
    return {"unit": code}
