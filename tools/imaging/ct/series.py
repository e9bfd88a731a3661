"""Which series of a folder is measured: axial, thin, a source image; the others with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.ct_measurements import ct_measurements, limit
from knowledge.errors import ContractError, IdentityConflictError
from tools.imaging.ct.model import LeftOut
from tools.imaging.ct.slice_header import SliceHeader

_NO_UID = "not stated"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The series that is measured.

    Args:
        slices: Its slices.
        left_out: The other series and slices, each with the reason.
        notes: What must be known of the choice.
    """

    slices: tuple[SliceHeader, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def choose(headers: Sequence[SliceHeader], *, series: str | None = None) -> Choice:
    """Return the series to measure.

    Of the axial source series with enough slices, the thinnest is taken; of equally thin ones that
    with a smooth kernel. Two that fit equally are refused rather than guessed.

    Args:
        headers: Every CT or other slice of the folder.
        series: Series Instance UID that a person asks for; the rules then only exclude.

    Raises:
        ContractError: No series fits, or two fit equally.
        IdentityConflictError: The slices of the chosen series name two patients.
    """
    groups: dict[str, list[SliceHeader]] = {}
    for one in headers:
        groups.setdefault(one.series, []).append(one)
    if series is not None:
        if series not in groups:
            raise ContractError(f"series {series}", "is not in the folder", _known(groups))
        groups = {series: groups[series]}
    fitting: dict[str, list[SliceHeader]] = {}
    left: list[LeftOut] = []
    for uid, group in sorted(groups.items()):
        source, dropped = _source_images(group)
        left += dropped
        reason = _why_not(source) if source else ""
        if reason:
            left.append(LeftOut(item=_name(uid, group), reason=reason))
        elif source:
            fitting[uid] = source
    if not fitting:
        raise ContractError(
            "CT series",
            "none can be measured: " + ("; ".join(f"{o.item}: {o.reason}" for o in left[:5])
                                        or "no CT image"),
            "give the axial CT series",
        )  # fmt: skip
    uid = _best(fitting)
    left += [
        LeftOut(item=_name(other, group), reason="another series is thinner or smoother")
        for other, group in fitting.items()
        if other != uid
    ]
    chosen = fitting[uid]
    _check_one_patient(chosen)
    notes = () if uid else ("no series UID is stated: all files are taken as one series",)
    return Choice(slices=tuple(chosen), left_out=tuple(left), notes=notes)


def _source_images(group: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[LeftOut]]:
    """Return the axial source images of a series, and what is none."""
    source, left = [], []
    for one in group:
        if one.modality != "CT":
            reason = f"modality {one.modality or _NO_UID}, not CT"
        elif one.enhanced:
            reason = "a multi-frame object; give the series as single slices"
        else:
            reason = one.not_source
        if reason:
            left.append(LeftOut(item=one.file, reason=reason))
        else:
            source.append(one)
    return source, left


def _why_not(source: Sequence[SliceHeader]) -> str:
    first = source[0]
    if len(source) < limit("slices_min"):
        return f"{len(source)} slice{'s' * (len(source) > 1)}: no volume"
    if len(first.orientation) == 6:  # without one, the geometry says it by name
        row, column = first.orientation[:3], first.orientation[3:]
        normal_z = row[0] * column[1] - row[1] * column[0]
        if abs(normal_z) < 0.7:  # coronal, sagittal; smaller angles are measured
            return "not axial"
    return ""


def _best(fitting: Mapping[str, Sequence[SliceHeader]]) -> str:
    ranks = {uid: _rank(group) for uid, group in fitting.items()}
    order = sorted(ranks, key=lambda uid: ranks[uid])
    if len(order) > 1 and ranks[order[0]] == ranks[order[1]]:
        names = " and ".join(_name(uid, fitting[uid]) for uid in order[:2])
        raise ContractError(
            "CT series",
            f"two fit equally: {names}",
            "name one with --series, or give a folder with one",
        )
    return order[0]


def _rank(group: Sequence[SliceHeader]) -> tuple[float, int]:
    first = group[0]
    kind = ct_measurements().kernel_kind(first.kernel)
    thickness = first.thickness_mm if first.thickness_mm else limit("spacing_max")
    return thickness, ("smooth", "unknown", "sharp").index(kind)


def _check_one_patient(slices: Sequence[SliceHeader]) -> None:
    first = slices[0]
    who = (first.identity.identifiers, first.identity.birth_date and first.identity.birth_date.at)
    for one in slices[1:]:
        other = (one.identity.identifiers, one.identity.birth_date and one.identity.birth_date.at)
        if other != who:
            raise IdentityConflictError(
                one.file,
                f"names another patient than {first.file}",
                "give the slices of one patient",
                files=(first.file, one.file),
            )


def _name(uid: str, group: Sequence[SliceHeader]) -> str:
    description = group[0].description
    return f"series {uid or _NO_UID}" + (f" ({description})" if description else "")


def _known(groups: Mapping[str, Sequence[SliceHeader]]) -> str:
    return "it has " + ", ".join(uid or _NO_UID for uid in sorted(groups))
