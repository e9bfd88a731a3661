"""What was measured on chest films, as a structured report."""

from collections.abc import Iterator, Sequence

from knowledge.finding import State
from tools.dicom_out.report import Group, Measured, StructuredReport
from tools.imaging.film.report import FilmReport

TITLE = "Chest film"


def film_structured_report(found: Sequence[FilmReport]) -> StructuredReport:
    """Return one report of the films of a series, each named by its number.

    Args:
        found: What was measured on each, in the order of the images.
    """
    missing: dict[str, str] = {}
    for number, film in enumerate(found, start=1):
        for what, why in film.not_assessed.items():
            missing[f"{_name(number, found)}, {what}"] = why.detail
        for item in film.gate.items:
            if item.not_assessed is not None:
                missing[f"{_name(number, found)}, {item.id}"] = item.not_assessed.detail
    return StructuredReport(
        title=TITLE,
        procedure="chest-film",
        groups=tuple(_groups(found)),
        not_assessed=missing,
        notes=tuple(_notes(found)),
    )


def _groups(found: Sequence[FilmReport]) -> Iterator[Group]:
    for number, film in enumerate(found, start=1):
        if film.ratio is not None:
            ratio = Measured(what="ctr", value=round(film.ratio.ratio, 2), unit="{ratio}")
            yield Group(
                title=f"{_name(number, found)}: heart",
                finding="anatomical-structure",
                site="heart",
                measurements=(ratio,),
            )


def _notes(found: Sequence[FilmReport]) -> Iterator[str]:
    for number, film in enumerate(found, start=1):
        name = _name(number, found)
        for item in film.gate.items:
            if item.state is State.PRESENT:
                yield f"{name}: {item.label}: {item.detail}"
        yield from (f"{name}: {caution}" for caution in film.cautions)


def _name(number: int, found: Sequence[FilmReport]) -> str:
    return "Film" if len(found) == 1 else f"Film {number}"
