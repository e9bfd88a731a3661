"""Count the named ECG patterns on records labelled normal, and two ST-T statements against labels.

Run from the repository root: ``python bench/ecg_patterns.py [--yaml]``. Data: `ecg-cpsc2018` and
`ecg-torchecg-samples` (CinC 2021, SNOMED codes). No record here is labelled with de Winter,
Wellens, pericarditis, hyperkalaemia, Brugada or load on the right heart: only false alarms can be
counted, on the records whose one label is normal or sinus rhythm. Labels are noisy; no limit is
moved for one record. ``--yaml`` prints the rows of ``knowledge/data/ecg_accuracy.yaml``.
"""

import argparse
import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MISSING = 3  # exit status where something needed is not there
NORMAL = (frozenset({"Normal"}), frozenset({"426783006"}))
"""Labels of a record that is called normal: CPSC, and CinC with sinus rhythm alone."""
LABELLED = {"st-depression": "STD", "t-inversion": "59931005"}
"""Two statements with a label: CPSC `STD`, CinC `59931005` (T wave inversion)."""
PATTERNS = (
    "q-waves-inferior", "q-waves-high-lateral", "q-waves-anterior", "q-equivalent",
    "t-inversion-inferior", "t-inversion-lateral", "t-inversion-anterior", "de-winter", "wellens",
    "t-over-qrs", "subtle-occlusion-4", "subtle-occlusion-3", "terminal-qrs-distortion",
    "early-repolarisation", "pericarditis-pattern", "peaked-t", "hyperkalaemia-pattern",
    "brugada-type-1", "s1q3t3", "right-ventricular-strain",
)  # fmt: skip
Counts = dict[str, int]


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description="ECG patterns on labelled records")
    parser.add_argument("--yaml", action="store_true", help="print rows for ecg_accuracy.yaml")
    given = parser.parse_args()
    data = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "ecg-cpsc2018").exists():
        sys.stdout.write("no records: set EPICRISIS_TEST_DATA to a folder with ecg-cpsc2018\n")
        return MISSING
    sys.path.insert(0, str(ROOT))
    for (dataset, code), counts in everything(data).items():
        sys.stdout.write(line(dataset, code, counts, as_yaml=given.yaml) + "\n")
    return 0


def everything(data: Path) -> dict[tuple[str, str], Counts]:
    """Return the counts by data set and statement.

    Args:
        data: The folder of real records.
    """
    table: dict[tuple[str, str], Counts] = {("normal", code): _none() for code in PATTERNS}
    table[("cpsc2018", "st-depression")] = _none()
    table[("torchecg", "t-inversion")] = _none()
    for dataset, header, labels in records(data):
        states = _states(header)
        if labels in NORMAL:
            for code in PATTERNS:
                _add(table[("normal", code)], states[code], labelled=False)
        for code, label in LABELLED.items():
            if (dataset, code) in table:
                _add(table[(dataset, code)], states[code], labelled=label in labels)
    return table


def records(data: Path) -> Iterator[tuple[str, Path, frozenset[str]]]:
    """Yield (data set, header, labels) of every record."""
    folders = {
        "cpsc2018": data / "ecg-cpsc2018" / "records",
        "torchecg": data / "ecg-torchecg-samples" / "sample-data" / "cinc2021",
    }
    for dataset, folder in folders.items():
        for header in sorted(folder.glob("*.hea")):
            found = re.search(r"#\s*Dx:\s*(\S+)", header.read_text())
            yield dataset, header, frozenset((found[1] if found else "").split(","))


def line(dataset: str, code: str, counts: Counts, *, as_yaml: bool) -> str:
    """Return one row as text, or as YAML of the accuracy file."""
    wilson = importlib.import_module("knowledge.wilson").wilson
    shares: dict[str, str] = {}
    for name, hits, others in (("sensitivity", "tp", "fn"), ("specificity", "tn", "fp")):
        total = counts[hits] + counts[others]
        if total:
            low, high = wilson(counts[hits], total)
            shares[name] = f"[{counts[hits] / total:.3f}, {low:.3f}, {high:.3f}]"
    numbers = ", ".join(f"{key}: {value}" for key, value in counts.items())
    measured = "".join(f", {name}: {share}" for name, share in shares.items())
    row = f"statement: {code}, dataset: {dataset}, {numbers}{measured}"
    return f"  - {{{row}, source: cinc, review: N}}" if as_yaml else row


def _none() -> Counts:
    names = ("tp", "fp", "fn", "tn", "not_assessed_labelled", "not_assessed_others")
    return dict.fromkeys(names, 0)


def _add(counts: Counts, state: str, *, labelled: bool) -> None:
    if state == "not_assessed":
        counts["not_assessed_labelled" if labelled else "not_assessed_others"] += 1
    elif state == "present":
        counts["tp" if labelled else "fp"] += 1
    else:
        counts["fn" if labelled else "tn"] += 1


def _states(header: Path) -> dict[str, str]:
    """Return the state of every statement on one record, with the age and sex of its header."""
    read = importlib.import_module("tools.ecg.readers").read_ecg
    analysis = importlib.import_module("tools.ecg.analysis").ecg_analysis
    text = header.read_text()
    near = {p.name: p.read_bytes() for p in header.parent.glob(f"{header.stem}.*") if p != header}
    recording = read(header.read_bytes(), file=header.name, siblings=near)
    years = re.search(r"#\s*Age:\s*(\d+)", text)
    sex = re.search(r"#\s*Sex:\s*(male|female)", text, re.IGNORECASE)
    report = analysis(
        recording,
        age_years=_fact("age_years", f"{years[1]} a" if years else None),
        sex=_fact("sex", sex[1].lower() if sex else None),
    )
    return {f.concept.codings[0].code: f.state.value for f in report.findings}


def _fact(key: str, answer: str | None) -> Any:
    if answer is None:
        finding = importlib.import_module("knowledge.finding")
        concept = importlib.import_module("knowledge.clinical_inputs").catalogue().concept(key)
        return finding.not_assessed(concept, finding.Why.MISSING, "not in the header")
    stated = importlib.import_module("tools.intake.answer").stated_finding
    return stated(key, answer, file="header", record="comment")


if __name__ == "__main__":
    sys.exit(main())
