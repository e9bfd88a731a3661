"""Cases on disk from a recipe: a bundled synthetic patient, changed in named ways.

A recipe is ``{"base": "nstemi", "edits": [{"do": "drop_file", "file": "ecg.dcm"}]}``; each edit is
one of the functions in `EDITS`. An edit that finds nothing to change is a mistake of the recipe and
raises: a case that silently stayed as it was would be counted as another one.
"""

import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import orjson

from evals.outside_data import outside_file
from knowledge.errors import InvalidValueError

Edit = Mapping[str, Any]

LOINC = {
    "hs_ctnt": "67151-1",
    "hs_ctni": "89579-7",
    "creatinine": "2160-0",
    "potassium": "2823-3",
    "glucose": "2345-7",
    "haemoglobin": "718-7",
    "d_dimer": "48065-7",
    "heart_rate": "8867-4",
    "respiratory_rate": "9279-1",
    "spo2": "59408-5",
    "temperature": "8310-5",
}
"""LOINC codes of what recipes name (loinc.org)."""


def prepared(recipe: Mapping[str, Any], folder: Path) -> Path:
    """Return a folder with the case of a recipe.

    Args:
        recipe: ``base`` and ``edits``.
        folder: Where the case goes.

    Raises:
        InvalidValueError: The recipe names a patient, an edit or a thing that is not there.
    """
    if "recording" in recipe:
        return recorded(recipe["recording"], folder)
    base = recipe["base"]
    target: Path = folder / str(base)
    source = files("serving").joinpath("examples", base)
    if not source.is_dir():
        raise _wrong(f"patient {base!r}", "is not among the bundled examples")
    with as_file(source) as original:
        shutil.copytree(original, target)
    for edit in recipe.get("edits", ()):
        change = EDITS.get(edit["do"])
        if change is None:
            raise _wrong(f"edit {edit['do']!r}", f"is none of {', '.join(EDITS)}")
        change(target, edit)
    return target


_RECORDED = """\
schema: epicrisis/case/1
case: real-recording
synthetic: true
time_zone: Europe/Berlin
at: 2026-11-20T09:30:00+01:00
patient: {{family: Erfunden, given: [Test], birth_date: 1950-02-01, sex: {sex}}}
attach:
  - {{file: "{file}", patient: same, recorded_at: 2026-11-20T09:20:00+01:00}}
facts:
  onset: 2026-11-20T06:00:00+01:00
"""


def recorded(recording: Mapping[str, Any], folder: Path) -> Path:
    """Return a case of a real recording and an invented patient.

    Args:
        recording: ``folder`` of the outside data, ``files`` with the one to attach first, ``sex``.
        folder: Where the case goes.

    Raises:
        UnavailableError: The outside data are not on this machine.
    """
    target = folder / "recording"
    target.mkdir()
    for name in recording["files"]:
        shutil.copy(outside_file(f"{recording['folder']}/{name}"), target / name)
    text = _RECORDED.format(sex=recording.get("sex", "male"), file=recording["files"][0])
    (target / "case.yaml").write_text(text, "utf-8")
    return target


def _wrong(what: str, why: str) -> InvalidValueError:
    return InvalidValueError(what, why, "correct the recipe")


def _chart(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((case / "chart.json").read_bytes())
    return found


def _write(case: Path, chart: Mapping[str, Any]) -> None:
    (case / "chart.json").write_bytes(orjson.dumps(chart, option=orjson.OPT_INDENT_2))


def _resources(chart: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    every = [entry["resource"] for entry in chart["entry"]]
    return [one for one in every if one["resourceType"] == kind]


def _is(resource: Mapping[str, Any], analyte: str) -> bool:
    code = LOINC.get(analyte)
    if code is None:
        raise _wrong(f"analyte {analyte!r}", f"is none of {', '.join(LOINC)}")
    return any(c.get("code") == code for c in resource.get("code", {}).get("coding", ()))


def _results(chart: Mapping[str, Any], analyte: str) -> list[dict[str, Any]]:
    found = [one for one in _resources(chart, "Observation") if _is(one, analyte)]
    if not found:
        raise _wrong(f"analyte {analyte!r}", "has no result in the base")
    return found


def _drop_file(case: Path, edit: Edit) -> None:
    (case / edit["file"]).unlink()


def _rename_file(case: Path, edit: Edit) -> None:
    (case / edit["file"]).rename(case / edit["to"])


def _drop_results(case: Path, edit: Edit) -> None:
    chart = _chart(case)
    gone = {id(one) for one in _results(chart, edit["analyte"])}
    chart["entry"] = [e for e in chart["entry"] if id(e["resource"]) not in gone]
    _write(case, chart)


def _set_results(case: Path, edit: Edit) -> None:
    """Replace the results of one analyte: ``rows`` of [value, unit, time]."""
    chart = _chart(case)
    like = edit.get("like", edit["analyte"])
    model = _results(chart, like)[0]
    gone = {id(one) for one in _resources(chart, "Observation") if _is(one, edit["analyte"])}
    if edit.get("instead_of_like"):
        gone |= {id(one) for one in _results(chart, like)}
    chart["entry"] = [e for e in chart["entry"] if id(e["resource"]) not in gone]
    for number, (value, unit, time) in enumerate(edit["rows"], 1):
        quantity: dict[str, Any] = {"unit": unit} if unit else {}
        if isinstance(value, str):
            quantity |= {"comparator": value[0], "value": float(value[1:])}
        else:
            quantity["value"] = value
        coding = {"system": "http://loinc.org", "code": LOINC[edit["analyte"]]}
        resource = {
            **model,
            "id": f"{edit['analyte'].replace('_', '-')}-made-{number}",
            "code": {"coding": [coding]},
            "effectiveDateTime": time,
            "valueQuantity": quantity,
        }
        chart["entry"].append({"resource": resource})
    _write(case, chart)


def _unit(case: Path, edit: Edit) -> None:
    """Write the results of one analyte in another unit."""
    chart = _chart(case)
    for one in _results(chart, edit["analyte"]):
        quantity = one["valueQuantity"]
        quantity["value"] = float(f"{quantity['value'] * edit.get('factor', 1):.10g}")
        quantity["unit"] = edit["unit"]
        quantity.pop("code", None)
        quantity.pop("system", None)
    _write(case, chart)


def _drop_components(case: Path, edit: Edit) -> None:
    """Remove the blood pressure."""
    chart = _chart(case)
    kept = [e for e in chart["entry"] if "component" not in e["resource"]]
    if len(kept) == len(chart["entry"]):
        raise _wrong("blood pressure", "has no result in the base")
    _write(case, {**chart, "entry": kept})


def _blood_pressure(case: Path, edit: Edit) -> None:
    chart = _chart(case)
    panel = next(o for o in _resources(chart, "Observation") if "component" in o)
    for component, value in zip(panel["component"], edit["mmhg"], strict=True):
        component["valueQuantity"]["value"] = value
    _write(case, chart)


def _patient(case: Path, edit: Edit) -> None:
    """Change the birth date or the sex, in the chart; a recording with another is dropped."""
    chart = _chart(case)
    person = _resources(chart, "Patient")[0]
    person.update({k: v for k, v in edit.items() if k in ("birthDate", "gender", "name")})
    _write(case, chart)
    recording = case / "ecg.dcm"
    if recording.exists():
        _tags(
            case,
            {
                "PatientBirthDate": person["birthDate"].replace("-", ""),
                "PatientSex": person["gender"][0].upper(),
            },
        )


def _conditions(case: Path, edit: Edit) -> None:
    """Keep only these ICD-10 codes among the conditions."""
    chart = _chart(case)
    kept = [
        e
        for e in chart["entry"]
        if e["resource"]["resourceType"] != "Condition"
        or e["resource"]["code"]["coding"][0]["code"] in edit["keep"]
    ]
    _write(case, {**chart, "entry": kept})


def _facts(case: Path, edit: Edit) -> None:
    """Set facts of the case file; null removes one that must be there."""
    file = case / "case.yaml"
    lines = file.read_text("utf-8").splitlines()
    for key, value in edit["set"].items():
        at = next((i for i, line in enumerate(lines) if line.startswith(f"  {key}: ")), None)
        if value is None:
            if at is None:
                raise _wrong(f"fact {key!r}", "is not in the base")
            del lines[at]
        elif at is not None:
            lines[at] = f"  {key}: {value}"
        else:
            lines.insert(lines.index("facts:") + 1, f"  {key}: {value}")
    file.write_text("\n".join(lines) + "\n", "utf-8")


def _head(case: Path, edit: Edit) -> None:
    """Set lines at the top of the case file; null removes one."""
    file = case / "case.yaml"
    lines = file.read_text("utf-8").splitlines()
    for key, value in edit["set"].items():
        at = next((i for i, line in enumerate(lines) if line.startswith(f"{key}: ")), None)
        text = f"{key}: {orjson.dumps(value).decode() if isinstance(value, str) else value}"
        if at is None:
            lines.insert(lines.index("facts:"), text)
        elif value is None:
            del lines[at]
        else:
            lines[at] = text
    file.write_text("\n".join(lines) + "\n", "utf-8")


def _append(case: Path, key: str, item: Mapping[str, Any]) -> None:
    """Append an item to a list of the case file; JSON is YAML."""
    file = case / "case.yaml"
    text = file.read_text("utf-8")
    line = f"  - {orjson.dumps(item).decode()}\n"
    head = f"{key}:\n"
    text = text.replace(head, head + line) if head in text else f"{text}{head}{line}"
    file.write_text(text, "utf-8")


def _note(case: Path, edit: Edit) -> None:
    item = {key: edit[key] for key in ("title", "time", "by", "text") if key in edit}
    _append(case, "notes", {"title": "note", **item})


def _note_file(case: Path, edit: Edit) -> None:
    (case / edit["file"]).write_text(edit["text"], "utf-8")
    _append(case, "attach", {"file": edit["file"], "patient": "same"})


def _comment(case: Path, edit: Edit) -> None:
    """Write a note on every result of one analyte, as a laboratory does."""
    chart = _chart(case)
    for one in _results(chart, edit["analyte"]):
        one["note"] = [{"text": edit["text"]}]
    _write(case, chart)


def _display(case: Path, edit: Edit) -> None:
    """Change the display text and the free text of one analyte's code."""
    chart = _chart(case)
    for one in _results(chart, edit["analyte"]):
        one["code"]["text"] = edit["text"]
        one["code"]["coding"][0]["display"] = edit["text"]
    _write(case, chart)


def _condition_text(case: Path, edit: Edit) -> None:
    chart = _chart(case)
    for one in _resources(chart, "Condition"):
        one["code"]["text"] = edit["text"]
    _write(case, chart)


def _tag(case: Path, edit: Edit) -> None:
    """Set DICOM attributes of the recording."""
    _tags(case, edit["set"])


def _tags(case: Path, values: Mapping[str, str]) -> None:
    import pydicom

    data = pydicom.dcmread(case / "ecg.dcm")
    for name, value in values.items():
        setattr(data, name, value)
    data.save_as(case / "ecg.dcm")


def _statement(case: Path, edit: Edit) -> None:
    """Add a statement of the device to the recording (DICOM PS3.3 C.10.10, unformatted text)."""
    import pydicom
    from pydicom.dataset import Dataset

    data = pydicom.dcmread(case / "ecg.dcm")
    said = Dataset()
    said.UnformattedTextValue = edit["text"]
    said.AnnotationGroupNumber = 1
    data.WaveformAnnotationSequence = [*data.get("WaveformAnnotationSequence", []), said]
    data.save_as(case / "ecg.dcm")


def _reverse(case: Path, edit: Edit) -> None:
    """Turn the order of the chart's entries and of the facts around."""
    chart = _chart(case)
    chart["entry"].reverse()
    _write(case, chart)
    file = case / "case.yaml"
    head, mark, facts = file.read_text("utf-8").partition("facts:\n")
    file.write_text(head + mark + "\n".join(reversed(facts.splitlines())) + "\n", "utf-8")


def _utc(case: Path, edit: Edit) -> None:
    """Write every time of the chart in UTC, with ``Z``: the same moments."""
    chart = _chart(case)
    for one in _resources(chart, "Observation"):
        moment = datetime.fromisoformat(one["effectiveDateTime"])
        shifted = moment.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00:00+00:00").tzinfo)
        one["effectiveDateTime"] = shifted.isoformat().replace("+00:00", "Z")
    _write(case, chart)


EDITS: Mapping[str, Callable[[Path, Edit], None]] = {
    "drop_file": _drop_file,
    "rename_file": _rename_file,
    "drop_results": _drop_results,
    "set_results": _set_results,
    "unit": _unit,
    "drop_blood_pressure": _drop_components,
    "blood_pressure": _blood_pressure,
    "patient": _patient,
    "conditions": _conditions,
    "facts": _facts,
    "head": _head,
    "note": _note,
    "note_file": _note_file,
    "comment": _comment,
    "display": _display,
    "condition_text": _condition_text,
    "tag": _tag,
    "statement": _statement,
    "reverse": _reverse,
    "utc": _utc,
}
"""What a recipe may do."""
