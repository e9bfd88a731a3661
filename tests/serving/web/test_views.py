"""What the case page says of a score, an input, a sample, a change: decided without a server."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError
from knowledge.finding import NotAssessed, Why
from knowledge.risk import Band, Risk
from knowledge.scores import score, score_ids
from serving.cases.model import CaseFile
from serving.web import ecg_paper
from serving.web.changes import changes
from serving.web.due import due, is_live
from serving.web.entered import entered_samples
from serving.web.entered_sample import sample_file
from serving.web.inputs_view import inputs
from serving.web.missing_form import answer_from, asks
from serving.web.risk_timeline import risk_timeline
from serving.web.risk_view import risks
from serving.web.score_strip import _segments, strip, tone
from tests.agent.cases import assessed as assess
from tests.agent.cases import change_chart, example
from tests.tools.risk.given import Plain, given
from tools.risk.score import evaluate

AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
GRACE_114: dict[str, Plain] = {
    "age_years": 60,
    "heart_rate": 90,
    "systolic_bp": 130,
    "creatinine": 0.9,
    "killip_class": "I",
    "cardiac_arrest": False,
    "st_deviation": False,
    "troponin_times_limit": 0.5,
}
"""58 for age, 15 for the rate, 34 for the pressure, 7 for creatinine: 114 points."""


class TestScoreStrip:
    def test_heart_bands_end_between_the_whole_points_of_its_publication(self) -> None:
        # Six 2008, Backus 2013: 0 to 3 low, 4 to 6 moderate, 7 to 10 high
        edges = [(s.name, s.low, s.high) for s in _segments("heart")]
        assert [name for name, _, _ in edges] == ["low", "moderate", "high"]
        assert edges[0][2] == 3.5
        assert edges[1][2] == 6.5
        assert edges[0][1] < 0 < 10 < edges[2][2]

    def test_a_range_has_no_needle(self) -> None:
        bands = (Band(name="low"), Band(name="moderate"))
        risk = Risk(
            name="HEART", tool="heart", category="not determined", range=(2, 5), bands=bands
        )
        drawn = strip(risk)
        assert "reach" in drawn
        assert "needle" not in drawn
        assert tone(risk) == "open"

    def test_a_number_has_no_reach(self) -> None:
        drawn = strip(Risk(name="HEART", tool="heart", category="low", value=2))
        assert "needle" in drawn
        assert "reach" not in drawn

    def test_not_assessed_has_neither_and_no_colour_of_a_result(self) -> None:
        reason = NotAssessed(why=Why.MISSING, detail="no ECG")
        risk = Risk(name="HEART", tool="heart", category="not assessed", not_assessed=reason)
        assert strip(risk) == ""
        assert tone(risk) == "none"

    @pytest.mark.parametrize(
        ("st_elevation", "title"),
        [
            (True, "low 1 to 125; intermediate 126 to 154; high 155 to 372"),
            (False, "low 1 to 108; intermediate 109 to 140; high 141 to 372"),
            (
                None,
                "low 1 to 108; low or intermediate 109 to 125; intermediate 126 to 140; "
                "intermediate or high 141 to 154; high 155 to 372",
            ),
        ],
    )
    def test_grace_is_drawn_with_the_limits_of_the_infarction_at_hand(
        self, *, st_elevation: bool | None, title: str
    ) -> None:
        # GRACE registry, risk of death in hospital by tertile: with ST elevation 125 and 154,
        # without it 108 and 140; unknown is both. Fewest 1 (creatinine), most by the table
        # 100 + 46 + 58 + 28 + 59 + 39 + 28 + 14 = 372.
        risk = evaluate("grace_in_hospital", given(**GRACE_114, stemi_criteria=st_elevation))
        drawn = strip(risk)
        assert f"<title>GRACE in-hospital score: {title}</title>" in drawn
        assert ("needle" in drawn) == (st_elevation is not None)

    def test_news2_shows_that_3_and_4_points_can_be_either(self) -> None:
        # Royal College of Physicians 2017: 0 to 4 low, but one item of 3 low-medium; 5 to 6 medium
        drawn = strip(evaluate("news2", given(age_years=60)))
        words = "low 0 to 2; low or low-medium 3 to 4; medium 5 to 6; high 7 to 20"
        assert f": {words}</title>" in drawn

    def test_sic_of_4_points_is_met_only_by_coagulation(self) -> None:
        # Iba 2017: at least 4 points, more than 2 of them from platelets and INR
        drawn = strip(evaluate("sic", given(age_years=60)))
        assert ": not-met 0 to 3; not-met or met 4; met 5 to 6</title>" in drawn

    @pytest.mark.parametrize("score_id", [s for s in score_ids() if not score(s).is_rule])
    def test_every_score_with_points_has_a_scale(self, score_id: str) -> None:
        known: dict[str, Plain] = {
            c.when.input or "": True for c in score(score_id).population.requires
        }
        drawn = strip(evaluate(score_id, given(**known)))
        assert ('class="band' in drawn) == (score(score_id).model is None)


class TestRisks:
    def test_every_result_is_in_one_group(self, assessed: dict[str, Assessment]) -> None:
        for assessment in assessed.values():
            groups = risks(assessment, str)
            shown = [*groups.settled, *groups.open, *groups.not_assessed]
            assert sorted(r.name for r in shown) == sorted(r.name for r in assessment.risks)

    def test_an_undecided_score_shows_its_range_and_what_is_missing(
        self, assessed: dict[str, Assessment]
    ) -> None:
        heart = next(
            r for r in risks(assessed["half_missing"], str).open if r.name == "HEART score"
        )
        assert heart.score == "4\N{EN DASH}8"
        assert heart.category == ""
        assert heart.possible == ("moderate", "high")
        assert len(heart.missing) == 2
        assert sum(item.open for item in heart.items) == 2

    def test_troponin_accuracy_is_that_of_the_rule_shown(
        self, assessed: dict[str, Assessment]
    ) -> None:
        found = risks(assessed["nstemi"], str).settled
        esc = next(r for r in found if r.name == "ESC 0/1 h")
        assert esc.accuracy
        assert all(line.startswith("ESC 0/1 h,") for line in esc.accuracy)


class TestInputs:
    def test_a_value_without_unit_is_shown_as_not_usable_with_the_reason(
        self, assessed: dict[str, Assessment]
    ) -> None:
        rows = {r.id: r for r in inputs(assessed["half_missing"], str).unusable}
        assert rows["creatinine"].value == ""
        assert "unit not recognised" in rows["creatinine"].reason

    def test_missing_is_never_among_the_answers(self, assessed: dict[str, Assessment]) -> None:
        found = inputs(assessed["half_missing"], str)
        missing = {key for key, _ in found.missing}
        assert "systolic_bp" in missing
        assert not missing & {r.id for r in (*found.measured, *found.answered)}


class TestAnswers:
    @pytest.mark.parametrize(
        ("form", "expected"),
        [
            ({"input": "diaphoresis", "value": "yes"}, ("yes", None, None)),
            ({"input": "diaphoresis", "value": "unknown"}, ("unknown", None, None)),
            (
                {"input": "systolic_bp", "value": "131,5", "unit": "mm[Hg]"},
                (131.5, "mm[Hg]", None),
            ),
            # the clocks of Berlin are one hour before UTC in November
            (
                {"input": "onset", "value": "2026-11-20T08:10"},
                ("2026-11-20T08:10:00+01:00", None, None),
            ),
            (
                {"input": "diaphoresis", "value": "no", "observed_at": "2026-07-01T08:10"},
                ("no", None, "2026-07-01T08:10:00+02:00"),
            ),
        ],
    )
    def test_a_form_becomes_an_answer(
        self, form: dict[str, str], expected: tuple[object, str | None, str | None]
    ) -> None:
        _, given = answer_from(form, time_zone="Europe/Berlin")
        assert (given.value, given.unit, given.observed_at) == expected

    @pytest.mark.parametrize(
        "form",
        [
            {"input": "no_such_input", "value": "yes"},
            {"input": "diaphoresis", "value": ""},
            {"input": "systolic_bp", "value": "high"},
            {"input": "onset", "value": "this morning"},
        ],
        ids=["unknown input", "nothing chosen", "no number", "no time"],
    )
    def test_what_is_no_answer_is_refused(self, form: dict[str, str]) -> None:
        with pytest.raises(InvalidValueError):
            answer_from(form, time_zone="Europe/Berlin")

    def test_every_missing_item_can_be_answered_on_the_page(
        self, assessed: dict[str, Assessment]
    ) -> None:
        for assessment in assessed.values():
            found = asks(assessment, str)
            assert [q.input for q in found] == [m.input for m in assessment.missing]
            for ask in found:
                assert ask.kind in ("boolean", "choice", "quantity", "time", "sample", "file")
                if ask.kind in ("boolean", "choice"):
                    assert ask.options[-1].value == "unknown"

    def test_a_number_in_several_units_is_never_given_one_by_default(
        self, assessed: dict[str, Assessment]
    ) -> None:
        creatinine = next(q for q in asks(assessed["half_missing"], str) if q.input == "creatinine")
        assert {"mg/dL", "umol/L"} <= {u.value for u in creatinine.units}


class TestEnteredSample:
    def _file(self, assessment: Assessment, **changed: object) -> tuple[str, bytes]:
        given: dict[str, object] = {
            "value": "3.1",
            "unit": "ng/L",
            "collected_at": AT,
            "status": "final",
            "author": "Dr A",
            "now": AT + timedelta(minutes=5),
        }
        return sample_file(assessment, **{**given, **changed})  # type: ignore[arg-type]

    def test_it_is_of_the_same_test_as_the_samples_before(
        self, assessed: dict[str, Assessment]
    ) -> None:
        name, content = self._file(assessed["early_presenter"])
        assert name.startswith("entered/troponin-20261120T1400-")
        assert b"89579-7" in content  # LOINC of the example's own high-sensitivity troponin I
        assert b"entered by Dr A" in content

    def test_a_result_below_what_the_assay_reports_stays_a_bound(
        self, assessed: dict[str, Assessment]
    ) -> None:
        _, content = self._file(assessed["early_presenter"], value="<2")
        assert b'"comparator": "<"' in content

    def test_two_entries_of_one_minute_are_two_results_in_two_files(
        self, assessed: dict[str, Assessment]
    ) -> None:
        first = self._file(assessed["early_presenter"])
        second = self._file(assessed["early_presenter"], value="260")
        assert first[0] != second[0]
        assert json.loads(first[1])["id"] != json.loads(second[1])["id"]

    def test_what_was_typed_is_kept_beside_what_was_read(
        self, assessed: dict[str, Assessment]
    ) -> None:
        name, content = self._file(assessed["early_presenter"], value="3,1")
        assert json.loads(content)["valueQuantity"]["value"] == 3.1
        held = CaseFile(
            case="c", name=name, sha256="", size=len(content), received_at=AT, received_by="a"
        )
        found = entered_samples([held], lambda _: content)
        assert [(e.typed, e.value, e.author, e.version) for e in found] == [
            ("3,1", "3.1", "Dr A", 1)
        ]

    def test_a_file_that_only_has_the_name_of_an_entry_is_none(self) -> None:
        held = CaseFile(
            case="c",
            name="entered/troponin-x.json",
            sha256="",
            size=9,
            received_at=AT,
            received_by="a",
        )
        contents = iter((b"{}", b"[", b'{"id": 3}'))
        assert entered_samples([held, held, held], lambda _: next(contents)) == ()

    @pytest.mark.parametrize(
        "changed",
        [
            {"value": "high"},
            {"value": "-3"},
            {"value": "1,200"},
            {"value": "9999999"},
            {"unit": "mol/L"},
            {"collected_at": AT + timedelta(hours=1)},
            {"collected_at": AT.replace(year=1999)},
        ],
        ids=[
            *("no number", "negative", "two readings", "impossible"),
            *("another unit", "in the future", "another presentation"),
        ],
    )
    def test_what_cannot_be_a_result_is_refused(
        self, assessed: dict[str, Assessment], changed: dict[str, object]
    ) -> None:
        with pytest.raises(InvalidValueError):
            self._file(assessed["early_presenter"], **changed)


class TestDue:
    @pytest.mark.parametrize(
        ("minutes", "overdue", "relation"),
        [(44, False, "in 44 min"), (-12, True, "overdue by 12 min"), (90, False, "in 1 h 30 min")],
    )
    def test_a_time_is_ahead_or_overdue(self, minutes: int, overdue: bool, relation: str) -> None:
        at = ClinicalTime(at=AT + timedelta(minutes=minutes))
        found = due("sample", at, moment=AT, live=True, time_zone=None, say=str)
        assert found is not None
        assert (found.overdue, found.relation) == (overdue, relation)

    def test_a_time_of_no_known_zone_is_on_no_clock(self) -> None:
        at = ClinicalTime(at=datetime(2026, 11, 20, 14, 0), zone="unknown", clock="ecg.dcm")  # noqa: DTZ001
        assert due("sample", at, moment=AT, live=True, time_zone=None, say=str) is None

    def test_a_case_that_states_its_moment_has_no_running_clock(self) -> None:
        assert is_live(AT, AT + timedelta(minutes=2))
        assert not is_live(AT, AT + timedelta(days=2))


class TestTimeline:
    def test_samples_stand_against_the_limit_of_the_named_assay_and_the_sex(
        self, assessed: dict[str, Assessment]
    ) -> None:
        at = assessed["nstemi"].provenance.at.at
        line = risk_timeline(assessed["nstemi"], moment=at, live=False, say=str)
        assert line.limit == 9  # hs-cTnT, women: package insert
        samples = [m for m in line.moments if m.kind == "sample"]
        assert [m.shown_value for m in samples] == ["24 ng/L", "43 ng/L"]
        assert samples[1].gap == "1 h 02 min"

    def test_without_a_named_assay_there_is_no_limit(self, assessed: dict[str, Assessment]) -> None:
        case = assessed["half_missing"]
        line = risk_timeline(case, moment=case.provenance.at.at, live=False, say=str)
        assert line.limit is None
        assert [m.label for m in line.unplaced] == ["ECG"]

    def test_the_next_sample_passes_from_due_to_overdue(
        self, assessed: dict[str, Assessment]
    ) -> None:
        case = assessed["early_presenter"]
        for minutes, kind in ((0, "due"), (60, "overdue")):
            at = case.provenance.at.at + timedelta(minutes=minutes)
            line = risk_timeline(case, moment=at, live=False, say=str)
            assert kind in {m.kind for m in line.moments}


class TestChanges:
    def test_the_same_assessment_has_none(self, assessed: dict[str, Assessment]) -> None:
        assert changes(assessed["nstemi"], assessed["nstemi"], str) == ()

    def test_every_part_that_differs_is_named(self, assessed: dict[str, Assessment]) -> None:
        found = changes(assessed["half_missing"], assessed["nstemi"], str)
        assert found[0].key == "headline"
        assert found[0].after == assessed["nstemi"].narrative.headline
        heart = next(c for c in found if c.key == "risk:HEART score")
        assert (heart.before, heart.after) == ("4\N{EN DASH}8 moderate or high", "8 high")

    def test_a_result_that_is_gone_is_named(
        self, assessed: dict[str, Assessment], tmp_path: Path
    ) -> None:
        case = example("nstemi", tmp_path)

        def without(chart: dict[str, Any]) -> None:
            said = [e for e in chart["entry"] if "Potassium" not in json.dumps(e)]
            assert len(said) == len(chart["entry"]) - 1
            chart["entry"] = said

        change_chart(case, without)
        found = changes(assessed["nstemi"], assess(case), str)
        (gone,) = [one for one in found if one.what == "Potassium"]
        assert (gone.before, gone.after) == ("4.4 mmol/L", "not used any more")


class TestPaper:
    def test_a_millivolt_is_ten_millimetres_and_a_second_twenty_five(self) -> None:
        signal = np.concatenate([np.zeros(100), np.ones(101)])  # 1 mV from 1 s on, at 100 Hz
        path = ecg_paper.curve(signal, rate_hz=100, x=0, y=50)
        points = [tuple(map(float, p)) for p in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]
        assert points[0] == (0, 50)
        assert (25.0, 40.0) in points
        assert points[-1] == (50, 40)

    def test_an_invalid_sample_leaves_a_gap(self) -> None:
        signal = np.array([0.0, np.nan, 0.0])
        assert ecg_paper.curve(signal, rate_hz=100, x=0, y=0).count("M") == 2
