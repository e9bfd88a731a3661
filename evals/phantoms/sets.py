"""The sets of drawn images that stated errors are measured on."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evals.phantoms.ct import Nodule, chest, volume_of
from evals.phantoms.film import Drawn
from evals.phantoms.film import chest as film
from evals.phantoms.ihc import Look
from evals.phantoms.slides import Blob, Rgb, drawn
from tools.imaging.ct.model import Volume

Spacing = tuple[float, float, float]
Point = tuple[float, float, float]

THIN: Spacing = (1.25, 0.7, 0.7)
THICK: Spacing = (2.5, 0.7, 0.7)
PLACES = [
    (z, y, x)
    for z, y in ((28.0, 90.0), (60.0, 72.0), (60.0, 107.0), (92.0, 90.0))
    for x in (50.0, 129.0)
]
"""(slice, row, column) mm, in both lungs."""
NODULES = {"solid": (40.0, 0.0), "ground-glass": (-600.0, 0.0), "part-solid": (-600.0, 0.55)}
"""HU, and the core's share of the diameter."""
SIZES = (5.0, 6.0, 8.0, 8.0, 10.0, 12.0, 16.0, 20.0)

RATIOS = (0.38, 0.42, 0.46, 0.50, 0.54, 0.58, 0.62)
WIDTHS = (560.0, 640.0, 720.0)
RIBS = (0.0, 0.08, 0.16)

EVEN = Look(grades=(0.55, 0.15, 0.15, 0.15))
FIELDS = {
    "2 to 40 % positive, a third of the negative nuclei pale": [
        Look(grades=(1 - s, s * 0.4, s * 0.3, s * 0.3)) for s in (0.02, 0.1, 0.2, 0.4)
    ],
    "10 % strongly positive, all negative nuclei pale": [
        Look(grades=(0.9, 0.0, 0.02, 0.08), pale=1.0)
    ],
    "70 to 95 % positive": [Look(grades=(1 - s, s * 0.3, s * 0.3, s * 0.4)) for s in (0.7, 0.95)],
    "crowded (6000 nuclei a mm2), 30 % positive": [Look(per_mm2=6000)],
    "brown haze of density 0.1, 30 % positive": [Look(brown_haze=0.1)],
    "pixels of 0.25 um, 30 % positive": [Look(mpp=0.25)],
}


def nodule_chest(
    kind: str, seed: int, spacing: Spacing, sizes: tuple[float, ...] = SIZES
) -> tuple[Volume, list[tuple[Nodule, Point]]]:
    """Return a chest with nodules of one kind, and each nodule with a seed (x, y, z) near it."""
    hu, core = NODULES[kind]
    random = np.random.default_rng(seed)
    nodules = [
        Nodule(PLACES[p], d, hu, core * d)
        for p, d in zip(random.permutation(len(PLACES)), sizes, strict=True)
    ]
    shape = (round(120 / spacing[0]), 256, 256)
    made = chest(nodules=nodules, seed=seed, vessels=25, spacing=spacing, shape=shape)
    seeds = []
    for one in nodules:
        z, y, x = (float(c + j) for c, j in zip(one.centre, random.uniform(-1, 1, 3), strict=True))
        seeds.append((one, (x, y, z)))
    return volume_of(made, spacing), seeds


def film_at(place: int) -> tuple[float, Drawn]:
    """Return the true ratio and a film, of 7 ratios, 3 widths of the chest, 3 strengths of ribs."""
    every = [(r, w, b) for r in RATIOS for w in WIDTHS for b in RIBS]
    ratio, width, ribs = every[place]
    return ratio, film(heart=ratio * width, thorax=width, ribs=ribs, seed=place, noise=0.02)


def films() -> Iterator[tuple[float, Drawn]]:
    """Yield every film of the set with its true ratio."""
    for place in range(len(RATIOS) * len(WIDTHS) * len(RIBS)):
        yield film_at(place)


def training(mpp: float) -> tuple[Look, ...]:
    """Return the looks of the fields that a calibration is made of; seeds from 1000 on."""
    return (replace(EVEN, mpp=mpp), replace(EVEN, mpp=mpp))


def slides(count: int) -> Iterator[tuple[float, Rgb]]:
    """Yield the true tissue area (mm2 at 0.5 um a pixel) and the picture of generated slides."""
    draw = np.random.default_rng(11)
    for number in range(count):
        blobs = [
            Blob(
                float(draw.uniform(500, 1000)), 700 + 1500 * k + float(draw.uniform(-100, 100)),
                float(draw.uniform(150, 450)), float(draw.uniform(150, 550)),
            )
            for k in range(2)
        ]  # fmt: skip
        made = drawn((1536, 3072), blobs, seed=number, pale=float(draw.uniform(0.35, 1)))
        yield sum(b.pixels for b in blobs) * 0.25e-6, made
