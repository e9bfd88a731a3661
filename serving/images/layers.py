"""What was marked on the images of a series: by measurements of ours, by structures in the case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledge.errors import ContractError, TooLargeError
from knowledge.settings import Settings
from serving.images.found import Kept
from serving.images.series import Series
from tools.imaging.contours.read import RTSTRUCT, SEG, read_structures
from tools.imaging.ct.volume import read_files
from tools.imaging.dicom_object import sop_class
from tools.imaging.film.read import read_film
from tools.imaging.film.report import APPROXIMATE, FilmReport, measured
from tools.imaging.view.marks import COLOURS, Line, Mark, Mask

FILM = "film"
"""The layer of the chest-film measurement."""

FILM_MODALITIES = frozenset({"CR", "DX", "RG"})

_MOST = 512 * 2**20
"""Bytes of masks of one layer: twenty structures on a chest CT of 300 slices."""

_FILM_LABELS = {"right": "right lung field", "left": "left lung field"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Marks on the images of a series.

    Args:
        marks: By id of the image.
        labels: Of everything marked, in the order of their colours.
        notes: What must be known of them.
        nbytes: Bytes that the marks take.
    """

    marks: Mapping[str, tuple[Mark, ...]]
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    nbytes: int

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Every label with its colour, ``#rrggbb``."""
        return tuple(
            (label, "#{:02x}{:02x}{:02x}".format(*COLOURS[number % len(COLOURS)]))
            for number, label in enumerate(self.labels)
        )


def holds_structures(content: bytes) -> bool:
    """Return whether a file holds structures that may lie on a series: RTSTRUCT or SEG."""
    return content[128:132] == b"DICM" and sop_class(content) in (RTSTRUCT, *SEG)


def film_layer(kept: Kept, content: bytes, settings: Settings) -> Layer:
    """Return the outlines of the chest-film measurement on a film.

    Raises:
        ContractError: It is not measured; says why.
        InputError: The film cannot be read.
    """
    film = read_film(content, file="image")
    report = measured(film, device_functions=settings.device_functions)
    if not report.fields:
        why = report.not_assessed.get("lung-fields")
        raise ContractError("film", "not assessed" if why is None else why.detail)
    rows, columns = film.grey.shape
    marks = tuple(_film_marks(report, rows, columns))
    labels = tuple(dict.fromkeys(mark.label for mark in marks))
    return Layer(
        marks={kept.id: marks}, labels=labels, notes=(APPROXIMATE, *report.cautions), nbytes=0
    )


def structure_layer(
    series: Series, contents: Mapping[str, bytes], structures: bytes, settings: Settings
) -> Layer:
    """Return the structures of an RTSTRUCT or SEG file on the slices of a CT series.

    Args:
        series: The series.
        contents: File name to content of its images.
        structures: The file of the structures.
        settings: Limits.

    Raises:
        InputError: Series or structures cannot be read, or do not belong together.
        IdentityConflictError: They are of another patient.
        TooLargeError: Too many structures for this many slices.
    """
    volume = read_files(contents, series=series.first.image.series or None, settings=settings)
    found = read_structures(structures, volume, file="structures")
    if sum(one.mask.nbytes for one in found) > _MOST:
        raise TooLargeError("structures", f"{len(found)} on this many slices", "give fewer")
    ids = {read.kept.name: read.kept.id for read in series.reads}
    marks: dict[str, tuple[Mark, ...]] = {
        ids[name]: tuple(
            Mask(values=one.mask[level], label=one.name) for one in found if one.mask[level].any()
        )
        for level, name in enumerate(volume.facts.files)
        if name in ids
    }
    notes = tuple(dict.fromkeys(note for one in found for note in _notes(one.origin, one.notes)))
    return Layer(
        marks=marks,
        labels=tuple(dict.fromkeys(one.name for one in found)),
        notes=notes,
        nbytes=sum(one.mask.nbytes for one in found),
    )


def _notes(origin: str, notes: tuple[str, ...]) -> Iterator[str]:
    yield f"outlined: {origin.lower()}" if origin else "who outlined it is not stated"
    yield from notes


def _film_marks(report: FilmReport, rows: int, columns: int) -> Iterator[Mark]:
    for field in report.fields:
        points = tuple((x * columns, y * rows) for x, y in field.outline)
        yield Line(points=points, label=_FILM_LABELS[field.side])
    if report.ratio is not None:
        for label, edges in (
            ("width of the heart", report.ratio.heart),
            ("width of the thorax", report.ratio.thorax),
        ):
            ends = [(x * columns, y * rows) for x, y in (edges.right, edges.left)]
            middle = report.ratio.midline * columns
            for x, y in ends:
                yield Line(points=((middle, y), (x, y)), label=label, closed=False)
