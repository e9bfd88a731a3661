"""Several statements of images that are measured together: a line for each nodule, mostly."""

from collections.abc import Sequence
from functools import reduce

from knowledge.finding import NotAssessed, Why
from tools.imaging.in_case.model import StatedImage

_JOINED = frozenset({"file", "seeds", "missing_files"})


def stated_together(lines: Sequence[StatedImage]) -> StatedImage | NotAssessed | None:
    """Return what all of the lines state: every seed once, and what one of them says besides.

    Returns:
        Why it cannot be, where two of them say different things; None where there is no line.
    """
    if not lines:
        return None
    for name in StatedImage.model_fields:
        if name in _JOINED:
            continue
        said = {line.file: str(_given(line, name)) for line in lines if _given(line, name)}
        if len(set(said.values())) > 1:
            told = ", ".join(f"{value} ({file})" for file, value in said.items())
            what = name.replace("_", " ")
            detail = f"images measured together have different statements of {what}: {told}"
            return NotAssessed(why=Why.CONFLICTING, detail=detail[:400])
    return reduce(_both, lines)


def _given(line: StatedImage, name: str) -> object:
    """Return what a line states, also of a file that the case does not have."""
    return getattr(line, name) or line.missing_files.get(name)


def _both(first: StatedImage, second: StatedImage) -> StatedImage:
    more = {
        name: getattr(second, name)
        for name in StatedImage.model_fields
        if name not in _JOINED and not getattr(first, name)
    }
    return first.model_copy(
        update={
            **more,
            "seeds": tuple(dict.fromkeys((*first.seeds, *second.seeds))),
            "missing_files": {**second.missing_files, **first.missing_files},
        }
    )
