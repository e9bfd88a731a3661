"""Real records for the fuzzer, where they are there: small files of each kind."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from tests.data_folder import ROOT

MAX_BYTES = 300_000
"""Of a file and of each one beside it: larger ones are slow to change by the thousand."""

_MOST = 40
"""Files of one kind: enough of every shape."""

_WHERE: dict[str, tuple[tuple[str, str], ...]] = {
    "fhir-json": (("fhir-r4-examples", "**/*.json"), ("synthea-fhir-r4", "**/*.json")),
    "hl7v2": (("hl7v2-msft", "**/*.hl7"), ("hl7v2-nist", "**/*"), ("hl7v2-linuxforhealth", "**/*")),
    "dicom-ecg": (("ecg-dicom", "*.dcm"),),
    "dicom-image": (("dicom-misc", "**/*"), ("path-openslide-fixtures", "*.dcm")),
    "wfdb-header": (("ecg-cpsc2018", "records/*.hea"), ("ecg-wfdb-samples", "*.hea")),
    "sierra": (("ecg-sierra-xml", "*.[xX][mM][lL]"),),
    "table-tsv": (("smart-sample-patients", "*.txt"),),
    "jpeg": (("dicom-misc", "*.jpeg"), ("path-wsidicom-data", "*.jpg")),
    "png": (("path-openslide-fixtures", "*.png"), ("cxr-nih", "images/*.png")),
    "tiff": (("path-openslide-fixtures", "*.tiff"),),
    "svs": (("path-openslide-fixtures", "*.svs"),),
}


def data() -> Path:
    """Return the folder of real records, as ``tests/data_folder.py`` finds it; it may be absent."""
    return Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))


@cache
def real_files(kind: str) -> tuple[dict[str, Any], ...]:
    """Return name, content, files beside it and origin of each real file of a kind."""
    found = []
    for folder, pattern in _WHERE.get(kind, ()):
        paths = sorted(p for p in (data() / folder).glob(pattern) if _is_small(p))
        step = max(1, len(paths) // _MOST)
        found += [_file(path, kind) for path in paths[::step][:_MOST]]
    return tuple(one for one in found if one is not None)


def _is_small(path: Path) -> bool:
    license_ = path.stem.upper() in ("LICENSE", "LICENCE", "COPYING", "README")
    return path.is_file() and not license_ and 0 < path.stat().st_size <= MAX_BYTES


def _file(path: Path, kind: str) -> dict[str, Any] | None:
    beside = {}
    if kind == "wfdb-header":
        parts = sorted(p for p in path.parent.glob(f"{path.stem}.*") if p != path)
        beside = {p.name: p.read_bytes() for p in parts if _is_small(p)}
        if not beside:
            return None
    return {
        "name": path.name,
        "content": path.read_bytes(),
        "beside": beside,
        "origin": f"{path.parent.name}/{path.name}",
    }
