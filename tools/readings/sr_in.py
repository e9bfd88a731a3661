"""A reading put together again from the DICOM structured report that `sr_out` writes."""

import io
import json
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from knowledge.errors import UnreadableError, UnsupportedError
from tools.ecg.readers.dicom import parse_errors
from tools.readings import sr_terms as t
from tools.readings.check import faults
from tools.readings.model import Reading

_AGAIN = "export the reading again with `epicrisis reading export --sr`"
_ONE = {t.SIDE: "side", t.CHANGE: "change", t.STATE: "state", t.REMARK: "text"}
_NUMBERS = {
    t.SIZE: "size_mm",
    t.CERTAINTY: "certainty",
    t.NUMBER: "number",
    t.MARGIN: "margin",
}
_MANY = {t.ZONE: "zones", t.ANSWER: "choices"}


def reading_from_sr(content: bytes, *, name: str = "report", any_version: bool = False) -> Reading:
    """Return the reading of a structured report.

    Args:
        content: Of the DICOM file.
        name: Of the file, for messages.
        any_version: It may be of another version of the form, where it fits the one here too.

    Raises:
        UnreadableError: Not DICOM, or a part of the reading is missing or damaged.
        UnsupportedError: A report that holds no reading of ours.
        InvalidValueError: The reading does not fit its form.
    """
    import pydicom

    damaged: tuple[type[Exception], ...] = (
        *parse_errors(), LookupError, ValueError, TypeError, AttributeError,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content))
            ds.decode()
        except damaged as error:
            raise UnreadableError(
                name, f"is no readable DICOM ({type(error).__name__})", _AGAIN
            ) from error
    try:
        about = [value for key, value in _of(ds) if key == t.ABOUT]
    except damaged as error:
        raise UnreadableError(name, "is cut off or damaged", _AGAIN) from error
    if len(about) != 1:
        raise UnsupportedError(name, "holds no structured reading of ours", _AGAIN)
    try:
        found = _reading(ds, str(about[0]))
    except damaged as error:  # pydantic's ValidationError is a ValueError
        raise UnreadableError(
            name, f"a part of the reading is damaged: {error}"[:300], _AGAIN
        ) from error
    for fault in faults(found, any_version=any_version):
        raise fault
    return found


def _reading(ds: Any, about: str) -> Reading:
    body = json.loads(about)
    edits = [json.loads(value) for key, value in _of(ds) if key == t.EDIT]
    items: dict[str, dict[str, Any]] = {}
    entries: dict[str, dict[str, Any]] = defaultdict(dict)
    groups = list(_groups(ds))
    if (len(groups), len(edits)) != (body.pop("statements"), body.pop("replaced")):
        raise ValueError("statements are missing")
    for path, group in groups:
        item, _, rest = path.partition("/")
        entry, _, part = rest.partition("/")
        if not entry:
            items[item] = _stated(group)
        elif not part:
            entries[item][entry] = {}
        else:
            entries[item][entry][part] = _stated(group)
    for item, held in entries.items():
        items[item]["entries"] = [{"id": key, "items": parts} for key, parts in held.items()]
    return Reading.model_validate({**body, "items": items, "edits": edits})


def _groups(ds: Any) -> Iterator[tuple[str, Any]]:
    """Yield every measurement group with its tracking identifier."""
    for item in ds.ContentSequence:
        for group in item.get("ContentSequence", ()):
            if _code(group) != "125007":  # Measurement Group (PS3.16 TID 1501)
                continue
            path = [i.TextValue for i in group.ContentSequence if _code(i) == "112039"]
            yield str(path[0]), group


def _stated(group: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    held: dict[str, Any] = {}
    for key, value in _of(group):
        if key in _ONE:
            found[_ONE[key]] = value
        elif key in _NUMBERS:
            found[_NUMBERS[key]] = value[0]
            if key == t.NUMBER:
                found["unit"] = value[1]
        elif key in _MANY:
            found.setdefault(_MANY[key], []).append(value)
        else:
            held[key] = value
    if t.WHY in held:
        found["not_assessed"] = {"why": held[t.WHY], "detail": held.get(t.WHY_TEXT, "")}
    if t.SAID_BY in held:
        who, at = held[t.SAID_WHO], held[t.SAID_AT]
        found["said"] = {"by": held[t.SAID_BY], "who": who, "at": at}
    return found


def _of(container: Any) -> Iterator[tuple[str, Any]]:
    """Yield the content items of our scheme: name, and code, text, or number with unit."""
    for item in container.get("ContentSequence", ()):
        name = _code(item, t.SCHEME)
        if not name:
            continue
        if item.ValueType == "CODE":
            yield name, _value(item.ConceptCodeSequence[0])
        elif item.ValueType == "TEXT":
            yield name, str(item.TextValue)
        elif item.ValueType == "NUM":
            measured = item.MeasuredValueSequence[0]
            exact = measured.get("FloatingPointValue")
            number = float(exact if exact is not None else measured.NumericValue)
            yield name, (number, _value(measured.MeasurementUnitsCodeSequence[0]))


def _code(item: Any, scheme: str = "DCM") -> str:
    names = item.get("ConceptNameCodeSequence") or ()
    if not names or names[0].get("CodingSchemeDesignator") != scheme:
        return ""
    return _value(names[0])


def _value(code: Any) -> str:
    return str(code.get("CodeValue") or code.get("LongCodeValue") or "")
