"""What the grey values of a film show of its quality, without any lung being outlined."""

import numpy as np

from knowledge.film_measurements import limit
from knowledge.model import Frozen
from tools.imaging.film.flat import beside_body, shrunk
from tools.imaging.film.model import Film


class Look(Frozen):
    """Plain measures of the grey values.

    Args:
        empty: All values are the same.
        polarity: Middle of the chest against its sides, of the range of grey; above 0 where air is
            dark, as it should be.
        saturated: Largest share of the body at one end of the grey scale of the file, %.
        end: Which end that is.
    """

    empty: bool
    polarity: float
    saturated: float
    end: str


def look(film: Film) -> Look:
    """Return plain measures of a film's grey values."""
    small = shrunk(film.grey)
    if np.ptp(small) == 0:
        return Look(empty=True, polarity=0.0, saturated=0.0, end="")
    body = ~beside_body(small)
    share = max(float(body.mean()), 0.05)
    beside = 1.0 - float(body.mean())
    white, black = film.highest / share, max(0.0, film.lowest - beside) / share
    return Look(
        empty=False,
        polarity=round(_polarity(small), 3),
        saturated=round(100 * min(1.0, max(white, black)), 1),
        end="white" if white >= black else "black",
    )


def _polarity(small: np.ndarray) -> float:
    """Return how much brighter the middle column of a chest is than both sides beside it."""
    rows, columns = small.shape

    def mean(top: float, bottom: float, left: float, right: float) -> float:
        part = small[
            int(top * rows) : int(bottom * rows) + 1, int(left * columns) : int(right * columns) + 1
        ]
        return float(part.mean())

    middle = mean(0.30, 0.80, 0.44, 0.56)
    sides = mean(0.25, 0.55, 0.22, 0.40) / 2 + mean(0.25, 0.55, 0.60, 0.78) / 2
    return middle - sides


def polarity_is_clear(found: Look) -> bool:
    """Return whether the polarity can be told."""
    return abs(found.polarity) >= limit("polarity_min")
