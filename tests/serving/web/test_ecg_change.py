"""The words beside the tracings: what moved, what is within the error, why not compared."""

from collections.abc import Mapping

from agent.ecg_step import EcgRun
from serving.web.ecg_change import Measured, changes
from tests.tools.ecg.hand_made import ecg, lbbb_ecg
from tests.tools.ecg.serial.test_compare import tracing
from tools.ecg.model import EcgMeasurements


def run(m: EcgMeasurements, number: int) -> Measured:
    made = tracing(m, number=number, minutes=10 * number)
    return EcgRun(recording=made.recording, report=made.report, analysed=True), m


def series(*levels: Mapping[str, float]) -> list[Measured]:
    return [run(ecg(st), number + 1) for number, st in enumerate(levels)]


def test_one_tracing_has_nothing_to_compare() -> None:
    assert changes(series({})) is None


def test_what_moved_is_said_with_its_error() -> None:
    found = changes(series({}, {"II": 1.5, "aVF": 1.2}))
    assert found is not None
    assert "ST higher than before in contiguous leads (II, aVF)" in found.headline
    assert found.leads == (
        "II +0.0 to +1.5 mm (+1.5, error 0.55)",
        "aVF +0.0 to +1.2 mm (+1.2, error 0.55)",
    )
    assert found.series == ""


def test_three_tracings_have_a_course() -> None:
    found = changes(series({}, {"V2": 1.0, "V3": 1.0}, {"V2": 2.0, "V3": 2.0}))
    assert found is not None
    assert "V3 rising" in found.series


def test_conduction_that_came_is_the_headline_and_st_is_not_compared() -> None:
    found = changes([run(ecg(), 1), run(lbbb_ecg(), 2)])
    assert found is not None
    assert "left bundle branch block" in found.headline.lower()
    assert found.leads == ()


def test_same_recording_twice_is_told_and_not_compared() -> None:
    one = run(ecg(), 1)
    found = changes([one, one])
    assert found is not None
    assert found.headline == "Not compared: the same recording twice."
