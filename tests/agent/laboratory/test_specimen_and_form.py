"""What a contaminated specimen, two units of D-dimer or two methods do to the report.

EDTA in a serum tube raises potassium and lowers calcium, magnesium and alkaline phosphatase (EFLM
interference notes); D-dimer units are about half of fibrinogen-equivalent units, assay by assay.
The charts are made up; every expected value follows from these and the arithmetic shown.
"""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agent.laboratory.view import laboratory_view
from serving.report.laboratory_terminal import show_laboratory
from tests.agent.laboratory.chart import FIRST, SECOND
from tests.agent.laboratory.test_which_result_holds import observation, part, report_of, verdict

EDTA = (
    ("2823-3", 4.2, 8.5, "mmol/L"),
    ("17861-6", 9.2, 5.0, "mg/dL"),
    ("2601-3", 0.8, 0.4, "mmol/L"),
    ("6768-6", 80, 10, "U/L"),
)
ALIKE = {"specimen": {"display": "Serum"}, "method": {"text": "laboratory analyser"}}
COUNTS = (
    observation("p", "777-3", 250, "10*9/L", SECOND),
    observation("w", "6690-2", 7, "10*9/L", SECOND),
)


def contaminated(*, earlier: bool, **more: Any) -> list[Any]:
    found = [observation(f"n{i}", c, n, u, SECOND, **more) for i, (c, _, n, u) in enumerate(EDTA)]
    if earlier:
        rows = enumerate(EDTA)
        found += [observation(f"e{i}", c, o, u, FIRST, **more) for i, (c, o, _, u) in rows]
    return [*found, *COUNTS]


@pytest.mark.parametrize(
    ("chart", "how"),
    [
        (contaminated(earlier=True, **ALIKE), "supported"),
        (contaminated(earlier=True), "suspected"),
        (contaminated(earlier=False), "suspected"),
    ],
    ids=["alike", "not-stated", "no-earlier-sample"],
)
def test_edta_weakens_hyperkalaemia_and_leaves_it_critical(
    chart: list[Any], how: str, tmp_path: Path
) -> None:
    report = report_of(tmp_path, *chart)
    assert verdict(report, "hyperkalaemia") == "not assessed"
    (pattern,) = [p for p in report.patterns if p.id == "hyperkalaemia"]
    assert any("EDTA" in caveat.en for caveat in pattern.caveats)
    against = "contaminated with potassium EDTA" in " ".join(x.words.en for x in pattern.against)
    assert against is (how == "supported")
    urgent = part(report, "urgent")
    assert "Potassium 8.5 mmol/L" in urgent
    assert "Contamination with potassium EDTA" in urgent
    assert part(report, "artefact").startswith(how)


def test_a_high_potassium_with_normal_calcium_is_not_suspected(tmp_path: Path) -> None:
    chart = [
        observation("k", "2823-3", 6.8, "mmol/L", SECOND),
        observation("c", "17861-6", 9.2, "mg/dL", SECOND),
        observation("a", "6768-6", 10, "U/L", SECOND),
    ]
    report = report_of(tmp_path, *chart)
    assert "EDTA" not in part(report, "urgent") + part(report, "artefact")


def test_d_dimer_of_two_units_is_not_compared_and_keeps_its_name(tmp_path: Path) -> None:
    alike = {**ALIKE, "specimen": {"display": "Plasma"}}
    report = report_of(
        tmp_path,
        observation("f", "48065-7", 600, "ng/mL", FIRST, **alike),
        observation("d", "48066-5", 1200, "ng/mL", SECOND, **alike),
    )
    latest = next(r for r in report.results if r.latest)
    assert latest.name == "D-dimer (DDU)"
    assert latest.earlier is not None
    assert latest.earlier.change.verdict == "not assessed"
    assert latest.earlier.change.supposed is None
    reason = latest.earlier.change.not_assessed
    assert reason is not None
    assert "DDU" in reason.detail
    assert not report.changed


def test_a_gap_of_serum_and_arterial_blood_says_so(tmp_path: Path) -> None:
    # 140 - 100 - 12 = 28
    report = report_of(
        tmp_path,
        observation("n", "2951-2", 140, "mmol/L", SECOND),
        observation("c", "2075-0", 100, "mmol/L", SECOND),
        observation("b", "1960-4", 12, "mmol/L", SECOND),
        observation("p", "2744-1", 7.2, "[pH]", SECOND),
    )
    (acidosis,) = [p for p in report.patterns if p.id == "metabolic_acidosis"]
    told = " ".join(caveat.en for caveat in acidosis.caveats)
    assert "two kinds of specimen" in told
    assert "arterial blood" in told


def test_a_saturation_that_is_computed_is_not_suggested(tmp_path: Path) -> None:
    iron = (
        observation("f", "2498-4", 20, "ug/dL", SECOND),
        observation("t", "2500-7", 200, "ug/dL", SECOND),
    )
    mcv = observation("m", "787-2", 68, "fL", SECOND)
    with_iron = report_of(tmp_path / "a", mcv, *iron)
    without = report_of(tmp_path / "b", mcv, iron[0])
    assert "Transferrin saturation" not in part(with_iron, "reflex")
    assert "Transferrin saturation" in part(without, "reflex")


def test_ketones_in_blood_by_a_molar_code_are_read(tmp_path: Path) -> None:
    report = report_of(tmp_path, observation("k", "66441-7", 4.5, "mmol/L", SECOND))
    assert [r.test for r in report.results] == ["beta_hydroxybutyrate"]


def test_patterns_nothing_points_to_are_named_in_one_line(tmp_path: Path) -> None:
    report = report_of(tmp_path, observation("g", "2345-7", 90, "mg/dL", SECOND), *COUNTS)
    open_ = [p for p in report.patterns if p.verdict == "not assessed"]
    view = laboratory_view(report, "en", time_zone=None)
    lines = next(p for p in view.after if p.key == "pattern-open").lines
    assert open_
    assert [line.text.partition(" ")[0] for line in lines] == [str(len(open_))]
    assert all(p.name.en in lines[0].text for p in open_)


def test_the_terminal_shows_the_remarks_of_results(tmp_path: Path) -> None:
    note = [{"text": "drawn with a long tourniquet"}]
    report = report_of(tmp_path, observation("k", "2823-3", 5.4, "mmol/L", SECOND, note=note))
    console = Console(record=True, width=200)
    show_laboratory(laboratory_view(report, "en", time_zone=None), console)
    assert "drawn with a long tourniquet" in console.export_text()


def test_changes_are_told_in_minutes_and_one_unit(tmp_path: Path) -> None:
    # 88.42 umol/L are 1.0 mg/dL (molar mass 113.12); no change in 30 min
    report = report_of(
        tmp_path,
        observation("a", "2160-0", 1.0, "mg/dL", "2026-11-20T09:00:00+01:00", **ALIKE),
        observation("b", "14682-9", 88.4, "umol/L", SECOND, **ALIKE),
    )
    view = laboratory_view(report, "en", time_zone=None)
    (row,) = [r for p in view.panels for r in p.rows if r.before]
    assert " in 30 min" in row.before
    assert "-0 %" not in row.before
    assert "±0 %" in row.before
    assert "umol" not in row.before
    assert row.before.count("mg/dL") == 2
