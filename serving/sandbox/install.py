"""Installs the peers into a folder: ``python -m serving.sandbox.install FOLDER``.

Versions and hashes are those of ``peers/package-lock.json``; only npm's own client asks a registry.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path

from knowledge.errors import EpicrisisError, UnavailableError
from serving.sandbox.node import Node, find_node

_LOCK = "package-lock.json"
_STAMP = ".installed"
_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Peers:
    """The peers, installed.

    Args:
        folder: Where their scripts and packages are.
        node: What runs them.
    """

    folder: Path
    node: Node


def installed(folder: Path) -> Peers:
    """Return the peers of this folder, with our scripts as they are now.

    Raises:
        UnavailableError: They are not installed there, or others than these versions are.
    """
    stamp = folder / _STAMP
    if not stamp.is_file() or stamp.read_text() != _lock_hash():
        raise UnavailableError(
            "peers",
            "the npm packages of the FHIR and SMART servers are not installed",
            "scripts/peers.sh, or epicrisis sandbox --install",
        )
    peers = Peers(folder=folder, node=find_node())
    _copy_scripts(folder)
    return peers


def install(folder: Path) -> Peers:
    """Install the peers, where they are not there yet, and return them.

    Raises:
        UnavailableError: There is no node, or the packages cannot be had.
    """
    try:
        return installed(folder)
    except UnavailableError:
        node = find_node()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy_scripts(folder)
        subprocess.run(  # noqa: S603 - our own command, no shell
            [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=folder,
            env={**os.environ, "PATH": f"{node.program.parent}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        (folder / _STAMP).write_text(_lock_hash())
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(
            "peers",
            f"npm could not install them ({type(error).__name__})",
            "see that an npm registry can be reached, then try again",
        ) from error
    return Peers(folder=folder, node=node)


def _copy_scripts(folder: Path) -> None:
    """Copy what is beside the lock: Node.js finds packages from where a script is."""
    with as_file(files("serving.sandbox") / "peers") as source:
        for path in sorted(source.iterdir()):
            if path.is_file():
                target = folder / path.name
                if not target.is_file() or target.read_bytes() != path.read_bytes():
                    shutil.copyfile(path, target)


def _lock_hash() -> str:
    return sha256((files("serving.sandbox") / "peers" / _LOCK).read_bytes()).hexdigest()


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except EpicrisisError as error:
        raise SystemExit(str(error)) from error
