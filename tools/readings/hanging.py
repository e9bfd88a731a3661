"""The order in which mammograms are hung: CC then MLO, right beside left, chest walls inside.

By the views and sides that DICOM states (PS3.3 C.8.11.7): View Code Sequence, or else View
Position; Image Laterality, or else Laterality. Nothing is read out of the pixels.
"""

from collections.abc import Iterable
from typing import Any, Literal

from knowledge.errors import ContractError
from knowledge.model import Frozen

View = Literal["CC", "MLO", "ML", "LM", "other"]
_ORDER = ("CC", "MLO", "ML", "LM", "other")
_CODES: dict[str, View] = {
    "R-10242": "CC",
    "399162004": "CC",
    "R-10226": "MLO",
    "399368009": "MLO",
    "R-10224": "ML",
    "399260004": "ML",
    "R-10228": "LM",
    "399352003": "LM",
}
"""Views of CID 4014 (PS3.16), as SNOMED RT and SNOMED CT codes."""


class Hung(Frozen):
    """One film and its place.

    Args:
        sop_uid: Of the instance.
        side: ``right`` hangs on the observer's left, chest wall to the right; ``left`` beside it.
        view: Of the film.
        row: From 0: one row of films for each view.
        column: 0 for right, 1 for left.
        mirror: Pixels must be mirrored for the chest wall to lie inside; None where Patient
            Orientation does not say.
    """

    sop_uid: str
    side: Literal["right", "left"]
    view: View
    row: int
    column: Literal[0, 1]
    mirror: bool | None


class Hanging(Frozen):
    """Where every film hangs, and what of the four standard films is missing.

    Args:
        films: In the order of reading.
        missing: Standard films that are not there, for example ``left MLO``.
    """

    films: tuple[Hung, ...]
    missing: tuple[str, ...]


def hanging(images: Iterable[Any]) -> Hanging:
    """Return where mammograms hang.

    Args:
        images: Headers of one study (pydicom datasets).

    Raises:
        ContractError: One is no mammogram, or states no side.
    """
    films = [_film(ds) for ds in images]
    rows = [view for view in _ORDER if any(film[2] == view for film in films)]
    hung = [
        Hung(
            sop_uid=uid,
            side=side,
            view=view,
            row=rows.index(view),
            column=0 if side == "right" else 1,
            mirror=mirror,
        )
        for uid, side, view, mirror in films
    ]
    there = {(film.side, film.view) for film in hung}
    missing = [f"{s} {v}" for v in ("CC", "MLO") for s in ("right", "left") if (s, v) not in there]
    hung.sort(key=lambda film: (film.row, film.column, film.sop_uid))
    return Hanging(films=tuple(hung), missing=tuple(missing))


def _film(ds: Any) -> tuple[str, Literal["right", "left"], View, bool | None]:
    uid = str(ds.get("SOPInstanceUID", "") or "")
    if ds.get("Modality") != "MG":
        raise ContractError(f"image {uid}", "is no mammogram", "give mammograms (MG)")
    side = str(ds.get("ImageLaterality", "") or ds.get("Laterality", "") or "")
    if side not in ("R", "L"):
        raise ContractError(
            f"image {uid}", "does not state whether it is right or left", "correct it at the source"
        )
    return uid, "right" if side == "R" else "left", _view(ds), _mirror(ds, side)


def _view(ds: Any) -> View:
    for code in ds.get("ViewCodeSequence", ()) or ():
        known = _CODES.get(str(code.get("CodeValue", "")))
        if known is not None:
            return known
    stated = str(ds.get("ViewPosition", "") or "")
    return stated if stated in ("CC", "MLO", "ML", "LM") else "other"  # type: ignore[return-value]


def _mirror(ds: Any, side: str) -> bool | None:
    """Return whether the rows run the wrong way: the right breast's must run to the chest wall.

    Patient Orientation names where rows run to; ``A`` (anterior) is towards the nipple.
    """
    orientation = [str(value) for value in ds.get("PatientOrientation") or ()]
    first = orientation[0] if orientation else ""
    if not first or first[0] not in "AP":
        return None
    towards_nipple = first[0] == "A"
    return towards_nipple if side == "R" else not towards_nipple
