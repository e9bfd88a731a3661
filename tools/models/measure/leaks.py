"""One patient or one picture as several, which would make figures look surer than they are.

The column ``patient`` is compared with what the files themselves say, and contents with each other.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from knowledge.errors import ContractError
from knowledge.patient import Identity
from knowledge.plain_text import how_many
from tools.models.result import ModelResult

if TYPE_CHECKING:
    from tools.models.measure.labelled import Case

_COLUMN = "labels.csv"


def content_of(result: ModelResult) -> str:
    """Return the SHA-256 of everything a case was read from, whatever its files are called."""
    parts = sorted(ref.sha256 for ref in result.inputs)
    if len(parts) == 1:
        return parts[0]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def patient_key(patient: str, onnx_sha256: str) -> str:
    """Return what stands for a patient of the column beside a model: no name, no number."""
    return hashlib.sha256(f"{onnx_sha256}:{patient}".encode()).hexdigest()


def check_contents(cases: Sequence["Case"], contents: Sequence[str]) -> None:
    """Refuse one content under two patients.

    Raises:
        ContractError: Two files are the same; names them.
    """
    first: dict[str, Case] = {}
    for case, content in zip(cases, contents, strict=True):
        other = first.setdefault(content, case)
        if other.patient != case.patient:
            raise ContractError(
                _COLUMN,
                f"{other.file[:80]} and {case.file[:80]} hold the same and count as two patients",
                "keep one of them, or give both one patient",
            )


def check_identities(cases: Sequence["Case"], identities: Sequence[Identity | None]) -> list[str]:
    """Refuse a column ``patient`` that the headers of the files contradict.

    Args:
        cases: In the order of `identities`.
        identities: Who each file says its patient is; None for files that say nothing.

    Returns:
        What is doubtful without being a contradiction.

    Raises:
        ContractError: One patient of the column is two by the headers, or two are one.
    """
    from tools.intake.identity import compare

    known = [(c, i) for c, i in zip(cases, identities, strict=True) if i is not None]
    by_patient: dict[str, list[tuple[Case, Identity]]] = defaultdict(list)
    for case, identity in known:
        by_patient[case.patient].append((case, identity))
    for own in by_patient.values():
        for (one, a), (other, b) in pairwise(own):
            if compare(a, b).result == "mismatch":
                raise _contradicted(one, other, "are of two patients by their headers and of one")
    shared: set[str] = set()
    for (one, a), (other, b) in _candidates(known):
        if compare(a, b).result == "match":
            raise _contradicted(one, other, "are of one patient by their headers and of two")
        if _values(a) & _values(b):
            shared |= {one.patient, other.patient}
    if not shared:
        return []
    said = how_many(len(shared), "patient")
    return [f"files of {said} of the column carry a patient number that another one has too"]


def _contradicted(one: "Case", other: "Case", how: str) -> ContractError:
    return ContractError(
        _COLUMN,
        f"{one.file[:80]} and {other.file[:80]} {how} by the column patient",
        "correct the column",
    )


def _candidates(
    known: Sequence[tuple["Case", Identity]],
) -> Iterator[tuple[tuple["Case", Identity], tuple["Case", Identity]]]:
    """Yield pairs of two patients of the column that share a number or a date of birth."""
    first: dict[tuple[str, str], dict[str, tuple[Case, Identity]]] = defaultdict(dict)
    for case, identity in known:
        keys = [("number", value) for value in _values(identity)]
        if identity.birth_date is not None:
            keys.append(("born", identity.birth_date.at.date().isoformat()))
        for key in keys:
            others = first[key]
            if case.patient not in others:
                yield from ((other, (case, identity)) for other in list(others.values()))
                others[case.patient] = (case, identity)


def _values(identity: Identity) -> set[str]:
    return {value.strip().casefold() for _, value in identity.identifiers if value.strip()}
