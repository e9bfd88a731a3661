"""Cases with images, drawn or real, for tests of what is measured on them."""

import shutil
from pathlib import Path

from agent.assess import assess_case
from agent.assessment import Assessment
from knowledge.finding import Finding
from knowledge.settings import Settings
from tests.data_folder import shared_data
from tests.tools.intake.samples import AT, bundle, observation, patient, read, write
from tools.intake.result import CaseFiles

SETTINGS = Settings()


def case_of(folder: Path, *images: str, stated: str = "") -> CaseFiles:
    """Read a folder as one case whose images are stated to be of its patient.

    Args:
        folder: Where the images lie.
        images: Their names.
        stated: Lines under ``images`` of the case file.
    """
    write(folder, "chart.json", bundle(patient(), observation()))
    lines = "".join(f"  - {{file: {name}, patient: same}}\n" for name in images)
    said = f"images:\n{stated}" if stated else ""
    write(folder, "case.yaml", f"schema: epicrisis/case/1\n{said}attach:\n{lines}")
    return read(folder)


def assessed(case: CaseFiles, settings: Settings = SETTINGS) -> Assessment:
    return assess_case(case, at=AT, settings=settings).assessment


def values(found: Assessment) -> dict[str, Finding]:
    """Return every measured finding by its code."""
    return {
        finding.concept.codings[0].code: finding
        for study in found.imaging
        for one in study.measured
        for finding in one.findings
    }


def why(found: Assessment, code: str) -> str:
    """Return why something was not measured."""
    reason = values(found)[code].not_assessed
    assert reason is not None, code
    return reason.detail


def real_ct(folder: Path) -> tuple[str, ...]:
    """Copy the real CT series of 20 slices and return the names."""
    source = shared_data("ct-totalseg-ref") / "tests/reference_files/example_ct_dicom"
    names = []
    for number, path in enumerate(sorted(source.iterdir())):
        names.append(f"ct{number:03d}.dcm")
        shutil.copy(path, folder / names[-1])
    return tuple(names)
