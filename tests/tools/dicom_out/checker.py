"""The outside checkers of DICOM objects (Debian package dicom3tools), or a skip with the reason."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_CHECKER_ALONE = (
    "Only valid for AnnotationCoordinateType of 3D - attribute <CommonZCoordinateValue> = <>"
)
"""dciodvfy of 2022 says so of every 2D annotation object, also where the attribute is absent;
`test_annotations_hold_no_common_z` shows that it is."""


def errors(content: bytes, folder: Path, name: str) -> list[str]:
    """Return the errors that dciodvfy finds in an object."""
    return _errors(["dciodvfy"], {name: content}, folder)


def errors_between(objects: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return the errors that dcentvfy finds between objects: one patient, one study, alike."""
    return _errors(["dcentvfy"], objects, folder)


def _errors(command: list[str], objects: Mapping[str, bytes], folder: Path) -> list[str]:
    found = shutil.which(command[0])
    if found is None:
        pytest.skip(f"{command[0]} is not installed (Debian package dicom3tools)")
    paths = []
    for name, content in objects.items():
        path = folder / f"{name}.dcm"
        path.write_bytes(content)
        paths.append(str(path))
    done = subprocess.run(  # noqa: S603
        [found, *paths], capture_output=True, text=True, timeout=120, check=False
    )
    said = (done.stdout + done.stderr).splitlines()
    return [one for one in said if one.startswith("Error") and _CHECKER_ALONE not in one]
