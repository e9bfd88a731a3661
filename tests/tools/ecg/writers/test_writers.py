"""Writing an ECG: what our readers read back equals it within half a step; refusals."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.clinical_time import ClinicalTime, Precision, zoned
from knowledge.errors import ContractError, InvalidValueError, UnreadableError, UnsupportedError
from knowledge.patient import Identity
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.gaussian_ecg import recording_of
from tests.tools.ecg.hand_made import age, sex
from tests.tools.ecg.patterns.drawn import Lead, drawn
from tools.ecg.analysis import ecg_analysis
from tools.ecg.model import EcgRecording
from tools.ecg.readers import read_ecg
from tools.ecg.readers.fhir_sampled import read_fhir_ecg
from tools.ecg.serial.compare import compare, same_recording
from tools.ecg.serial.tracing import Tracing
from tools.ecg.writers import FORMATS, write_ecg
from tools.ecg.writers.quantised import quantised

NOON = zoned(datetime(2026, 11, 22, 12, 30, 5, tzinfo=UTC))
ANNA = Identity(
    source="drawn.hea",
    identifiers=(("urn:oid:1.2.3", "17"),),
    family="Müller",
    given=("Anna", "Maria"),
    birth_date=ClinicalTime(
        at=datetime(1960, 2, 29),  # noqa: DTZ001 - a date of birth has no zone
        precision=Precision.DAY,
        zone="unknown",
        clock="drawn.hea",
    ),
    sex="female",
)
REAL = (
    "ecg-dicom/anonymous_ecg.dcm",
    "ecg-wfdb-samples/s0010_re.hea",
    "ecg-cpsc2018/records/A0001.hea",
    "ecg-sierra-xml/129DYPRG.XML",
    "ecg-torchecg-samples/sample-data/cinc2021/E07501.hea",
)


def written(recording: EcgRecording, form: str) -> EcgRecording:
    """Return the recording as read back from what was written; at noon where it has no time."""
    recording = replace(recording, start=recording.start or NOON)
    content = write_ecg(recording, form)
    if form == "fhir":
        return read_fhir_ecg(orjson.loads(content), content=content, file="ecg.json")
    return read_ecg(content, file="ecg")


@cache
def real(name: str) -> EcgRecording:
    folder, _, rest = name.partition("/")
    return read_path(shared_data(folder) / rest)


def made() -> EcgRecording:
    """Return a drawn recording of Anna with V7 and V4R, at noon."""
    extra = {"V7": Lead(r=0.6, s=0.0), "V4R": Lead(r=0.2, s=-0.4)}
    return replace(drawn(extra=extra, noise_mv=0.02), identity=ANNA, start=NOON, low_cut_hz=0.05)


def same_signal(first: EcgRecording, second: EcgRecording) -> None:
    assert set(first.leads) == set(second.leads)
    assert first.sampling_rate_hz == pytest.approx(second.sampling_rate_hz, rel=1e-6)
    half = quantised(first).step_uv / 2000
    for lead in first.leads:
        a = first.signal_mv[:, first.leads.index(lead)]
        b = second.signal_mv[:, second.leads.index(lead)]
        assert len(a) == len(b)
        assert np.array_equal(np.isnan(a), np.isnan(b))
        assert np.nanmax(np.abs(a - b), initial=0.0) <= half * (1 + 1e-9), lead


@pytest.mark.parametrize("form", FORMATS)
def test_drawn_recording_comes_back_whole(form: str) -> None:
    first, second = made(), written(made(), form)
    same_signal(first, second)
    assert second.start == first.start
    assert second.gain_doubt is None
    assert second.identity.identifiers[0][1] == "17"


@pytest.mark.parametrize("form", ["dicom", "aecg"])
def test_identity_comes_back(form: str) -> None:
    who = written(made(), form).identity
    assert (who.family, who.given, who.sex) == ("Müller", ("Anna", "Maria"), "female")
    assert who.identifiers == ANNA.identifiers
    assert who.birth_date is not None
    assert who.birth_date.at.date().isoformat() == "1960-02-29"


def test_fhir_names_nobody() -> None:
    content = write_ecg(made(), "fhir")
    assert b"Anna" not in content
    assert "Müller".encode() not in content


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", REAL)
def test_real_recording_comes_back_within_half_a_step(name: str, form: str) -> None:
    first = real(name)
    if form == "aecg" and np.isnan(first.signal_mv).any():  # it cannot mark an invalid sample
        with pytest.raises(ContractError, match="invalid samples"):
            written(first, form)
        return
    same_signal(first, written(first, form))


@pytest.mark.parametrize("form", FORMATS)
def test_statements_of_a_real_infarct_are_the_same_after_writing(form: str) -> None:
    first = real("ecg-sierra-xml/129DYPRG.XML")
    reports = [
        ecg_analysis(r, age_years=age(50), sex=sex("male")) for r in (first, written(first, form))
    ]
    states = [{f.concept.codings[0].code: f.state for f in r.findings} for r in reports]
    assert states[0] == states[1]
    assert states[0]["stemi_criteria"] == "present"


@pytest.mark.parametrize("form", FORMATS)
def test_same_recording_gives_the_same_bytes(form: str) -> None:
    assert write_ecg(made(), form) == write_ecg(made(), form)


def test_low_cut_comes_back_from_dicom() -> None:
    assert written(made(), "dicom").low_cut_hz == 0.05
    assert written(replace(made(), low_cut_hz=None), "dicom").low_cut_hz is None


def test_dicom_is_twelve_lead_where_it_fits_and_general_where_not() -> None:
    """PS3.3 A.34.3: at most 13 channels and 16384 samples of the standard leads."""
    import pydicom

    classes = {}
    for key, recording in (
        ("twelve", drawn()),
        ("extra", made()),
        ("long", drawn(seconds=40.0)),
    ):
        content = write_ecg(replace(recording, start=NOON), "dicom")
        ds = pydicom.dcmread(io.BytesIO(content))
        classes[key] = ds.SOPClassUID.name
        assert ds.WaveformSequence[0].NumberOfWaveformSamples == len(recording.signal_mv)
    assert classes == {
        "twelve": "12-lead ECG Waveform Storage",
        "extra": "General ECG Waveform Storage",
        "long": "General ECG Waveform Storage",
    }


def schema(folder: Path) -> Any:
    """Return the schema of the standard, its files laid out as it refers to them.

    It keeps two files of one name, ``voc/voc.xsd`` and ``meta/voc.xsd``; the test data hold the
    first as ``voc-voc.xsd``.
    """
    etree = pytest.importorskip("lxml.etree")
    found = {
        "schema/PORT_MT020001.xsd": "PORT_MT020001.xsd",
        "dt/datatypes.xsd": "datatypes.xsd",
        "voc/voc.xsd": "voc-voc.xsd",
        "meta/voc.xsd": "voc.xsd",
    }
    with tempfile.TemporaryDirectory() as base:
        for place, name in found.items():
            target = Path(base) / place
            target.parent.mkdir(exist_ok=True)
            target.write_bytes((folder / name).read_bytes())
        return etree.XMLSchema(etree.parse(str(Path(base) / "schema" / "PORT_MT020001.xsd")))


@pytest.mark.parametrize("change", ["whole", "no start", "day only", "nobody"])
def test_aecg_is_valid_by_the_schema_of_the_standard(change: str) -> None:
    etree = pytest.importorskip("lxml.etree")
    rules = schema(shared_data("ecg-aecg-xml"))
    day = ClinicalTime(
        at=datetime(2026, 11, 22),  # noqa: DTZ001 - a day on an unknown clock
        precision=Precision.DAY,
        zone="unknown",
        clock="x",
    )
    recording = {
        "whole": made(),
        "no start": replace(made(), start=None),
        "day only": replace(made(), start=day),
        "nobody": drawn(),
    }[change]
    ours = etree.fromstring(write_ecg(recording, "aecg"))
    assert rules.validate(ours), rules.error_log
    ours.remove(ours[0])  # the schema is not one that takes everything
    assert not rules.validate(ours)


def test_invalid_samples_are_kept_in_dicom_and_fhir_and_refused_in_aecg() -> None:
    signal = drawn().signal_mv.copy()
    signal[100:120, 3] = np.nan
    recording = recording_of(signal)
    for form in ("dicom", "fhir"):
        same_signal(recording, written(recording, form))
    with pytest.raises(ContractError, match="invalid samples in aVR"):
        write_ecg(recording, "aecg")


def test_large_amplitudes_take_a_coarser_step() -> None:
    """40 mV do not fit 32767 steps of 1 uV: 2 uV."""
    signal = drawn().signal_mv.copy()
    signal[50, 0] = 40.0
    recording = recording_of(signal)
    assert quantised(recording).step_uv == 2
    same_signal(recording, written(recording, "dicom"))


REFUSED: list[tuple[Callable[[], EcgRecording], str, str]] = [
    (lambda: replace(made(), gain_doubt="no unit"), "dicom", "scale is not known"),
    (drawn, "dicom", "time of the recording is not known"),
    (lambda: recording_of(drawn().signal_mv[:, :2], leads=("II", "MLII")), "fhir", "MLII"),
    (lambda: replace(drawn(), sampling_rate_hz=100.0), "dicom", "100 Hz"),
    (lambda: recording_of(np.full((500, 12), np.nan)), "fhir", "no valid sample"),
]


@pytest.mark.parametrize(("make", "form", "reason"), REFUSED)
def test_what_cannot_be_said_is_refused_with_the_reason(
    make: Callable[[], EcgRecording], form: str, reason: str
) -> None:
    with pytest.raises(ContractError, match=reason):
        write_ecg(make(), form)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="dicom, aecg, fhir"):
        write_ecg(drawn(), "scp")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"resourceType": "Patient"}, UnsupportedError),
        ({"component": []}, UnsupportedError),
        ({"component": [{"code": {}, "valueSampledData": {}}]}, UnsupportedError),
    ],
)
def test_other_observations_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    resource = orjson.loads(write_ecg(drawn(), "fhir")) | change
    with pytest.raises(error):
        read_fhir_ecg(resource, content=b"x", file="ecg.json")


@pytest.mark.parametrize("key", ["factor", "period", "data"])
def test_broken_numbers_of_an_observation_are_refused(key: str) -> None:
    resource = orjson.loads(write_ecg(drawn(), "fhir"))
    resource["component"][0]["valueSampledData"][key] = "abc"
    with pytest.raises(UnreadableError):
        read_fhir_ecg(resource, content=b"x", file="ecg.json")


def test_official_fhir_example_is_read_and_its_missing_unit_is_a_doubt() -> None:
    """FHIR R4 example "ekg": three leads, period 10 ms, factor 1.612, origin 2048, no unit."""
    content = (shared_data("fhir-r4-examples") / "Observation-ekg.json").read_bytes()
    found = read_fhir_ecg(orjson.loads(content), content=content, file="ekg.json")
    assert found.leads == ("I", "II", "III")
    assert found.sampling_rate_hz == 100
    assert found.gain_doubt is not None
    assert found.signal_mv[0, 0] == pytest.approx(2041 * 1.612 + 2048)


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(-30, 30, allow_nan=False), min_size=24, max_size=24),
    form=st.sampled_from(sorted(FORMATS)),
)
def test_any_signal_comes_back_within_half_a_step(values: list[float], form: str) -> None:
    signal = np.array(values).reshape(2, 12).repeat(40, axis=0)
    recording = recording_of(signal)
    same_signal(recording, written(recording, form))


@pytest.mark.parametrize("system", ["urn:oid:1.2.3", "urn:example:hospital-mrn", "1.2.3", ""])
def test_aecg_keeps_who_numbers_the_patients(system: str) -> None:
    recording = replace(made(), identity=replace_identity(system))
    assert written(recording, "aecg").identity.identifiers == ((system, "17"),)


def replace_identity(system: str) -> Identity:
    return ANNA.model_copy(update={"identifiers": ((system, "17"),)})


@pytest.mark.parametrize("form", FORMATS)
def test_recording_and_its_own_export_are_no_two_tracings(form: str) -> None:
    """An exported file has another id; start and samples are those of the recording."""
    first = made()
    pair = [
        Tracing.of(r, age_years=age(60), sex=sex("male")) for r in (first, written(first, form))
    ]
    with pytest.raises(InvalidValueError, match="same recording"):
        compare(*pair, same_patient=True)


@pytest.mark.parametrize(("minutes", "one"), [(0, True), (-60, True), (7, False), (900, False)])
def test_export_that_was_given_a_zone_is_no_second_tracing(minutes: int, *, one: bool) -> None:
    """Noon on a clock without a zone; the export says a time in UTC, for Berlin an hour less.

    No zone is 7 minutes off (zones go by quarter hours) or 15 hours (they end at UTC+14).
    """
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    own = ClinicalTime(at=noon.replace(tzinfo=None), zone="unknown", clock="a.dcm")
    stated = zoned(noon + timedelta(minutes=minutes))
    first, second = (replace(made(), start=start) for start in (own, stated))
    assert same_recording(first, second) is one
