"""Every image of a case is measured by its tool, or it is said why not."""

import io
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from agent.assessment import Assessment
from agent.imaging_step import run_imaging
from agent.runner import Log
from evals.phantoms.ihc import Look, square
from knowledge.ct_measurements import errors_of
from knowledge.errors import ContractError, IdentityConflictError, TooLargeError, UnavailableError
from knowledge.finding import State, Why
from knowledge.imaging_measures import imaging_measures
from knowledge.quantity import Quantity
from knowledge.settings import Settings
from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import Nodule, series
from tests.tools.imaging.ct.phantoms import chest as ct_chest
from tests.tools.imaging.ct.phantoms import write as ct_write
from tests.tools.imaging.film.phantoms import chest, dicom
from tests.tools.imaging.in_case.made import SETTINGS, assessed, case_of, real_ct, values, why
from tests.tools.intake.samples import bundle, observation, patient, read, write
from tests.tools.intake.test_images import film
from tests.tools.pathology.ihc.phantoms import drawn, png
from tests.tools.pathology.ihc.test_counts import calibration
from tests.tools.pathology.slide_files import Blob, pyramid, write_svs
from tests.tools.pathology.slide_files import drawn as drawn_slide
from tools.dicom_out.maker import Maker
from tools.dicom_out.sources import read_sources
from tools.imaging.contours.model import Structure
from tools.imaging.contours.seg_out import seg
from tools.imaging.ct.findings import _LABELS
from tools.imaging.ct.volume import read_files
from tools.imaging.in_case import once as kept
from tools.imaging.in_case.apart import apart
from tools.imaging.in_case.ct import ct_measures
from tools.imaging.in_case.model import MeasureLimits
from tools.imaging.in_case.tasks import limits_of, measure_tasks
from tools.intake.result import CaseFiles
from tools.toolbox import discover

TOOLS = ("measure_chest_film", "measure_ct_series", "measure_ihc_field", "measure_slide")


def _film(folder: Path, **changes: object) -> Assessment:
    write(folder, "film.dcm", dicom(chest(heart=300).grey, **changes))
    return assessed(case_of(folder, "film.dcm"))


def test_the_ratio_of_a_drawn_film_is_measured_with_evidence_version_and_caution(
    tmp_path: Path,
) -> None:
    """Drawn: 300 by 640 pixels, 0.469; the tool's figures leave some hundredths."""
    found = _film(tmp_path)
    ratio = values(found)["cardiothoracic-ratio"]
    assert isinstance(ratio.value, Quantity)
    assert ratio.value.value == pytest.approx(300 / 640, abs=0.03)
    assert ratio.value.unit == "1"
    assert ratio.method == "chest-film measurement 1"
    assert [getattr(e, "file", "") for e in ratio.evidence] == ["film.dcm"]
    assert {"approximate", "not-confirmed"} <= set(ratio.flags)
    (study,) = found.imaging
    (measures,) = study.measured
    assert measures.tool == "measure_chest_film"
    assert measures.accuracy
    assert any("review the overlay" in one for one in measures.cautions)
    assert ratio in found.findings
    assert [r.outcome for r in found.provenance.tools if r.tool == measures.tool] == ["done"]


def test_a_measurement_is_never_a_sign_of_disease(tmp_path: Path) -> None:
    found = _film(tmp_path)
    (study,) = found.imaging
    assert study.not_assessed.why is Why.NO_MODEL
    signs = values(found)["chest-film-signs"]
    assert signs.not_assessed is not None
    assert signs.not_assessed.why is Why.NO_MODEL
    assert State.ABSENT not in {f.state for f in values(found).values()}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ViewPosition": "LL"}, "LATERAL"),
        ({"BodyPartExamined": "HAND"}, "hand"),
        ({"PatientAge": "004Y"}, "4 years"),
    ],
    ids=["lateral", "hand", "child"],
)
def test_a_film_outside_of_the_contract_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    found = _film(tmp_path, **changes)
    assert values(found)["cardiothoracic-ratio"].value is None
    assert reason in why(found, "cardiothoracic-ratio")
    (run,) = [r for r in found.provenance.tools if r.tool == "measure_chest_film"]
    assert run.outcome == "not assessed"
    assert run.reason


def test_the_dog_is_no_study_and_nothing_is_measured(tmp_path: Path) -> None:
    shutil.copy(shared_data("dicom-misc") / "dx_image.dcm", tmp_path / "dog.dcm")
    found = assessed(case_of(tmp_path, "dog.dcm"))
    assert found.imaging == ()
    (dog,) = [i for i in found.inputs if i.file == "dog.dcm"]
    assert dog.status == "failed"
    assert "human" in dog.reason
    assert not [r for r in found.provenance.tools if r.tool in TOOLS]


def test_truncated_pixels_are_said_and_nothing_is_measured(tmp_path: Path) -> None:
    content = dicom(chest().grey)
    write(tmp_path, "film.dcm", content[: len(content) // 2])
    found = assessed(case_of(tmp_path, "film.dcm"))
    assert "ends early" in why(found, "cardiothoracic-ratio")


def test_a_picture_is_measured_only_where_a_person_states_what_it_is(tmp_path: Path) -> None:
    source = next((shared_data("cxr-nih") / "images").glob("*.png"))
    shutil.copy(source, tmp_path / "film.png")
    assert assessed(case_of(tmp_path, "film.png")).imaging[0].measured == ()
    stated = "  - {file: film.png, of: chest film, view: lateral}\n"
    found = assessed(case_of(tmp_path, "film.png", stated=stated))
    assert "LATERAL" in why(found, "cardiothoracic-ratio")


def test_every_real_film_ends_with_a_number_or_a_reason(tmp_path: Path) -> None:
    films = sorted((shared_data("cxr-nih") / "images").glob("*.png"))[:3]
    for path in films:
        shutil.copy(path, tmp_path / path.name)
    lines = "".join(f"  - {{file: {p.name}, of: chest film, view: pa}}\n" for p in films)
    found = assessed(case_of(tmp_path, *(p.name for p in films), stated=lines))
    ratios = [
        f
        for study in found.imaging
        for one in study.measured
        for f in one.findings
        if f.concept.codings[0].code == "cardiothoracic-ratio"
    ]
    assert len(ratios) == len(films)
    for one in ratios:
        assert (one.value is None) == (one.not_assessed is not None)
        if isinstance(one.value, Quantity):
            assert 0.3 < one.value.value < 0.8


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    folder = tmp_path_factory.mktemp("ct")
    return assessed(case_of(folder, *real_ct(folder)))


def test_a_real_ct_without_lungs_is_refused_by_its_shape(ct: Assessment) -> None:
    """The series is of a part of the body that holds no pair of lungs."""
    assert "air" in why(ct, "lungs")
    assert "laa-950" not in values(ct)


def test_nothing_is_looked_for_on_ct_without_a_seed_or_a_mask(ct: Assessment) -> None:
    assert "needs a seed" in why(ct, "nodule")
    assert "no mask of the aorta" in why(ct, "aorta")
    assert "no mask of the coronaries" in why(ct, "agatston")
    assert "no validated model" in why(ct, "detection")
    for finding in values(ct).values():
        assert finding.method
        assert finding.evidence
    (study,) = ct.imaging
    assert study.measured[0].accuracy[:1] == errors_of("nodule-diameter")[:1]


def test_lungs_and_a_seeded_nodule_of_a_drawn_chest_are_measured(tmp_path: Path) -> None:
    """Drawn: lungs of -850 HU with vessels, a solid sphere of 10 mm in the right lung."""
    centre, spacing = (130.0, 175.0, 96.0), (2.5, 1.4, 1.4)
    drawing = ct_chest(
        spacing=spacing, shape=(104, 250, 250), nodules=[Nodule(centre, 10.0)], vessels=20
    )
    files = series(drawing, spacing)
    ct_write(tmp_path, files)
    z, y, x = centre
    stated = f"  - {{file: 000.dcm, of: ct, seeds: [[{x}, {y}, {z}]]}}\n"
    case = case_of(tmp_path, *files, stated=stated)
    (task,) = measure_tasks(case.studies[0], case.images, limits_of(SETTINGS))
    found = {f.concept.codings[0].code: f for f in ct_measures(task.images).findings}
    mean, low = found["nodule-mean-diameter"].value, found["laa-950"].value
    assert isinstance(mean, Quantity)
    assert isinstance(low, Quantity)
    assert mean.value == pytest.approx(10, abs=1)
    assert low.value < 5
    assert (mean.unit, low.unit) == ("mm", "%")
    assert "kernel" in found["laa-950"].note
    assert all(f.method for f in found.values())


def test_a_statement_that_the_file_contradicts_is_refused_and_told(tmp_path: Path) -> None:
    """What the file says is measured all the same; the statement is not passed over."""
    write(tmp_path, "film.dcm", dicom(chest(heart=300).grey))
    case = case_of(tmp_path, "film.dcm", stated="  - {file: film.dcm, of: ct}\n")
    found = assessed(case)
    assert isinstance(values(found)["cardiothoracic-ratio"].value, Quantity)
    reason = values(found)["lungs"].not_assessed
    assert reason is not None
    assert reason.why is Why.CONFLICTING
    assert reason.detail == "film.dcm is stated to be of: ct; the file itself says CR"
    (run,) = [r for r in found.provenance.tools if r.tool == "measure_ct_series"]
    assert (run.outcome, run.reason) == ("skipped", reason.detail)


def test_one_slice_is_no_volume(tmp_path: Path) -> None:
    shutil.copy(shared_data("dicom-misc") / "CTImage.dcm", tmp_path / "one.dcm")
    found = assessed(case_of(tmp_path, "one.dcm"))
    assert "no volume" in why(found, "lungs")


def test_a_ct_over_its_memory_is_too_large_and_over_its_time_is_stopped(tmp_path: Path) -> None:
    case = case_of(tmp_path, *real_ct(tmp_path))
    (study,) = case.studies
    (task,) = measure_tasks(study, case.images, MeasureLimits(seconds=60, memory_mib=1))
    with pytest.raises(TooLargeError, match="too large to be measured"):
        apart(task.images, kind="ct")
    (task,) = measure_tasks(study, case.images, MeasureLimits(seconds=0.05, memory_mib=4096))
    with pytest.raises(UnavailableError, match=r"within 0\.05 s"):
        apart(task.images, kind="ct")
    found = assessed(case, Settings(imaging_seconds=0.05))
    for code in imaging_measures().kinds["ct"].asked:
        assert "not measured within 0.05 s" in why(found, code)
    (run,) = [r for r in found.provenance.tools if r.tool == "measure_ct_series"]
    assert run.outcome == "failed"


def test_a_drawn_slide_has_its_tissue_measured(tmp_path: Path) -> None:
    """One ellipse of 500 by 700 pixels half axes at 0.5 um: pi x 0.25 x 0.35 = 0.275 mm2."""
    blob = Blob(row=1024, column=1024, half_rows=500, half_columns=700)
    write_svs(tmp_path / "slide.svs", pyramid(drawn_slide((2048, 2048), [blob])), mpp=0.5)
    found = assessed(case_of(tmp_path, "slide.svs"))
    area = values(found)["slide-tissue-area"].value
    assert isinstance(area, Quantity)
    assert area.value == pytest.approx(0.275, rel=0.1)
    assert area.unit == "mm2"
    assert values(found)["slide-signs"].not_assessed is not None


def test_a_real_slide_without_mpp_has_a_share_and_no_area(tmp_path: Path) -> None:
    source = shared_data("path-histolab") / "tcga-cr-7395-01a-01-ts1.svs"
    shutil.copy(source, tmp_path / "slide.svs")
    found = assessed(case_of(tmp_path, "slide.svs"))
    assert "pixel size is not stated" in why(found, "slide-tissue-area")
    share = values(found)["slide-tissue-share"].value
    assert isinstance(share, Quantity)
    assert 0 < share.value < 100


REGION = {"type": "FeatureCollection", "features": [square(500, name="Tumor", at=6)]}
IHC = "  - {file: field.png, of: ihc, marker: ki67, mpp_um: 0.5%s}\n"


def _field(folder: Path, more: str) -> Assessment:
    write(folder, "field.png", png(drawn(Look(), seed=3)))
    write(folder, "region.geojson", json.dumps(REGION))
    return assessed(case_of(folder, "field.png", stated=IHC % more))


def test_nuclei_are_counted_in_the_given_region_and_no_share_without_calibration(
    tmp_path: Path,
) -> None:
    """3500 nuclei a mm2 over 0.25 x 0.25 mm: about 219; drawn fields find 99 %."""
    found = _field(tmp_path, ", region: region.geojson")
    nuclei = values(found)["ihc-nuclei"]
    assert isinstance(nuclei.value, Quantity)
    assert nuclei.value.value == pytest.approx(3500 * 0.25 * 0.25, rel=0.15)
    assert "region: region.geojson" in nuclei.note
    assert "no calibration of this laboratory" in why(found, "ihc-share")
    (region,) = [i for i in found.inputs if i.file == "region.geojson"]
    assert (region.status, region.kind) == ("read", "region of field.png")


def test_a_share_says_whose_calibration_it_rests_on(tmp_path: Path) -> None:
    known = calibration().model_copy(update={"marker": "ki67", "mpp": 0.5})
    body = known.model_dump(mode="json", by_alias=True, exclude_none=True)
    write(tmp_path, "ki67.json", json.dumps(body))
    found = _field(tmp_path, ", region: region.geojson, calibration: ki67.json")
    share = values(found)["ihc-share"]
    assert share.value is not None
    assert "calibration of L, C, S, N, 2026-11-22, agreement at least" in share.note
    assert any("compare them with those of this field" in c for c in _cautions(found))


def _cautions(found: Assessment) -> list[str]:
    return [c for study in found.imaging for one in study.measured for c in one.cautions]


def test_without_a_region_or_scale_nothing_is_counted(tmp_path: Path) -> None:
    assert "no tumour region" in why(_field(tmp_path, ""), "ihc-share")
    assert "no sign of disease is looked for" in why(_field(tmp_path, ""), "slide-signs")
    lacking = "  - {file: field.png, of: ihc, marker: ki67, region: region.geojson}\n"
    found = assessed(case_of(tmp_path, "field.png", stated=lacking))
    assert "size of a pixel is not stated" in why(found, "ihc-share")


def test_a_statement_that_names_no_file_is_a_problem_of_the_case_file(tmp_path: Path) -> None:
    found = _field(tmp_path, ", region: gone.geojson")
    (case_file,) = [i for i in found.inputs if i.file == "case.yaml"]
    assert "no readable file 'gone.geojson'" in case_file.reason
    assert values(found)["ihc-share"].value is None
    assert "no readable file 'gone.geojson'" in why(found, "ihc-share")


def test_switched_off_everything_is_not_assessed_with_that_reason(tmp_path: Path) -> None:
    write(tmp_path, "film.dcm", dicom(chest().grey))
    shutil.copy(shared_data("dicom-misc") / "CTImage.dcm", tmp_path / "one.dcm")
    found = assessed(case_of(tmp_path, "film.dcm", "one.dcm"), Settings(device_functions=False))
    measured = values(found)
    assert {"cardiothoracic-ratio", "lungs", "nodule", "aorta", "agatston"} <= set(measured)
    for finding in measured.values():
        assert finding.not_assessed is not None
        assert finding.not_assessed.why is Why.SWITCHED_OFF
    runs = [r for r in found.provenance.tools if r.tool in TOOLS]
    assert [r.outcome for r in runs] == ["skipped", "skipped"]
    assert {r.reason for r in runs} == {"device functions are switched off"}


def test_a_film_of_another_patient_refuses_the_case(tmp_path: Path) -> None:
    write(tmp_path, "film.dcm", film(PatientName="Other^Anna", PatientBirthDate="19700101"))
    write(tmp_path, "chart.json", bundle(patient(), observation()))
    with pytest.raises(IdentityConflictError) as refused:
        read(tmp_path)
    assert "film.dcm" in {getattr(i, "file", "") for i in refused.value.inputs}


def _with_mask(folder: Path, *stated: str, **changes: str) -> CaseFiles:
    """Return a case of a drawn CT and a mask of calcium on it, some elements changed.

    Args:
        folder: Where they are written.
        stated: Files beside the CT that are stated to be of the patient.
        changes: Elements of the mask.
    """
    hu = np.full((6, 40, 40), 40, np.float32)
    hu[:, 10:18, 10:18] = 300
    files = series(hu, (3.0, 0.5, 0.5))
    ct_write(folder, files)
    mask = np.zeros(hu.shape, np.bool_)
    mask[2:4, 8:20, 8:20] = True
    maker = Maker(method="contours", method_version="1", at=datetime(2026, 1, 11, tzinfo=UTC))
    drawn_mask = Structure(number=1, name="calcium", mask=mask, origin="MANUAL")
    content = seg([drawn_mask], read_files(files), read_sources(files), maker)
    ds: Any = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    ds.save_as(folder / "mask.dcm")
    line = "  - {file: 000.dcm, of: ct, calcium_mask: mask.dcm}\n"
    return case_of(folder, *files, *stated, stated=line)


def test_a_mask_of_another_patient_refuses_the_case(tmp_path: Path) -> None:
    with pytest.raises(IdentityConflictError) as refused:
        _with_mask(tmp_path, PatientName="Other^Anna", PatientBirthDate="19500101")
    assert "mask.dcm" in refused.value.files


def test_a_mask_that_cannot_be_used_takes_its_own_measurement_alone(tmp_path: Path) -> None:
    """One in another frame of reference is refused; 16 mm2 x weight 3 x 2 slices = 96 with it."""
    found = assessed(_with_mask(tmp_path, "mask.dcm"))
    score = values(found)["agatston"]
    assert str(score.value) == "96 {score}"
    assert "structure 'calcium'" in score.note
    assert "256 voxels from 130 HU on outside of the mask" in score.note
    other = tmp_path / "other"
    other.mkdir()
    found = assessed(_with_mask(other, "mask.dcm", FrameOfReferenceUID="1.2.99"))
    assert why(found, "agatston") == "mask.dcm: it lies in another frame of reference"
    assert "mask.dcm" not in why(found, "lungs")
    assert "needs a seed" in why(found, "nodule")


def test_measured_again_gives_the_same_and_takes_no_second_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.forget()
    first = _film(tmp_path)
    kept.forget()
    again = assessed(read(tmp_path))
    assert again.provenance.result_sha256 == first.provenance.result_sha256
    monkeypatch.setattr(
        "tools.imaging.in_case.film.film_measures", lambda images: pytest.fail("measured twice")
    )
    assert assessed(read(tmp_path)).provenance.result_sha256 == first.provenance.result_sha256


def test_an_assessment_with_measurements_survives_json(tmp_path: Path) -> None:
    found = _film(tmp_path)
    assert Assessment.model_validate(json.loads(json.dumps(found.to_json()))) == found


def test_the_tools_are_found_refuse_other_images_and_name_what_they_need(tmp_path: Path) -> None:
    for name in TOOLS:
        tool = discover()[name]
        assert tool.card.regulatory == "device-function"
        assert tool.card.refuses
        assert "belongs to the case" in tool.card.needs[0]
        assert tool.output_schema()["title"] == "StudyMeasures"
    write(tmp_path, "film.dcm", dicom(chest().grey))
    case = case_of(tmp_path, "film.dcm")
    (task,) = measure_tasks(case.studies[0], case.images, limits_of(SETTINGS))
    with pytest.raises(ContractError, match="marker is not stated"):
        discover()["measure_ihc_field"](task.images)


def test_more_films_than_one_examination_has_are_not_measured_in_silence(tmp_path: Path) -> None:
    grey, names = chest().grey, []
    for number in range(14):
        names.append(f"film{number:02d}.dcm")
        uid = f"1.2.826.{number}"
        write(tmp_path, names[-1], dicom(grey, ViewPosition="LL", SOPInstanceUID=uid))
    log = Log()
    (study,) = run_imaging(case_of(tmp_path, *names), settings=SETTINGS, log=log)
    assert len(study.measured) == 14
    assert [r.outcome for r in log.runs] == ["not assessed"] * 12 + ["skipped"] * 2
    assert log.runs[-1].reason == "14 films or slides of one study; 12 are measured"


def test_every_ct_code_has_the_same_name_in_both_tables() -> None:
    names = imaging_measures().names
    for code, label in _LABELS.items():
        assert names[code].en == label
