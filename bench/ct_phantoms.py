"""Measured errors of the CT measurements on phantoms of known truth.

    python bench/ct_phantoms.py nodules [SEEDS]      # slices of 1.25 mm, then of 2.5 mm
    python bench/ct_phantoms.py spheres [SEEDS]      # alone in lung without vessels
    python bench/ct_phantoms.py repeat [SEEDS]       # one nodule measured again with other noise

Prints each group of nodules and the figures of ``knowledge/data/ct_accuracy.yaml``.
"""

import sys
import time

import numpy as np

from evals.phantoms.ct import Nodule, block, volume_of
from evals.phantoms.sets import NODULES as KINDS
from evals.phantoms.sets import SIZES, THICK, THIN, Spacing, nodule_chest
from knowledge.errors import ContractError
from tools.imaging.ct.model import Volume
from tools.imaging.ct.nodule import NoduleMeasure, measure_nodule

Found = list[tuple[float, NoduleMeasure | str]]


def measured(kind: str, seed: int, spacing: Spacing, sizes: tuple[float, ...] = SIZES) -> Found:
    """Return (true diameter, what was measured or why not) for the nodules of one phantom."""
    volume, seeds = nodule_chest(kind, seed, spacing, sizes)
    return [(one.diameter, _at(volume, point)) for one, point in seeds]


def _one(volume: Volume, one: Nodule, random: np.random.Generator) -> NoduleMeasure | str:
    z, y, x = (float(c + j) for c, j in zip(one.centre, random.uniform(-1, 1, 3), strict=True))
    return _at(volume, (x, y, z))


def _at(volume: Volume, seed: tuple[float, float, float]) -> NoduleMeasure | str:
    try:
        return measure_nodule(volume, seed).measure
    except ContractError as error:
        return f"{error.item}: {error.reason}"


def report(name: str, found: Found) -> None:
    """Print the errors of one group."""
    done = [(d, m) for d, m in found if isinstance(m, NoduleMeasure)]
    refused = [m for _, m in found if isinstance(m, str)]
    if not done:
        print(f"{name}: none of {len(found)} measured; refused {refused}")
        return
    errors = np.array([m.mean_mm - d for d, m in done])
    volumes = np.array(
        [100 * (m.volume_mm3 / (np.pi * d**3 / 6) - 1) for d, m in done if m.volume_mm3]
    )
    kinds = [m.kind for _, m in done if m.kind is not None]
    print(f"{name}: {len(done)} of {len(found)} measured; refused {refused}")
    print(f"   diameter bias {errors.mean():+.2f} mean absolute {np.abs(errors).mean():.2f} worst "
          f"{np.abs(errors).max():.2f} mm")  # fmt: skip
    if volumes.size:
        print(f"   volume n {volumes.size} bias {volumes.mean():+.1f} mean absolute "
              f"{np.abs(volumes).mean():.1f} worst {np.abs(volumes).max():.1f} %")  # fmt: skip
    print(f"   type stated {len(kinds)}: { ({k: kinds.count(k) for k in set(kinds)}) }")


def nodules(seeds: int) -> None:
    """Measure spheres of every kind, on slices of 1.25 mm and of 2.5 mm."""
    for name, spacing in (("1.25 mm", THIN), ("2.5 mm", THICK)):
        for kind in KINDS:
            start = time.process_time()
            found = [one for seed in range(seeds) for one in measured(kind, seed, spacing)]
            for low, high in ((0, 7), (7, 99)):
                part = [(d, m) for d, m in found if low <= d < high]
                report(f"{name} {kind} {low} to {high} mm", part)
            print(f"   {time.process_time() - start:.0f} s of processor time", flush=True)


def spheres(count: int) -> None:
    """Measure single spheres in lung without vessels, at another place on the grid each time."""
    for kind, (hu, core) in KINDS.items():
        found: Found = []
        for seed in range(count):
            for size in (6.0, 8.0, 12.0, 20.0):
                random = np.random.default_rng(200 + seed)
                z, y, x = (float(30 + random.uniform(-0.6, 0.6)) for _ in range(3))
                one = Nodule((z, y, x), size, hu, core * size)
                volume = volume_of(block([one], spacing=THIN, seed=seed), THIN)
                found.append((size, _one(volume, one, random)))
        for low, high in ((0, 7), (7, 99)):
            report(f"single {kind} {low} to {high} mm", [f for f in found if low <= f[0] < high])
        sys.stdout.flush()


def repeat(count: int) -> None:
    """Measure the same spheres with other noise, place on the grid and seed."""
    for kind, (hu, core) in KINDS.items():
        for size in (6.0, 8.0, 12.0):
            volumes, means = [], []
            for seed in range(count):
                random = np.random.default_rng(100 + seed)
                z, y, x = (float(30 + random.uniform(-0.6, 0.6)) for _ in range(3))
                one = Nodule((z, y, x), size, hu, core * size)
                got = _one(volume_of(block([one], spacing=THIN, seed=seed), THIN), one, random)
                if isinstance(got, NoduleMeasure) and got.volume_mm3:
                    volumes.append(got.volume_mm3)
                    means.append(got.mean_mm)
            spread = 196 * 2**0.5 * np.std(volumes, ddof=1) / np.mean(volumes)
            print(f"{kind} {size} mm: n {len(volumes)}; 95 % limit of a change of volume "
                  f"{spread:.1f} %, of diameter {1.96 * 2**0.5 * np.std(means, ddof=1):.2f} mm",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    {"nodules": nodules, "spheres": spheres, "repeat": repeat}[sys.argv[1]](count)
