"""What the gate of chest films doubts of a film that is shown."""

from knowledge.finding import State
from knowledge.model import Frozen
from knowledge.settings import Settings
from tools.imaging.film.model import FilmGate
from tools.imaging.film.read import read_film
from tools.imaging.film.report import checked

INVERTED = "inverted"
"""The doubt that light and dark are exchanged."""

_OF_THE_HEADER = frozenset({"stored-inverted", "no-scale", "captured", "text-in-picture"})
"""Told with every image already, by what its header says."""


class Doubt(Frozen):
    """One thing that is wrong with a film.

    Args:
        id: Of the item of the gate.
        label: What it is.
        detail: What was seen; may be empty.
        stops: Whether something is not measured because of it.
    """

    id: str
    label: str
    detail: str
    stops: bool


def film_doubts(content: bytes, settings: Settings) -> tuple[Doubt, ...]:
    """Return what the gate finds wrong with a film, beside what its header says of every image.

    Args:
        content: The whole file.
        settings: Whether pixels may be looked at.

    Raises:
        InputError: It cannot be read as a film.
    """
    film = read_film(content, file="image")
    return _doubts(checked(film, device_functions=settings.device_functions))


def _doubts(gate: FilmGate) -> tuple[Doubt, ...]:
    return tuple(
        Doubt(id=one.id, label=one.label, detail=one.detail, stops=bool(one.stops))
        for one in gate.items
        if one.state is State.PRESENT and one.id not in _OF_THE_HEADER
    )
