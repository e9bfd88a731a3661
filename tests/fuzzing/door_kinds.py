"""Each further door: the files it is tried with, how they are changed, and what is asked of it.

``ask`` returns what does not hold of the answer, in words; empty where all holds.
"""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from evals.phantoms import film as films
from evals.phantoms.models import classifier
from evals.phantoms.slides import Blob, drawn, pyramid, write_dicom_slide, write_svs
from knowledge.settings import Settings
from serving.dicom_in.inbox import Inbox
from tests.fuzzing.mutations import BYTES, TEXT, Change
from tests.fuzzing.seeds import Seed
from tests.fuzzing.structured import INSIDE
from tests.tools.dicom_out.deidentify.test_planted import KEY, SECRETS, planted
from tests.tools.dicom_out.objects import MAKER
from tests.tools.imaging.ct.phantoms import dicom_slice, series
from tests.tools.readings.full import full_reading
from tools.dicom_out.deidentify.image import deidentified_image
from tools.dicom_out.sources import read_sources
from tools.imaging.contours.model import Structure
from tools.imaging.contours.read import read_structures
from tools.imaging.contours.rtstruct_out import rtstruct
from tools.imaging.contours.seg_out import seg
from tools.imaging.ct.mask_file import read_mask
from tools.imaging.ct.model import Volume
from tools.imaging.ct.report import measured as ct_measured
from tools.imaging.ct.volume import read_files
from tools.imaging.film.read import read_film
from tools.imaging.film.report import measured as film_measured
from tools.models.isolated import Limits
from tools.models.loaded import load_model
from tools.pathology.ihc.region import outlines, read_region
from tools.pathology.slide.check import checked
from tools.pathology.slide.opening import open_slide
from tools.readings.any_file import read_any
from tools.readings.check import faults
from tools.readings.fhir_out import fhir_bundle
from tools.readings.sr_out import reading_sr

SHAPE = (6, 24, 30)
SPACING = (3.0, 0.8, 0.7)
_FIELD = (96, 64)
_DICOM: tuple[Change, ...] = (*BYTES, *[INSIDE["dicom-image"]] * len(BYTES))
_JSON: tuple[Change, ...] = (*TEXT, *BYTES[:3], *[INSIDE["fhir-json"]] * len(TEXT))


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way in.

    Args:
        seeds: Files that are read there.
        changes: How they are changed.
        ask: Gives content and name of a file; returns what does not hold.
    """

    seeds: Callable[[], Sequence[Seed]]
    changes: Sequence[Change]
    ask: Callable[[bytes, str], str]


# ---- films


@cache
def _films() -> tuple[Seed, ...]:
    grey = films.chest(heart=390).grey[::4, ::4]
    return (
        Seed(name="film.dcm", content=films.dicom(grey)),
        Seed(name="film.png", content=films.png(grey)),
    )


def _film(content: bytes, name: str) -> str:
    report = film_measured(read_film(content, file=name))
    if report.ratio is not None and not 0 < report.ratio.ratio < 1:
        return f"a ratio of {report.ratio.ratio}"
    if (report.ratio is None) != ("cardiothoracic-ratio" in report.not_assessed):
        return "neither a ratio nor why not, or both"
    return "" if bool(report.fields) != ("lung-fields" in report.not_assessed) else "fields"


# ---- CT and what is drawn on it


@cache
def _slices() -> dict[str, bytes]:
    hu = np.random.default_rng(1).normal(40, 20, SHAPE).astype(np.float32)
    return series(hu, SPACING)


@cache
def _volume() -> Volume:
    return read_files(_slices())


def _ct(content: bytes, name: str) -> str:
    files = {**_slices(), name: content}
    volume = read_files(files)
    if not np.isfinite(volume.hu).all() or len(volume.hu) > SHAPE[0]:
        return "voxels that are none"
    report = ct_measured(volume, seeds=((10.0, 9.0, 7.0),), answers={})
    found = orjson.dumps(report.model_dump(mode="json"))  # NaN would become null
    return "" if found else "no report"


def _mask() -> np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[2:4, 7:13, 9:15] = True
    return mask


@cache
def _contours() -> tuple[Seed, ...]:
    volume, sources = _volume(), read_sources(_slices())
    drawn_ = (Structure(number=1, name="aorta", mask=_mask(), origin="MANUAL"),)
    return (
        Seed(name="rtstruct.dcm", content=rtstruct(drawn_, volume, sources, MAKER)),
        Seed(name="seg.dcm", content=seg(drawn_, volume, sources, MAKER)),
    )


def _structures(content: bytes, name: str) -> str:
    found = read_structures(content, _volume(), file=name)
    whole = all(one.mask.shape == SHAPE and one.mask.any() for one in found)
    return "" if found and whole else "a structure that is nowhere on the series"


@cache
def _masks() -> tuple[Seed, ...]:
    import nibabel

    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ _volume().affine_lps
    turned = np.ascontiguousarray(_mask().transpose(2, 1, 0).astype(np.uint8))
    image: Any = nibabel.Nifti1Image
    plain = image(turned, affine).to_bytes()
    return (
        Seed(name="mask.nii", content=plain),
        Seed(name="mask.nii.gz", content=gzip.compress(plain, mtime=0)),
    )


def _nifti(content: bytes, name: str) -> str:
    found = read_mask(content, _volume(), file=name)
    return "" if found.shape == SHAPE and found.any() else "a mask that is not on the series"


# ---- slides and regions


@cache
def _slides() -> tuple[Seed, ...]:
    levels = pyramid(drawn((512, 512), [Blob(256, 256, 160, 180)]), levels=2, factor=2)
    with tempfile.TemporaryDirectory() as name:
        svs = write_svs(Path(name) / "made.svs", levels).read_bytes()
        folder = write_dicom_slide(Path(name) / "dicom", levels)
        parts = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    first, second = parts.items()
    return (
        Seed(name="made.svs", content=svs),
        Seed(name=first[0], content=first[1], beside=dict([second])),
        Seed(name=second[0], content=second[1], beside=dict([first])),
    )


def _slide(content: bytes, name: str) -> str:
    beside = next((seed.beside for seed in _slides() if seed.name == name), {})
    with tempfile.TemporaryDirectory() as folder:
        for file, other in beside.items():
            (Path(folder) / file).write_bytes(other)
        path = Path(folder) / name
        path.write_bytes(content)
        for reader in ("openslide", "auto"):
            with open_slide(path, reader=reader) as slide:
                report, tissue, _ = checked(slide)
                if not report.facts.levels or (tissue is not None and not tissue.tissue.any()):
                    return "a slide without a level, or tissue that is nowhere"
    return ""


def _square(side: int, at: int = 4) -> list[list[int]]:
    return [[at, at], [at + side, at], [at + side, at + side], [at, at + side], [at, at]]


@cache
def _regions() -> tuple[Seed, ...]:
    one = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [_square(40), _square(8, 10)]},
        "properties": {"classification": {"name": "Tumor"}},
    }
    several = {
        "type": "Feature",
        "geometry": {"type": "MultiPolygon", "coordinates": [[_square(20)], [_square(20, 40)]]},
        "properties": {"classification": {"name": "Tumor"}},
    }
    whole = {"type": "FeatureCollection", "features": [several]}
    return (
        Seed(name="one.geojson", content=json.dumps(one).encode()),
        Seed(name="all.geojson", content=json.dumps(whole).encode()),
    )


def _region(content: bytes, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        found = read_region(path, size_px=_FIELD)
    if found.mask.shape != (_FIELD[1], _FIELD[0]) or not found.mask.any():
        return "a region that is nowhere on the field"
    rings = [ring for _, parts in outlines(content, file=name) for ring in parts]
    return "" if rings and all(np.isfinite(ring).all() for ring in rings) else "a point nowhere"


# ---- readings


@cache
def _readings() -> tuple[Seed, ...]:
    found = []
    for form in ("chest_film", "thyroid_tirads", "pathology_breast"):
        made = full_reading(form)
        found += [
            Seed(name=f"{form}.json", content=orjson.dumps(made.to_json())),
            Seed(name=f"{form}.fhir.json", content=orjson.dumps(fhir_bundle(made))),
        ]
    return tuple(found)


@cache
def _reports() -> tuple[Seed, ...]:
    return tuple(
        Seed(name=f"{form}.dcm", content=reading_sr(full_reading(form)))
        for form in ("chest_film", "thyroid_tirads")
    )


def _reading(content: bytes, name: str) -> str:
    found = read_any(content, name=name)
    for fault in faults(found):
        return f"a reading with a fault: {fault}"
    again = read_any(orjson.dumps(found.to_json()), name="again.json")
    return "" if again == found else "another reading when it is written and read again"


# ---- models


@cache
def _model_parts() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = classifier(Path(name) / "model")
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def _part(name: str) -> Callable[[], Sequence[Seed]]:
    return lambda: (Seed(name=name, content=_model_parts()[name]),)


def _model(content: bytes, name: str) -> str:
    parts = {**_model_parts(), name: content}
    if name == "model.onnx":  # a hash that fits, so that the graph itself is looked at
        described = json.loads(parts["model.json"])
        old = hashlib.sha256(_model_parts()[name]).hexdigest()
        new = hashlib.sha256(content).hexdigest()
        parts["model.json"] = json.dumps(described).replace(old, new).encode()
    with tempfile.TemporaryDirectory() as folder:
        for file, part in parts.items():
            path = Path(folder) / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(part)
        loaded = load_model(Path(folder), limits=Limits(seconds=20, memory_mib=2048))
    golden = loaded.folder.golden
    return "" if golden else "a model that was compared with nothing"


# ---- DICOM in and out


@cache
def _identified() -> tuple[Seed, ...]:
    import io

    out = io.BytesIO()
    planted().save_as(out)
    return (Seed(name="planted.dcm", content=out.getvalue()),)


def _deidentified(content: bytes, name: str) -> str:
    found = deidentified_image(content, KEY, file=name).content
    left = [word for word in SECRETS if word.encode() in found]
    return f"left in it: {', '.join(left)}" if left else ""


@cache
def _objects() -> tuple[Seed, ...]:
    pixels = np.random.default_rng(3).integers(-900, 300, (16, 16)).astype(np.int16)
    return (Seed(name="received.dcm", content=dicom_slice(pixels)), *_reports()[:1])


def _received(content: bytes, _name: str) -> str:
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "dicom"
        limit = settings.dicom_object_mib << 20
        kept = Inbox(root, object_bytes=limit, total_bytes=1 << 30).keep(content)
        if not kept.path.resolve().is_relative_to(root.resolve()):
            return "kept outside of its folder"
        if kept.path.read_bytes() != content:
            return "not kept as it was received"
        return "" if kept.study and kept.series and kept.instance else "kept without identifiers"


DOORS: Mapping[str, Door] = {
    "film": Door(seeds=_films, changes=_DICOM, ask=_film),
    "ct-folder": Door(
        seeds=lambda: [Seed(name=n, content=c) for n, c in _slices().items()],
        changes=_DICOM,
        ask=_ct,
    ),
    "contours": Door(seeds=_contours, changes=_DICOM, ask=_structures),
    "nifti-mask": Door(seeds=_masks, changes=(*BYTES, INSIDE["gzip"]), ask=_nifti),
    "slide": Door(seeds=_slides, changes=_DICOM, ask=_slide),
    "region": Door(seeds=_regions, changes=_JSON, ask=_region),
    "reading": Door(seeds=_readings, changes=_JSON, ask=_reading),
    "reading-sr": Door(seeds=_reports, changes=_DICOM, ask=_reading),
    "model-json": Door(seeds=_part("model.json"), changes=_JSON, ask=_model),
    "model-onnx": Door(seeds=_part("model.onnx"), changes=BYTES, ask=_model),
    "model-golden": Door(seeds=_part("golden/in.npy"), changes=BYTES, ask=_model),
    "deidentify": Door(seeds=_identified, changes=_DICOM, ask=_deidentified),
    "c-store": Door(seeds=_objects, changes=_DICOM, ask=_received),
}
"""Every door by its name."""
