"""Widths and ratio on drawn films."""

from collections.abc import Mapping
from typing import Any

from evals.phantoms.film import SIDE, png
from evals.phantoms.sets import film_at
from evals.tasks.imaging_measurements.found import Found
from tools.imaging.film.read import read_film
from tools.imaging.film.report import measured


def films(given: Mapping[str, Any]) -> Found:
    """Measure drawn films.

    Args:
        given: ``places``: numbers of the films in their set.
    """
    found = Found()
    for place in given["places"]:
        ratio, film = film_at(place)
        report = measured(read_film(png(film.grey), file="drawn.png"))
        if report.ratio is None:
            found.refuse(report.not_assessed["cardiothoracic-ratio"].detail)
            continue
        found.add("ratio", report.ratio.ratio - ratio)
        heart, thorax = report.ratio.heart_width * SIDE, report.ratio.thorax_width * SIDE
        found.add("heart", 100 * (heart / film.heart - 1), asked=False)
        found.add("thorax", 100 * (thorax / film.thorax - 1), asked=False)
    return found
