"""A chest film of a case: gate, and cardiothoracic ratio or why not."""

from collections.abc import Iterator

from knowledge.finding import State
from tools.imaging.film.model import StatedFilm
from tools.imaging.film.read import read_film
from tools.imaging.film.report import CARD, VERSION, FilmReport, findings_of, measured
from tools.imaging.in_case.model import StudyImages
from tools.imaging.in_case.once import once
from tools.imaging.in_case.said import of_study
from tools.imaging.model import StudyMeasures
from tools.toolbox import tool

NAME = "measure_chest_film"
_CARD = CARD.model_copy(
    update={
        "title": "Cardiothoracic ratio on a chest film of the case",
        "needs": ("one frontal chest film of an adult that belongs to the case",),
    }
)
_TOLD = ("cut-off", "stored-inverted", "no-scale")
"""Items of the gate that stand among the study's own problems, or say nothing of a value."""


@tool(card=_CARD, version=VERSION)
def measure_chest_film(images: StudyImages) -> StudyMeasures:
    """Return the cardiothoracic ratio of a chest film of a case, or why there is none.

    Args:
        images: The film.
    """
    return once(images, tool=NAME, version=VERSION, make=film_measures)


def film_measures(images: StudyImages) -> StudyMeasures:
    """Return what is measured on the one film.

    Raises:
        InputError: It cannot be read; see `read_film`.
    """
    (file,) = images.files
    said = images.stated
    stated = None if said is None else StatedFilm(view=said.view, age_years=said.age_years)
    report = measured(read_film(images.data(file), file=file, stated=stated))
    return StudyMeasures(
        tool=NAME,
        version=VERSION,
        files=images.files,
        findings=of_study(findings_of(report), images),
        cautions=(*report.cautions, *_doubts(report)),
        accuracy=CARD.accuracy,
    )


def _doubts(report: FilmReport) -> Iterator[str]:
    """Yield what the gate found wrong with the film."""
    for item in report.gate.items:
        if item.state is State.PRESENT and item.id not in _TOLD:
            yield f"{item.label}: {item.detail}" if item.detail else item.label
