"""What a tool made of one input."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from evals.outside_data import outside_path
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen

Recipe = Mapping[str, Any]
Probe = Callable[[Recipe, Path], "Answer"]


class Answer(Frozen):
    """What a tool made of one input; an input error is an answer too, with its reason.

    Args:
        refused: Why nothing was measured; empty where something was.
        said: Ids of the defects that were named beside what was measured.
    """

    refused: str = ""
    said: tuple[str, ...] = ()


def of(choices: Mapping[str, Any], key: str, what: str) -> Any:
    """Return what a recipe names.

    Raises:
        InvalidValueError: It names something that is not there.
    """
    if key not in choices:
        raise InvalidValueError(f"{what} {key!r}", "is not known", f"one of {', '.join(choices)}")
    return choices[key]


def cut(content: bytes, recipe: Recipe) -> bytes:
    """Return a file without its last bytes, where the recipe says so."""
    return content[: -recipe["cut"]] if "cut" in recipe else content


def real(recipe: Recipe) -> Path:
    """Return the real file or folder that a recipe names."""
    return outside_path(recipe["file"])
