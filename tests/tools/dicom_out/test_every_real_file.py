"""Every real DICOM file is taken or refused by name: as source, as pixels, for export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import ContractError, EpicrisisError, InputError
from tests.data_folder import shared_data
from tests.tools.dicom_out.deidentify.test_planted import KEY
from tools.dicom_out.deidentify.image import deidentified_image
from tools.dicom_out.sources import read_sources
from tools.imaging.pixels import decoded_pixels

WAYS: dict[str, Callable[[bytes], Any]] = {
    "source": lambda content: read_sources({"a.dcm": content}),
    "pixels": lambda content: decoded_pixels(content, file="a.dcm"),
    "export": lambda content: deidentified_image(content, KEY, file="a.dcm"),
}


def _files() -> list[Path]:
    return sorted(p for p in shared_data("dicom-misc").iterdir() if p.is_file())


@pytest.mark.parametrize("way", WAYS)
def test_every_file_is_taken_or_refused_with_a_reason(way: str) -> None:
    taken, refused = 0, {}
    for path in _files():
        try:
            WAYS[way](path.read_bytes())
            taken += 1
        except EpicrisisError as error:
            refused[path.name] = error
    assert taken > 20
    assert all(error.reason for error in refused.values())
    assert all(isinstance(error, InputError) for error in refused.values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_taken_or_refused_with_a_reason(way: str, share: float) -> None:
    reasons = []
    for path in _files()[::4]:
        content = path.read_bytes()
        try:
            WAYS[way](content[: int(len(content) * share)])
        except EpicrisisError as error:
            reasons.append(error.reason)
    assert all(reasons)
    assert share > 0.99 or reasons


def test_the_dog_is_refused_as_a_source_and_for_export() -> None:
    refused = 0
    for path in _files():
        for way in ("source", "export"):
            try:
                WAYS[way](path.read_bytes())
            except ContractError as error:
                refused += "not of a human" in error.reason
            except EpicrisisError:
                continue
    assert refused >= 2
