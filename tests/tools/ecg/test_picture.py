"""The picture: true to scale, deterministic, small, and without identity."""

import re
import struct
import xml.etree.ElementTree as ET  # our own output, not foreign XML
from typing import Any

import numpy as np
import pytest

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.patient import Identity
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import age, ecg, lbbb_ecg, read, recording, sex
from tools.ecg import paper
from tools.ecg.interpretation import interpret
from tools.ecg.measure import measure
from tools.ecg.model import EcgMeasurements, Problem
from tools.ecg.picture import picture_png, picture_svg


def picture(made: EcgMeasurements, **changes: Any) -> str:
    return picture_svg(recording(**changes), made, read(made, **changes))


def texts(svg: str) -> str:
    """Return what the picture says: matplotlib keeps each text as a comment beside its glyphs."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", svg))


def test_same_input_gives_the_same_bytes() -> None:
    made = ecg({"II": 2.0, "aVF": 2.0})
    assert picture(made) == picture(made)
    report = read(made)
    assert picture_png(recording(), made, report) == picture_png(recording(), made, report)


def test_svg_is_well_formed_dateless_and_small() -> None:
    svg = picture(ecg())
    ET.fromstring(svg)  # noqa: S314 - our own output
    assert "<dc:date>" not in svg
    assert len(svg.encode()) < 700_000


def test_page_is_true_to_scale() -> None:
    root = ET.fromstring(picture(ecg()))  # noqa: S314 - our own output
    width_pt = float(root.attrib["width"].removesuffix("pt"))
    # 10 s at 25 mm/s are 250 mm: with the pulse and both margins the page is 276 mm wide
    assert width_pt / 72 * 25.4 == pytest.approx(276.0, abs=0.1)


def test_every_lead_and_the_numbers_are_written() -> None:
    said = texts(picture(ecg({"II": 2.0, "aVF": 2.0})))
    for lead in ("I", "aVR", "V1", "V6", "II (rhythm)"):
        assert f"\n{lead}\n" in said
    assert "QRS 90 ms" in said
    assert "QTcF 410 ms" in said
    assert "J +2.0   J+60 +2.0" in said
    assert "ST-elevation criteria of infarction are met" in said
    assert "Research use only" in said
    assert "25 mm/s, 10 mm/mV" in said


def test_no_identity_and_no_file_name_is_drawn() -> None:
    who = Identity(
        source="secretfile.hea", identifiers=(("hospital", "4711"),), family="Musterfrau"
    )
    made = ecg()
    svg = picture(made, identity=who, file="secretfile.hea")
    assert not re.search("Musterfrau|4711|secretfile", svg)


def test_time_of_the_recording_is_shown() -> None:
    start: ClinicalTime = parse_fhir("2026-11-20T08:10:00Z", clock="x")
    assert "2026-11-20 08:10 UTC" in texts(picture(ecg(), start=start))
    assert "time not given" in texts(picture(ecg()))


def test_lead_that_is_not_trusted_shows_no_level() -> None:
    noise = Problem(code="noise", detail="V2", leads=("V2",), blocks=("amplitude",))
    said = texts(picture(ecg({"V2": 3.0}, problems=(noise,))))
    assert "ST not assessed: quality" in said
    assert "J +3.0" not in said
    assert "Quality: noise" in said


def test_lead_that_is_not_recorded_is_said_to_be_missing() -> None:
    assert "V3 not recorded" in texts(picture(ecg(without=("V3",))))


def test_missing_points_and_short_recordings_are_drawn_without_them() -> None:
    made = lbbb_ecg(
        baseline_mv=np.zeros((1500, 12)),
        fiducials=ecg().fiducials.model_copy(update={"p_on": None, "t_off": None}),
        pr_ms=None,
    )
    assert "PR not assessed" in texts(picture(made))


def test_png_has_the_size_of_the_page() -> None:
    made = ecg()
    png = picture_png(recording(), made, read(made), dpi=100)
    width, height = struct.unpack(">II", png[16:24])
    assert width == pytest.approx(276 / 25.4 * 100, abs=1)
    assert height > width


def test_thinning_keeps_a_spike_of_one_sample_and_its_time() -> None:
    signal = np.zeros(10_000)
    signal[4321] = 3.0
    signal[7777] = -2.0
    t, v = paper.thinned(signal, 1000.0)
    assert len(v) < len(signal) / 3
    assert v.max() == 3.0
    assert v.min() == -2.0
    assert t[v.argmax()] == pytest.approx(4.321)
    assert np.all(np.diff(t) >= 0)


def test_slow_signal_is_not_thinned() -> None:
    t, v = paper.thinned(np.arange(100.0), 250.0)
    assert len(t) == len(v) == 100


@pytest.mark.parametrize("name", ["129DYPRG.XML", "3191723_ZZDEMOPTONLY_1-04_orig.xml"])
def test_real_recording_is_drawn_small_and_deterministic(name: str) -> None:
    made = read_path(shared_data("ecg-sierra-xml") / name)
    measured = measure(made)
    report = interpret(made, measured, age_years=age(55), sex=sex("male"))
    svg = picture_svg(made, measured, report)
    assert len(svg.encode()) < 700_000
    assert svg == picture_svg(made, measured, report)
