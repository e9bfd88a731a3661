"""Lines of a case file on one CT count together; a file that is not there is told by its name."""

from pathlib import Path

import pytest

from knowledge.finding import NotAssessed, Why
from tests.tools.imaging.ct.phantoms import Nodule, chest, series, write
from tests.tools.imaging.in_case.made import SETTINGS, case_of
from tools.imaging.in_case.ct import ct_measures
from tools.imaging.in_case.model import StatedImage
from tools.imaging.in_case.tasks import MeasureTask, limits_of, measure_tasks
from tools.imaging.in_case.together import stated_together
from tools.intake.result import CaseFiles

SPACING = (2.5, 1.4, 1.4)
FIRST, SECOND = (130.0, 175.0, 96.0), (100.0, 175.0, 250.0)
"""Centres of two drawn nodules of 10 and 12 mm: z, y, x."""


def _seed(centre: tuple[float, float, float]) -> str:
    z, y, x = centre
    return f"[[{x}, {y}, {z}]]"


def _case(folder: Path, stated: str) -> CaseFiles:
    nodules = [Nodule(FIRST, 10.0), Nodule(SECOND, 12.0)]
    drawing = chest(spacing=SPACING, shape=(104, 250, 250), nodules=nodules, vessels=20)
    files = series(drawing, SPACING)
    write(folder, files)
    return case_of(folder, *files, stated=stated)


def _task(case: CaseFiles) -> MeasureTask:
    (task,) = measure_tasks(case.studies[0], case.images, limits_of(SETTINGS))
    return task


def test_a_line_for_each_nodule_measures_both(tmp_path: Path) -> None:
    lines = (
        f"  - {{file: 000.dcm, of: ct, seeds: {_seed(FIRST)}}}\n"
        f"  - {{file: 001.dcm, of: ct, seeds: {_seed(SECOND)}}}\n"
    )
    found = ct_measures(_task(_case(tmp_path, lines)).images).findings
    means = [f for f in found if f.concept.codings[0].code == "nodule-mean-diameter"]
    assert len(means) == 2


def test_a_mask_that_is_not_there_leaves_the_seeds_and_is_told(tmp_path: Path) -> None:
    line = f"  - {{file: 000.dcm, of: ct, seeds: {_seed(FIRST)}, aorta_mask: nothere.nii.gz}}\n"
    case = _case(tmp_path, line)
    found = {f.concept.codings[0].code: f for f in ct_measures(_task(case).images).findings}
    assert found["nodule-mean-diameter"].value is not None
    why = found["aorta"].not_assessed
    assert why is not None
    assert why.detail == "no readable file 'nothere.nii.gz' in the case"


def _line(file: str, **more: object) -> StatedImage:
    return StatedImage.model_validate({"file": file, "of": "ct", **more})


def test_seeds_are_joined_each_once() -> None:
    both = stated_together(
        [
            _line("a", seeds=[[1, 2, 3]], calcium_mask="m"),
            _line("b", seeds=[[1, 2, 3], [4, 5, 6]]),
        ]
    )
    assert isinstance(both, StatedImage)
    assert both.seeds == ((1, 2, 3), (4, 5, 6))
    assert (both.file, both.calcium_mask) == ("a", "m")
    assert stated_together([]) is None


@pytest.mark.parametrize(
    "second", [{"aorta_mask": "n.nii"}, {"missing_files": {"aorta_mask": "n.nii"}}]
)
def test_two_masks_of_one_series_are_not_chosen_from(second: dict[str, object]) -> None:
    found = stated_together([_line("a", aorta_mask="m.nii"), _line("b", **second)])
    assert isinstance(found, NotAssessed)
    assert found.why is Why.CONFLICTING
    assert "aorta mask: m.nii (a), n.nii (b)" in found.detail
