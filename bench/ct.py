"""Seconds and memory of the measurements on one CT series.

    python bench/ct.py              # a phantom of 512 x 512 x 300, then a real series if it is here
    python bench/ct.py FOLDER       # this series

Each is measured in a process of its own: reading from files, then lungs, emphysema index and, on
the phantom, two nodules. The peak is the largest resident memory of that process; the second figure
is what the process held before the series was read.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from evals.phantoms.ct import Nodule, chest, dicom_slice
from knowledge.errors import EpicrisisError
from tools.imaging.ct.report import CtReport, measured
from tools.imaging.ct.volume import read_folder

ROOT = Path(__file__).parents[1]
REAL = "ct-totalseg-ref/tests/reference_files/example_ct_dicom"
SHAPE, SPACING = (300, 512, 512), (1.0, 0.5, 0.5)
NODULES = ((150.0, 128.0, 70.0, 8.0), (150.0, 128.0, 186.0, 14.0))
"""(slice, row, column, diameter) mm."""


def phantom(folder: Path) -> None:
    """Write a chest of the size of a thin scan, a piece of 60 slices again and again."""
    nodules = [Nodule((30.0, y, x), d) for _, y, x, d in NODULES]
    part = chest(spacing=SPACING, shape=(60, *SHAPE[1:]), nodules=nodules, vessels=20)
    whole = np.clip(np.rint(part), -1024, 3071).astype(np.int16)
    for level in range(SHAPE[0]):
        content = dicom_slice(
            whole[30 if abs(level - 150) > 29 else level - 120],
            SOPInstanceUID=f"1.2.2.{level + 1}", ImagePositionPatient=[0, 0, float(level)],
            PixelSpacing=list(SPACING[1:]), SliceThickness=SPACING[0],
        )  # fmt: skip
        (folder / f"{level:03}.dcm").write_bytes(content)


def measure(folder: Path, *, seeds: bool) -> None:
    """Print what one series takes, in this process."""
    before = _peak()
    start, cpu = time.perf_counter(), time.process_time()
    try:
        volume = read_folder(folder)
    except EpicrisisError as error:
        print(f"   refused: {error}")
        return
    read = time.perf_counter() - start
    points = tuple((x, y, z) for z, y, x, _ in NODULES) if seeds else ()
    found = measured(volume, seeds=points, answers={})
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    shape = " x ".join(map(str, volume.hu.shape))
    print(f"   {shape}: read {read:.1f} s, all {seconds:.1f} s ({used:.1f} s of processor time)")
    print(f"   memory: peak {_peak():.0f} MiB, {before:.0f} MiB before; the volume itself "
          f"{volume.hu.nbytes / 2**20:.0f} MiB")  # fmt: skip
    _show(found)


def _show(found: CtReport) -> None:
    if found.lungs is not None:
        print(f"   lungs {found.lungs.volume_ml:.0f} mL, LAA-950 {found.lungs.laa_950_percent} %")
    for (*_, true), one in zip(NODULES, found.nodules, strict=False):
        mean = "not measured" if one.measure is None else f"{one.measure.mean_mm} mm"
        print(f"   nodule of {true:g} mm: {mean}")
    for name, why in found.not_assessed.items():
        print(f"   {name}: not assessed: {why.detail}")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(folder: Path, *more: str) -> None:
    sys.stdout.flush()
    subprocess.run([sys.executable, __file__, str(folder), *more], check=True)  # noqa: S603 - us


def main() -> None:
    """Measure a phantom and a real series."""
    with tempfile.TemporaryDirectory() as made:
        print("phantom of a chest")
        pid = os.fork()  # its memory is not to be counted
        if pid == 0:
            phantom(Path(made))
            os._exit(0)
        os.waitpid(pid, 0)
        _apart(Path(made), "--seeds")
    base = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if (base / REAL).is_dir():
        print("real series, 20 slices of an abdomen (its lungs are refused)")
        _apart(base / REAL)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]), seeds="--seeds" in sys.argv)
    else:
        main()
