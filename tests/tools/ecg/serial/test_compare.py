"""Two tracings of one patient: what changed, what is within the error, and what is refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from knowledge.clinical_time import zoned
from knowledge.errors import IdentityConflictError, InvalidValueError
from knowledge.finding import Why
from knowledge.patient import Identity
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import age, ecg, lbbb_ecg, recording, sex
from tests.tools.ecg.patterns.drawn import drawn
from tools.ecg.interpretation import interpret
from tools.ecg.model import EcgMeasurements, EcgRecording, Problem
from tools.ecg.serial.compare import compare
from tools.ecg.serial.model import EcgComparison
from tools.ecg.serial.tracing import Tracing, difference_error

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANNA = Identity(source="ecg.dcm", identifiers=(("hospital", "17"),), family="Berg")
BERT = Identity(source="ecg.dcm", identifiers=(("hospital", "18"),), family="Berg")


def tracing(m: EcgMeasurements, *, number: int = 1, minutes: int = 0, **changes: Any) -> Tracing:
    """Return a hand-made tracing of Anna, `minutes` after noon."""
    fields = {
        "id": f"{number:016d}",
        "file": f"ecg-{number}.dcm",
        "identity": ANNA,
        "start": zoned(NOON + timedelta(minutes=minutes)),
        "low_cut_hz": 0.05,
    }
    made = recording(**(fields | changes))
    report = interpret(made, m, age_years=age(60), sex=sex("male"))
    return Tracing(recording=made, m=m, report=report)


def pair(before: EcgMeasurements, after: EcgMeasurements, **later: Any) -> EcgComparison:
    return compare(tracing(before), tracing(after, number=2, minutes=20, **later))


def measured(recording: EcgRecording) -> Tracing:
    return Tracing.of(recording, age_years=age(60), sex=sex("male"))


def state(found: EcgComparison, code: str) -> str:
    return found.finding(code).state.value


def test_error_of_a_difference_by_hand() -> None:
    """Mean absolute error 15.9 uV; a normal error has SD = MAE x sqrt(pi / 2) = 19.93 uV; of a
    difference x sqrt(2) = 28.18; 95 % x 1.96 = 55.24 uV."""
    assert difference_error("st_j") == pytest.approx(
        15.9 * np.sqrt(np.pi / 2) * 2**0.5 * 1.96, 1e-4
    )


@pytest.mark.parametrize(
    ("before", "after", "rise", "fall"),
    [
        pytest.param({}, {"II": 1.0, "aVF": 1.0}, "present", "absent", id="1 mm up"),
        pytest.param({}, {"II": 0.9, "aVF": 0.9}, "absent", "absent", id="0.9 mm up"),
        pytest.param({}, {"V5": -0.6, "V6": -0.6}, "absent", "present", id="0.6 mm down"),
        pytest.param({}, {"V5": -0.52, "V6": -0.52}, "absent", "not_assessed", id="within error"),
        pytest.param({}, {"V5": -0.4, "V6": -0.4}, "absent", "absent", id="0.4 mm down"),
        pytest.param({}, {"II": 2.0, "V5": 2.0}, "absent", "absent", id="not contiguous"),
        pytest.param({"II": 2.0, "aVF": 2.0}, {}, "absent", "present", id="elevation gone"),
        pytest.param({"V3": 1.0, "V2": 1.0}, {"V3": 2.0, "V2": 2.0}, "present", "absent", id="up"),
    ],
)  # fmt: skip
def test_dynamic_st_needs_contiguous_leads_and_more_than_the_error(
    before: Mapping[str, float], after: Mapping[str, float], rise: str, fall: str
) -> None:
    """UDMI-4: new elevation 1 mm, new depression 0.5 mm, two contiguous leads; error 0.55 mm."""
    found = pair(ecg(before), ecg(after))
    assert (state(found, "st-rise"), state(found, "st-fall")) == (rise, fall)


def test_change_is_told_lead_by_lead_with_its_error() -> None:
    found = pair(ecg({"II": 0.5}), ecg({"II": 2.0, "aVF": 1.5}))
    (two,) = [c for c in found.st if c.lead == "II"]
    assert (two.before_mm, two.after_mm, two.change_mm) == (0.5, 2.0, 1.5)
    assert two.error_mm == pytest.approx(0.55)
    assert two.beyond_error is True
    assert "ST higher than before in contiguous leads (II, aVF)" in found.headline


def test_new_left_bundle_branch_block_is_said_and_keeps_st_from_being_compared() -> None:
    found = pair(ecg(), lbbb_ecg())
    assert state(found, "new-lbbb") == "present"
    assert state(found, "gone-lbbb") == "absent"
    assert "left bundle branch block" in found.headline.lower()
    reason = found.finding("st-rise").not_assessed
    assert reason is not None
    assert reason.why is Why.OUTSIDE_CONTRACT
    assert all(c.change_mm is None and c.not_assessed is not None for c in found.st)


def test_new_q_and_new_t_inversion_are_told_by_region() -> None:
    q = {"q_mv": -0.2, "q_ms": 35.0}
    down = {"t_mv": -0.3}
    found = pair(ecg(), ecg(waves={"II": q, "aVF": q, "V5": down, "V6": down}))
    assert state(found, "new-q-waves-inferior") == "present"
    assert state(found, "new-t-inversion-lateral") == "present"
    assert state(found, "new-t-inversion-anterior") == "absent"
    assert state(found, "new-q-waves-posterior") == "not_assessed"
    back = compare(tracing(ecg(waves={"II": q, "aVF": q})), tracing(ecg(), number=2, minutes=1))
    assert state(back, "gone-q-waves-inferior") == "present"
    assert state(back, "new-q-waves-inferior") == "absent"


def test_unusable_earlier_lead_leaves_a_present_change_open_and_an_absent_one_absent() -> None:
    bad = (Problem(code="noise", detail="x", leads=("V5", "V6"), blocks=("amplitude",)),)
    down = dict.fromkeys(("V5", "V6"), {"t_mv": -0.3})  # noqa: RUF024 - never changed
    found = pair(ecg(problems=bad), ecg(waves=down))
    assert state(found, "new-t-inversion-lateral") == "not_assessed"
    assert state(pair(ecg(problems=bad), ecg()), "new-t-inversion-lateral") == "absent"


@pytest.mark.parametrize(
    ("after", "expected"), [(470.0, "present"), (469.0, "absent"), (None, "not_assessed")]
)
def test_qtc_longer_by_sixty_ms(after: float | None, expected: str) -> None:
    """AHA 2009: a rise of 60 ms or more is a warning."""
    late = ecg(qtcf_ms=after, qt_ms=after, not_measured={} if after else {"qt_ms": "no T"})
    found = pair(ecg(qtcf_ms=410.0), late)
    assert state(found, "qtc-longer") == expected


def test_axis_over_the_turn_is_the_short_way() -> None:
    found = pair(ecg(axis_deg=170.0), ecg(axis_deg=-170.0))
    (axis,) = [n for n in found.numbers if n.code == "axis"]
    assert axis.change == 20
    assert not any("axis moved" in text for text in found.cautions)
    far = pair(ecg(axis_deg=50.0), ecg(axis_deg=-10.0))
    assert any("moved by -60 degrees" in text for text in far.cautions)


def test_tracings_of_two_patients_are_refused() -> None:
    with pytest.raises(IdentityConflictError, match="different patients"):
        pair(ecg(), ecg(), identity=BERT)
    nobody = Identity(source="ecg.hea")
    with pytest.raises(IdentityConflictError, match="do not tell"):
        pair(ecg(), ecg(), identity=nobody)
    first, second = tracing(ecg()), tracing(ecg(), number=2, minutes=5, identity=nobody)
    assert compare(first, second, same_patient=True).st
    other = tracing(ecg(), number=2, minutes=5, identity=BERT)
    with pytest.raises(IdentityConflictError):
        compare(first, other, same_patient=True)


def test_order_and_repetition_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="same recording"):
        compare(tracing(ecg()), tracing(ecg(), minutes=3))
    with pytest.raises(InvalidValueError, match="before the other"):
        compare(tracing(ecg(), minutes=30), tracing(ecg(), number=2))


def test_different_low_cut_keeps_st_open_and_an_unknown_one_is_a_caution() -> None:
    found = pair(ecg(), ecg({"II": 2.0, "aVF": 2.0}), low_cut_hz=0.5)
    reason = found.finding("st-rise").not_assessed
    assert reason is not None
    assert "0.05 and 0.5 Hz" in reason.detail
    assert "ST not compared" in found.headline
    unknown = pair(ecg(), ecg({"II": 2.0, "aVF": 2.0}), low_cut_hz=None)
    assert state(unknown, "st-rise") == "present"
    assert any("low cut" in text for text in unknown.cautions)


def test_lead_that_is_in_one_tracing_only_is_not_compared() -> None:
    late = tracing(
        ecg({"V7": 1.0}, extra=("V7",)), number=2, minutes=5, leads=(*recording().leads, "V7")
    )
    found = compare(tracing(ecg()), late)
    (seven,) = [c for c in found.st if c.lead == "V7"]
    assert seven.change_mm is None
    assert seven.after_mm == 1.0
    assert any("V7" in text for text in found.cautions)


def test_unknown_times_are_a_caution_and_the_order_is_as_given() -> None:
    found = pair(ecg(), ecg(), start=None)
    assert any("order is as given" in text for text in found.cautions)


def test_comparison_survives_json() -> None:
    found = pair(ecg(), ecg({"II": 2.0, "aVF": 2.0}))
    assert EcgComparison.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("rate_hz", [250.0, 1000.0])
def test_drawn_change_is_found_at_every_sampling_rate(rate_hz: float) -> None:
    """Drawn: ST in II by 2 mm; aVF follows by 2 mm, III as well."""
    before = replace(drawn(rate_hz=rate_hz), id="1" * 16)
    after = replace(drawn({"II": {"st": 0.2}}, rate_hz=500.0), id="2" * 16)
    found = compare(measured(before), measured(after), same_patient=True)
    assert state(found, "st-rise") == "present"
    (two,) = [c for c in found.st if c.lead == "II"]
    assert two.change_mm == pytest.approx(2.0, abs=0.25)


REAL = (
    "ecg-wfdb-samples/s0010_re.hea",
    "ecg-cpsc2018/records/A0001.hea",
    "ecg-dicom/anonymous_ecg.dcm",
)


@pytest.mark.parametrize("name", REAL)
def test_real_record_against_itself_with_noise_shows_no_change(name: str) -> None:
    folder, _, rest = name.partition("/")
    path = shared_data(folder) / rest
    first = read_path(path)
    noise = np.random.default_rng(5).normal(0, 0.01, first.signal_mv.shape)
    again = replace(first, id="9" * 16, signal_mv=first.signal_mv + noise)
    found = compare(measured(first), measured(again), same_patient=True)
    present = [f.concept.text for f in found.findings if f.state.value == "present"]
    assert present == []
    compared = [c for c in found.st if c.change_mm is not None]
    assert all(not c.beyond_error for c in compared)


def test_real_record_with_an_added_st_shift_shows_exactly_that_shift() -> None:
    """A level of 0.2 mV added between two spots of every beat cannot be told from real ST; here the
    simplest: V5 and V6 are scaled by two, so ST doubles."""
    first = read_path(shared_data("ecg-dicom") / "anonymous_ecg.dcm")
    columns = [first.leads.index(n) for n in ("V5", "V6")]
    signal = first.signal_mv.copy()
    signal[:, columns] *= 2
    second = replace(first, id="9" * 16, signal_mv=signal)
    found = compare(measured(first), measured(second), same_patient=True)
    for change in found.st:
        if change.lead in ("V5", "V6") and change.before_mm is not None:
            assert change.change_mm == pytest.approx(change.before_mm, abs=0.15)
