"""Outside records that evaluations read where they are: never copied, never carried."""

from pathlib import Path

from knowledge.errors import UnavailableError
from knowledge.settings import load_settings

_BESIDE = Path(__file__).parents[2] / "shared" / "data"


def outside_file(name: str) -> Path:
    """Return a file of outside records.

    Args:
        name: For example ``pubmedqa/pubmedqa-400.json``.

    Raises:
        UnavailableError: It is not here.
    """
    path = outside_path(name)
    if not path.is_file():
        raise _absent(name)
    return path


def outside_path(name: str) -> Path:
    """Return a file or a folder of outside records.

    Args:
        name: For example ``ct-totalseg-ref/tests``.

    Raises:
        UnavailableError: It is not here.
    """
    path = (load_settings().test_data or _BESIDE) / name
    if not path.exists():
        raise _absent(name)
    return path


def _absent(name: str) -> UnavailableError:
    return UnavailableError(
        name, "the outside records are not here", "set EPICRISIS_TEST_DATA to their folder"
    )


def missing(*names: str) -> str:
    """Return why outside files or folders cannot be read; empty where all are here."""
    try:
        for name in names:
            outside_path(name)
    except UnavailableError as error:
        return str(error)
    return ""
