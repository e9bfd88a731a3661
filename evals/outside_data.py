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
    file = (load_settings().test_data or _BESIDE) / name
    if not file.is_file():
        raise UnavailableError(
            name, "the outside records are not here", "set EPICRISIS_TEST_DATA to their folder"
        )
    return file


def missing(*names: str) -> str:
    """Return why outside files cannot be read; empty where all are here."""
    try:
        for name in names:
            outside_file(name)
    except UnavailableError as error:
        return str(error)
    return ""
