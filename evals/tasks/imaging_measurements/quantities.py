"""What is measured, in which unit, and the errors that the tools' cards state of it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from evals.agreement import Error, Quantity, Stated
from knowledge.ct_measurements import ct_errors
from knowledge.errors import ReferenceDataError
from knowledge.film_measurements import film_figures
from knowledge.ihc_measurements import ihc_errors
from knowledge.slide_measurements import slide_errors

KINDS = ("solid", "ground-glass", "part-solid")


class Row(Protocol):
    """A row of measured figures, whichever tool's."""

    @property
    def measurement(self) -> str:
        """Of what."""

    @property
    def dataset(self) -> str:
        """Measured on what."""

    @property
    def metric(self) -> str:
        """What was computed."""

    @property
    def n(self) -> int:
        """How many."""

    @property
    def value(self) -> float:
        """The figure."""


def stated(
    rows: Sequence[Row], measurement: str, dataset: str, **metrics: str
) -> tuple[Stated, ...]:
    """Return errors that are stated.

    Args:
        rows: Of the tool.
        measurement: Exactly.
        dataset: Its beginning.
        metrics: ``mean``, ``largest`` and ``bias``: how the metric's words begin.

    Raises:
        ReferenceDataError: There is no such row, or more than one.
    """
    names: dict[str, Error] = {"mean": "mean absolute", "largest": "largest", "bias": "bias"}
    found = []
    for name, words in metrics.items():
        fitting = [
            row
            for row in rows
            if row.measurement == measurement
            and row.dataset.startswith(dataset)
            and row.metric.startswith(words)
        ]
        if len(fitting) != 1:
            raise ReferenceDataError(
                f"{measurement}, {dataset}, {words}", f"{len(fitting)} rows", "state it once"
            )
        found.append(Stated(error=names[name], value=fitting[0].value, n=fitting[0].n))
    return tuple(found)


_MEAN, _LARGEST = "mean absolute error", "largest error"


def _nodules() -> Iterator[Quantity]:
    rows = ct_errors()
    for kind in KINDS:
        large = f"{kind} spheres of 8 to 20 mm, vessels"
        yield Quantity(
            id=f"diameter {kind} large 1.25",
            title=f"nodule diameter, {kind}, 8 to 20 mm",
            unit="mm",
            stated=stated(rows, "nodule-diameter", large, mean=_MEAN, largest=_LARGEST),
        )
        yield Quantity(
            id=f"volume {kind} large 1.25",
            title=f"nodule volume, {kind}, 8 to 20 mm",
            unit="%",
            stated=stated(rows, "nodule-volume", large, mean=_MEAN, largest=_LARGEST),
        )
        small = f"{kind} spheres of 5 and 6 mm"
        # Part-solid ones this small are measured as their core: their bias is stated.
        known = {"bias": "mean error"} if kind == "part-solid" else {"mean": _MEAN}
        yield Quantity(
            id=f"diameter {kind} small 1.25",
            title=f"nodule diameter, {kind}, 5 and 6 mm",
            unit="mm",
            stated=stated(rows, "nodule-diameter", small, **known),
        )
        thick = f"{kind} spheres of 8 to 20 mm on slices of 2.5 mm"
        every = stated(
            rows, "nodule-diameter", "spheres of 8 to 20 mm of all three types", largest=_LARGEST
        )
        yield Quantity(
            id=f"diameter {kind} large 2.5",
            title=f"nodule diameter, {kind}, 8 to 20 mm, slices of 2.5 mm",
            unit="mm",
            stated=(*stated(rows, "nodule-diameter", thick, mean=_MEAN), *every),
        )


def _ct() -> Iterator[Quantity]:
    rows = ct_errors()
    yield Quantity(
        id="lungs",
        title="lung volume, two ellipsoids",
        unit="%",
        stated=stated(rows, "lungs", "two ellipsoids", largest="volume within"),
    )
    yield Quantity(
        id="agatston",
        title="Agatston score, rods",
        unit="%",
        stated=stated(rows, "agatston", "rods", largest="difference"),
    )
    for name, words in (("mean", "mean diameter"), ("long", "long and"), ("short", "long and")):
        yield Quantity(
            id=f"aorta {name}",
            title=f"aorta, {name} diameter, tubes",
            unit="mm",
            stated=stated(rows, "aorta", "cylinders", largest=words),
        )
    yield Quantity(
        id="aorta real",
        title="aorta, long and short diameter, one real report",
        unit="mm",
        stated=stated(rows, "aorta", "seven levels", largest="long and"),
    )


def _films() -> Iterator[Quantity]:
    rows, drawn = film_figures(), "drawn films"
    yield Quantity(
        id="ratio",
        title="cardiothoracic ratio, drawn films",
        unit="1",
        stated=stated(rows, "ratio-error", drawn, bias="mean error", mean=_MEAN, largest=_LARGEST),
    )
    for name in ("heart", "thorax"):
        yield Quantity(
            id=name,
            title=f"width of the {name}, drawn films",
            unit="%",
            stated=stated(rows, "width-error", drawn, mean=f"{_MEAN} of the {name}"),
        )


def _ihc() -> Iterator[Quantity]:
    rows = ihc_errors()
    low, high = "drawn fields, 2 to 40 % positive", "drawn fields, 70 to 95 % positive"
    said = {
        "low": stated(rows, "index", low, mean=_MEAN, largest=_LARGEST),
        "high": stated(rows, "index", high, mean=_MEAN, largest=_LARGEST),
        "haze": stated(rows, "index", "drawn fields, brown haze", bias="mean error"),
        "fine": stated(rows, "index", "drawn fields, pixels of 0.25", largest=_LARGEST),
    }
    words = {
        "low": "2 to 40 % positive",
        "high": "70 to 95 % positive",
        "haze": "brown haze",
        "fine": "pixels of 0.25 um",
    }
    for key, errors in said.items():
        yield Quantity(
            id=f"index {key}",
            title=f"share of positive nuclei, {words[key]}",
            unit="points",
            stated=errors,
        )
    yield Quantity(
        id="h-score low",
        title="H-score, 2 to 40 % positive",
        unit="1",
        stated=stated(rows, "h-score", low, largest=_LARGEST),
    )
    yield Quantity(
        id="h-score high",
        title="H-score, 70 to 95 % positive",
        unit="1",
        stated=stated(rows, "h-score", high, mean=_MEAN, largest=_LARGEST),
    )


def _slides() -> Iterator[Quantity]:
    yield Quantity(
        id="tissue",
        title="tissue area, generated slides",
        unit="%",
        stated=stated(
            slide_errors(), "tissue-area", "generated slides", mean=_MEAN, largest=_LARGEST
        ),
    )


def quantities() -> tuple[Quantity, ...]:
    """Return everything that is measured, in the order of a report."""
    return (*_nodules(), *_ct(), *_films(), *_ihc(), *_slides())
