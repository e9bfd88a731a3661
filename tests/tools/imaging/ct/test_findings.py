"""Measurements of a CT as findings: every number once, every gap with its reason, never absent."""

import numpy as np

from knowledge.evidence import DicomEvidence
from knowledge.finding import Finding, State, Why
from tests.tools.imaging.ct.phantoms import Nodule, block, volume_of
from tools.imaging.ct.findings import CT_MEASUREMENT, ct_findings
from tools.imaging.ct.given_mask import MaskGiven
from tools.imaging.ct.model import GivenMask, Volume
from tools.imaging.ct.report import Masks, ct_measurements_of_series, measured
from tools.toolbox import discover

SPACING = (1.25, 0.7, 0.7)


def _volume(spacing: tuple[float, float, float] = SPACING) -> Volume:
    made = volume_of(block([Nodule((30, 30, 30), 10)], spacing=spacing), spacing)
    instances = tuple(f"1.2.{k}" for k in range(made.hu.shape[0]))
    facts = made.facts.model_copy(update={"instances": instances})
    return Volume(hu=made.hu, spacing_mm=spacing, affine_lps=made.affine_lps, facts=facts)


def _code(finding: Finding) -> str:
    (coding,) = finding.concept.codings
    assert coding.system == CT_MEASUREMENT
    return coding.code


def test_a_measured_nodule_is_present_with_its_numbers_and_its_slice() -> None:
    volume = _volume()
    report = ct_measurements_of_series(volume, seeds=((30.0, 30.0, 30.0),))
    found = ct_findings(report, volume)
    by_code = {_code(one): one for one in found}
    mean = by_code["nodule-mean-diameter"]
    measure = report.nodules[0].measure
    assert measure is not None
    assert mean.quantity is not None
    assert str(mean.value) == f"{measure.mean_mm:g} mm"
    assert (mean.body_site, mean.flags) == ("nodule 1", ("measured-by-software", "not-confirmed"))
    assert str(by_code["nodule-type"].value) == "solid"
    assert mean.time == volume.facts.time
    place = mean.evidence[0]
    assert isinstance(place, DicomEvidence)
    assert place.sop_instance_uid == f"1.2.{round(30 / 1.25)}"
    assert {one.state for one in found} == {State.PRESENT, State.NOT_ASSESSED}


def test_what_was_not_measured_says_why() -> None:
    volume = _volume((2.5, 0.7, 0.7))
    report = ct_measurements_of_series(volume, seeds=((30.0, 30.0, 30.0), (8.0, 8.0, 30.0)))
    found = ct_findings(report, volume)
    gaps = {(_code(f), f.body_site): f.not_assessed for f in found if f.state is State.NOT_ASSESSED}
    volume_gap = gaps["nodule-volume", "nodule 1"]
    assert volume_gap is not None
    assert volume_gap.why is Why.OUTSIDE_CONTRACT
    assert "nodule" in {code for code, site in gaps if site == "nodule 2"}
    assert {"lungs", "agatston", "aorta", "detection"} <= {code for code, site in gaps if not site}
    detection = gaps["detection", None]
    assert detection is not None
    assert detection.why is Why.NO_MODEL


def test_given_masks_are_findings_that_name_who_made_them() -> None:
    spacing = (3.0, 1.0, 1.0)
    hu = np.full((40, 80, 80), 40, np.float32)
    hu[10, 30:34, 30:34] = 250
    volume = volume_of(hu, spacing)
    calcium = hu > 200
    tube = np.zeros(hu.shape, dtype=np.bool_)
    y, x = np.ogrid[:80, :80]
    tube[:, (y - 40) ** 2 + (x - 40) ** 2 < 15**2] = True
    masks = Masks(
        calcium=MaskGiven(mask=calcium, mask_of="a reader"),
        aorta=MaskGiven(mask=tube, mask_of="model x", notes=("names no patient",)),
    )
    report = measured(volume, seeds=(), answers={}, masks=masks)
    found = {_code(one): one for one in ct_findings(report, volume)}
    assert str(found["agatston"].value) == "32 {score}"  # 16 mm2, weight 2, one slice of 3 mm
    assert "a reader" in found["agatston"].note
    assert "0 voxels from 130 HU on outside" in found["agatston"].note
    assert "names no patient" in report.cautions
    assert found["aorta"].quantity is not None
    assert "model x" in found["aorta"].note


def test_the_tools_of_given_masks_are_listed_with_their_contract() -> None:
    tools = discover()
    for name in ("ct_agatston", "ct_aorta", "ct_measurements_of_series", "ct_nodule_growth"):
        card = tools[name].card
        assert (card.group, card.regulatory, card.on_request) == (
            "imaging",
            "device-function",
            True,
        )
        assert card.accuracy
    schema = tools["ct_aorta"].input_schema()
    assert set(schema["properties"]) == {"series", "mask"}
    assert "NIfTI, RTSTRUCT or SEG" in str(schema)
    spacing = (3.0, 1.0, 1.0)
    volume = volume_of(np.full((10, 20, 20), 140, np.float32), spacing)
    mask = np.zeros((10, 20, 20), dtype=np.bool_)
    mask[2, 4:6, 4:6] = True
    score = tools["ct_agatston"](volume, GivenMask(voxels=mask, made_by="x")).score
    assert score == 4  # 4 mm2, weight 1
