"""The bundled synthetic cases, as the start page offers them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from knowledge.errors import InvalidValueError
from serving.web.words import Say

SHOWN = ("stemi", "nstemi", "early_presenter", "half_missing", "laboratory")
"""The order of the start page: what is clear first, what is open last."""


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


_WORDS = {
    "stemi": (
        _("Inferior ST elevation"),
        _("Man, 62. The ECG decides before any troponin does."),
    ),
    "nstemi": (
        _("Troponin rising within the hour"),
        _("Woman, 71. ST depression in V3 to V6, two samples 62 minutes apart."),
    ),
    "early_presenter": (
        _("Came early, one low troponin"),
        _("Man, 43. Not ruled out: a second sample is due."),
    ),
    "half_missing": (
        _("Half of it is missing"),
        _("Woman, 70. No assay named, no onset, no vital signs: ranges instead of numbers."),
    ),
    "laboratory": (
        _("Laboratory: two samples, one haemolysed"),
        _("Man, 58. Ketoacidosis or not, kidney injury, and a potassium that may not be true."),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One bundled case; every person in it is invented."""

    name: str
    title: str
    about: str


def examples(say: Say) -> tuple[Example, ...]:
    """Return the bundled cases in the page's language."""
    return tuple(
        Example(name=name, title=say(_WORDS[name][0]), about=say(_WORDS[name][1])) for name in SHOWN
    )


@cache
def example_files(name: str) -> tuple[tuple[str, bytes], ...]:
    """Return name and bytes of every file of a bundled case.

    Raises:
        InvalidValueError: There is none of that name.
    """
    if name not in SHOWN:
        raise InvalidValueError(
            "example", "there is none of that name", f"one of {', '.join(SHOWN)}"
        )
    return tuple(_files(files("serving").joinpath("examples", name), ""))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
