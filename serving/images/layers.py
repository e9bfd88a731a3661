"""What was marked on the images of a series: by measurements of ours, by structures in the case."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from knowledge.errors import ContractError, TooLargeError
from knowledge.settings import Settings
from serving.images.annotations import Drawn, drawn_in
from serving.images.found import Kept
from serving.images.layer import Layer, Note
from serving.images.series import Series
from tools.imaging.contours.read import RTSTRUCT, SEG, read_structures
from tools.imaging.ct.volume import read_files
from tools.imaging.dicom_object import sop_class
from tools.imaging.film.read import read_film
from tools.imaging.film.report import APPROXIMATE, FilmReport, measured
from tools.imaging.view.marks import Line, Mark, Mask, Point

FILM = "film"
"""The layer of the chest-film measurement."""

FILM_MODALITIES = frozenset({"CR", "DX", "RG"})

_MOST = 512 * 2**20
"""Bytes of masks of one layer: twenty structures on a chest CT of 300 slices."""

NOT_THESE = "does not refer to an image of this series"
MARKED = "as the file says; who drew it was not checked"
ON_PICTURES = "marks are on picture %s"
_SHOWN = 12
NOBODY = "who outlined it is not stated"

_FILM_LABELS = {"right": "right lung field", "left": "left lung field"}


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
        marks={kept.id: marks},
        labels=labels,
        notes=tuple(Note(one) for one in _cautions(report)),
        nbytes=0,
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


def report_layer(series: Series, content: bytes) -> Layer:
    """Return the marks of a file on the images of a series, by the images they refer to.

    Raises:
        InputError: The file cannot be read, or none of its marks is on an image of the series.
        IdentityConflictError: It is of another patient.
    """
    shapes = drawn_in(content, patient=series.first.image.identity, file="marks")
    images = {
        read.image.instance: read.kept.id
        for read in series.reads
        if read.image.instance and read.image.frames == 1
    }
    marks: dict[str, list[Mark]] = defaultdict(list)
    for one in shapes:
        if one.instance in images:
            marks[images[one.instance]].append(_drawn(one))
    if not marks:
        raise ContractError("marks", NOT_THESE, "draw them on this series")
    labels = tuple(dict.fromkeys(mark.label for found in marks.values() for mark in found))
    return Layer(
        marks={image: tuple(found) for image, found in marks.items()},
        labels=labels,
        notes=(Note(MARKED), Note(ON_PICTURES, (_numbers(series, set(marks)),))),
        nbytes=sum(one.points.nbytes for one in shapes),
    )


def _drawn(one: Drawn) -> Mark:
    places = tuple((float(x) - 0.5, float(y) - 0.5) for x, y in one.points)
    if len(places) == 1:
        return Point(at=places[0], label=one.label)
    return Line(points=places, label=one.label, closed=one.closed)


def _numbers(series: Series, images: set[str]) -> str:
    """Return the numbers of pictures in the series, the first few."""
    found = [str(n) for n, one in enumerate(series.slices, start=1) if one.image in images]
    return ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")


def _notes(origin: str, notes: tuple[str, ...]) -> Iterator[Note]:
    yield Note("outlined: %s", (origin.lower(),)) if origin else Note(NOBODY)
    yield from (Note(one) for one in notes)


def _cautions(report: FilmReport) -> Iterator[str]:
    """Yield what must be read with the outlines; that they are approximate once."""
    yield APPROXIMATE
    yield from (one for one in report.cautions if APPROXIMATE not in one)


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
