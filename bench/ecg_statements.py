"""Count every ECG statement against published labels: TP, FP, FN, TN, not assessed.

Run from the repository root: ``python bench/ecg_statements.py [--yaml] [--wrong CODE]``. Data:
`ecg-cpsc2018` (one text label a record), `ecg-torchecg-samples` (CinC 2021, SNOMED codes),
`ecg-ludb` (cardiologists' table; timing only), and the first two with electrodes exchanged by
formula. ``--yaml`` prints the rows of ``knowledge/data/ecg_accuracy.yaml``.

The labels are noisy. CPSC gives one label a record, so a bundle branch block with ventricular beats
counts them as false (a record labelled Normal stands for no statement); CinC labels were merged
from several hospitals with rules of their own; LUDB calls rhythms from about 54/min sinus rhythm
and not bradycardia; a conduction delay is labelled from below our 120 ms. Limits are never moved
for one record.
"""

import argparse
import csv
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MISSING = 3  # exit status where something needed is not there

CPSC = {
    "AF": "atrial-fibrillation",
    "I-AVB": "av-block-1",
    "LBBB": "lbbb",
    "RBBB": "rbbb",
    "PAC": "premature-atrial",
    "PVC": "premature-ventricular",
}
# SNOMED CT codes as the label maps beside the records name them.
CINC = {
    "284470004": "premature-atrial",
    "427172004": "premature-ventricular",
    "426783006": "sinus-rhythm",
    "426177001": "sinus-bradycardia",
    "427084000": "sinus-tachycardia",
    "59118001": "rbbb",
    "713426002": "incomplete-rbbb",
    "698252002": "conduction-delay",
    "253352002": "left-atrial-enlargement",
    "67741000119109": "left-atrial-enlargement",
    "89792004": "rvh",
    "164873001": "lvh",
    "111975006": "prolonged-qtc",
}
LUDB = {
    "Sinus rhythm": "sinus-rhythm",
    "Sinus bradycardia": "sinus-bradycardia",
    "Sinus tachycardia": "sinus-tachycardia",
    "Atrial fibrillation": "atrial-fibrillation",
    "Atrial flutter, typical": "atrial-flutter",
    "I degree av block": "av-block-1",
    "Iii degree av-block": "av-block-3",
    "Atrial extrasystole, type: single pac": "premature-atrial",
    "Ventricular extrasystole, type: single pvc": "premature-ventricular",
    "Ventricular extrasystole, type: couplet": "ventricular-couplet",
    "Ventricular extrasystole, type: intercalary pvc": "premature-ventricular",
    "Unipolar ventricular pacing": "paced_rhythm",
    "Bipolar ventricular pacing": "paced_rhythm",
    "Biventricular pacing": "paced_rhythm",
    "Unipolar atrial pacing": "atrial-pacing",
}
# A sinus rhythm is one at every rate: a rate label stands for the rhythm as well.
ALSO = {"sinus-bradycardia": "sinus-rhythm", "sinus-tachycardia": "sinus-rhythm"}
ALSO_VENTRICULAR = {"ventricular-couplet": "premature-ventricular"}


@dataclass(frozen=True)
class Labelled:
    """One record: its name, the statements its labels stand for, the recording."""

    name: str
    codes: frozenset[str]
    recording: Any
    years: float | None
    sex: str | None


@dataclass
class Counts:
    """One statement on one data set; `open_*` are not assessed, with the label or without."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0
    open_labelled: int = 0
    open_others: int = 0

    def add(self, state: str, *, labelled: bool) -> None:
        """Count one record."""
        if state == "not_assessed":
            self.open_labelled += labelled
            self.open_others += not labelled
        elif state == "present":
            self.tp += labelled
            self.fp += not labelled
        else:
            self.fn += labelled
            self.tn += not labelled


def main() -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(description="ECG statements against labels")
    parser.add_argument("--yaml", action="store_true", help="print rows for ecg_accuracy.yaml")
    parser.add_argument("--wrong", help="also list the records on which this statement differs")
    given = parser.parse_args()
    data = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "ecg-cpsc2018").exists():
        _say("no records: set EPICRISIS_TEST_DATA to a folder with ecg-cpsc2018")
        return MISSING
    sys.path.insert(0, str(ROOT))
    tables = everything(data)
    wilson = importlib.import_module("knowledge.wilson").wilson
    show = _as_yaml if given.yaml else _as_text
    for name, table in tables.items():
        _say(f"# {name}" if given.yaml else f"-- {name}")
        for code, counts in sorted(table.items()):
            _say(show(name, code, counts, wilson))
    if not given.yaml:
        _say(f"-- of 8 CPSC records labelled Normal, abnormal statements: {_alarms(data)}")
    if given.wrong:
        for line in differing(data, given.wrong):
            _say(line)
    return 0


def everything(data: Path) -> dict[str, dict[str, Counts]]:
    """Return the counts of every statement with a label, by data set and code."""
    return {
        "cpsc2018": confusion(cpsc(data), frozenset(CPSC.values())),
        "torchecg": confusion(cinc(data), frozenset(CINC.values())),
        "ludb": confusion(ludb(data), frozenset(LUDB.values())),
        "exchanged": exchanged(data),
    }


def confusion(records: Iterator[Labelled], codes: frozenset[str]) -> dict[str, Counts]:
    """Return the counts of these statements on these records."""
    table: dict[str, Counts] = {code: Counts() for code in codes}
    for record in records:
        states = _states(record)
        for code in codes:
            table[code].add(states[code], labelled=code in record.codes)
    return table


def differing(data: Path, code: str) -> Iterator[str]:
    """Yield the records on which a statement and the label differ."""
    for name, records in (("cpsc2018", cpsc), ("torchecg", cinc), ("ludb", ludb)):
        for record in records(data):
            state = _states(record)[code]
            if state != ("present" if code in record.codes else "absent"):
                yield f"{name} {record.name}: {code} {state}, labels {sorted(record.codes)}"


def _alarms(data: Path) -> str:
    """Return which statements are present on records labelled Normal, and how often."""
    normal = [h.stem for h in _headers(data) if re.search(r"#\s*Dx:\s*Normal", h.read_text())]
    codes = {*CPSC.values(), *CINC.values(), *LUDB.values()} - {"sinus-rhythm"}
    seen = [
        code
        for record in cpsc(data)
        if record.name in normal
        for code in codes
        if _states(record)[code] == "present"
    ]
    return ", ".join(f"{code} {seen.count(code)}" for code in sorted(set(seen))) or "none"


def _headers(data: Path) -> list[Path]:
    return sorted((data / "ecg-cpsc2018" / "records").glob("*.hea"))


def cpsc(data: Path) -> Iterator[Labelled]:
    """Yield the CPSC 2018 records with what their text labels stand for."""
    for header in _headers(data):
        yield _labelled(header, CPSC)


def cinc(data: Path) -> Iterator[Labelled]:
    """Yield the CinC 2021 records with what their SNOMED codes stand for."""
    folder = data / "ecg-torchecg-samples" / "sample-data" / "cinc2021"
    for header in sorted(folder.glob("*.hea")):
        yield _labelled(header, CINC)


def ludb(data: Path) -> Iterator[Labelled]:
    """Yield the LUDB records with what the rows of their table stand for."""
    with (data / "ecg-ludb" / "ludb-odd.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            words = [word.strip() for cell in row.values() for word in (cell or "").split("\n")]
            codes = {LUDB[word] for word in words if word in LUDB}
            header = data / "ecg-ludb" / "records" / f"{row['ID'].strip()}.hea"
            sex = {"M": "male", "F": "female"}.get(row["Sex"].strip())
            age = row["Age"].strip()
            yield Labelled(
                name=header.stem,
                codes=_with_also(codes),
                recording=_read(header),
                years=float(age) if age.isdigit() else None,
                sex=sex,
            )


def exchanged(data: Path) -> dict[str, Counts]:
    """Return the counts with electrodes exchanged by formula: the label is what was exchanged.

    The chest pairs are neighbours but V5 and V6, and pairs two apart; each record counts once as it
    is and once for every exchange.
    """
    table = {code: Counts() for code in ("chest-lead-order", "limb-lead-reversal")}
    table["leg-electrode-reversal"] = Counts()
    for record in (*cpsc(data), *cinc(data)):
        states = _states(record)
        for code, counts in table.items():
            counts.add(states[code], labelled=False)
        for code, change in CHANGES:
            changed = replace(record, recording=change(record.recording))
            table[code].add(_judged(changed)[code], labelled=True)
    return table


def _swapped(first: str, second: str) -> Callable[[Any], Any]:
    def change(recording: Any) -> Any:
        order = list(recording.leads)
        a, b = order.index(first), order.index(second)
        order[a], order[b] = order[b], order[a]
        columns = [recording.leads.index(name) for name in order]
        return replace(recording, signal_mv=recording.signal_mv[:, columns])

    return change


def _limb(weights: Mapping[str, tuple[float, float]]) -> Callable[[Any], Any]:
    """Return a change of the limb leads, each a weighted sum of the true leads I and II."""

    def change(recording: Any) -> Any:
        signal = recording.signal_mv.copy()
        one, two = (recording.signal_mv[:, recording.leads.index(n)] for n in ("I", "II"))
        for name, (a, b) in weights.items():
            signal[:, recording.leads.index(name)] = a * one + b * two
        return replace(recording, signal_mv=signal)

    return change


# Arms exchanged: I is -I, II is III (= II - I), III is II.
_ARMS = {
    "I": (-1.0, 0.0), "II": (-1.0, 1.0), "III": (0.0, 1.0),
    "aVR": (1.0, -0.5), "aVL": (-0.5, -0.5), "aVF": (-0.5, 1.0),
}  # fmt: skip
# Right arm and right leg exchanged: both ends of II lie on the legs. I is the left arm against a
# leg, -III = I - II; III is unchanged, II - I; II is zero.
_RIGHT_LEG = {
    "I": (1.0, -1.0), "II": (0.0, 0.0), "III": (-1.0, 1.0),
    "aVR": (-0.5, 0.5), "aVL": (1.0, -1.0), "aVF": (-0.5, 0.5),
}  # fmt: skip
_PAIRS = ((1, 2), (2, 3), (3, 4), (4, 5), (1, 3), (2, 4), (3, 5), (4, 6))
CHANGES = (
    *(("chest-lead-order", _swapped(f"V{a}", f"V{b}")) for a, b in _PAIRS),
    ("limb-lead-reversal", _limb(_ARMS)),
    ("leg-electrode-reversal", _limb(_RIGHT_LEG)),
)


def _labelled(header: Path, labels: Mapping[str, str]) -> Labelled:
    text = header.read_text()
    found = re.search(r"#\s*Dx:\s*(\S+)", text)
    years = re.search(r"#\s*Age:\s*(\d+)", text)
    sex = re.search(r"#\s*Sex:\s*(male|female)", text, re.IGNORECASE)
    codes = {labels[word] for word in (found[1] if found else "").split(",") if word in labels}
    return Labelled(
        name=header.stem,
        codes=_with_also(codes),
        recording=_read(header),
        years=float(years[1]) if years else None,
        sex=sex[1].lower() if sex else None,
    )


def _with_also(codes: set[str]) -> frozenset[str]:
    more = {**ALSO, **ALSO_VENTRICULAR}
    return frozenset(codes | {more[code] for code in codes if code in more})


def _read(header: Path) -> Any:
    read = importlib.import_module("tools.ecg.readers").read_ecg
    others = (p for p in header.parent.glob(f"{header.stem}.*") if p != header)
    return read(
        header.read_bytes(), file=header.name, siblings={p.name: p.read_bytes() for p in others}
    )


_STATES: dict[tuple[str, str], dict[str, str]] = {}


def _states(record: Labelled) -> dict[str, str]:
    key = (record.name, record.recording.id)
    if key not in _STATES:
        _STATES[key] = _judged(record)
    return _STATES[key]


def _judged(record: Labelled) -> dict[str, str]:
    """Return the state of every statement; 'not_assessed' for all where nothing can be measured."""
    analysis = importlib.import_module("tools.ecg.analysis").ecg_analysis
    age, sex = _facts(record.years, record.sex)
    report = analysis(record.recording, age_years=age, sex=sex)
    return {f.concept.codings[0].code: f.state.value for f in report.findings}


@cache
def _facts(years: float | None, sex: str | None) -> tuple[Any, Any]:
    inputs = importlib.import_module("knowledge.clinical_inputs").catalogue()
    finding = importlib.import_module("knowledge.finding")
    quantity = importlib.import_module("knowledge.quantity")
    evidence = importlib.import_module("knowledge.evidence")
    made_by = (evidence.RecordEvidence(file="header", record="comment"),)

    def fact(name: str, value: Any) -> Any:
        concept = inputs.concept(name)
        if value is None:
            return finding.not_assessed(concept, finding.Why.MISSING, "not in the header")
        return finding.Finding(
            concept=concept, state=finding.State.PRESENT, value=value, evidence=made_by
        )

    span = None if years is None else quantity.Interval.exact(years)
    age = None if span is None else quantity.measured(span, "a")
    return fact("age_years", age), fact("sex", None if sex is None else quantity.Choice(choice=sex))


def _share(hits: int, total: int, wilson: Callable[[int, int], tuple[float, float]]) -> str:
    if not total:
        return "no record"
    low, high = wilson(hits, total)
    return f"{hits / total:.2f} [{low:.2f}, {high:.2f}]"


def _as_text(name: str, code: str, c: Counts, wilson: Any) -> str:
    return (
        f"{code:28s} TP {c.tp:3d} FP {c.fp:3d} FN {c.fn:3d} TN {c.tn:3d} "
        f"not assessed {c.open_labelled:3d} labelled, {c.open_others:3d} others; "
        f"Se {_share(c.tp, c.tp + c.fn, wilson)}, Sp {_share(c.tn, c.tn + c.fp, wilson)}"
    )


def _as_yaml(name: str, code: str, c: Counts, wilson: Any) -> str:
    def part(key: str, hits: int, total: int) -> str:
        if not total:
            return ""
        low, high = wilson(hits, total)
        return f", {key}: [{hits / total:.3f}, {low:.3f}, {high:.3f}]"

    return (
        f"  - {{statement: {code}, dataset: {name}, tp: {c.tp}, fp: {c.fp}, fn: {c.fn}, "
        f"tn: {c.tn}, not_assessed_labelled: {c.open_labelled}, "
        f"not_assessed_others: {c.open_others}{part('sensitivity', c.tp, c.tp + c.fn)}"
        f"{part('specificity', c.tn, c.tn + c.fp)}, source: {_SOURCE[name]}, review: N}}"
    )


_SOURCE = {"cpsc2018": "cpsc", "torchecg": "cinc2021", "ludb": "ludb", "exchanged": "exchanged"}


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
