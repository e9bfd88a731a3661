"""Under what a case's answers and conversations are kept: its id, and whose it is.

A case id is chosen by people (``bed-7``) and used again; so what is kept carries marks of the
patient's identity, hashed, and is used only for a patient who shares one of them.
"""

import hashlib
import re
from collections.abc import Iterable

from agent.given import AnswerStore
from knowledge.errors import InvalidValueError
from knowledge.patient import Identity
from tools.intake.given import GivenAnswer
from tools.intake.result import CaseFiles

_DERIVED = re.compile(r"case-[0-9a-f]{12}")
_MARK = 16
_BETWEEN = "|"


def case_key(case: CaseFiles) -> str:
    """Return the key of a case.

    Raises:
        InvalidValueError: The case states no id: one that is derived from its files would change
            with the next file, and what was kept would be lost without a word.
    """
    if _DERIVED.fullmatch(case.case):
        raise InvalidValueError(
            "case", "states no id to keep answers under", "write `case: ...` in its case.yaml"
        )
    return f"{case.case}{_BETWEEN}{','.join(sorted(identity_marks(case)))}"


def answers_of(store: AnswerStore, case: CaseFiles) -> tuple[tuple[GivenAnswer, ...], str]:
    """Return the answers that belong to a case and its patient, and a word on those that do not.

    Args:
        store: All answers.
        case: What was read.

    Returns:
        The newest answer to each input, and what a reader must know about answers not used.

    Raises:
        UnavailableError: The store cannot be read.
    """
    marks = identity_marks(case)
    newest: dict[str, GivenAnswer] = {}
    foreign = 0
    for key in store.cases():
        name, _, kept = key.rpartition(_BETWEEN)
        if name != case.case:
            continue
        given = store.as_facts(key)
        if marks & set(kept.split(",")) if kept else not marks:
            for one in given:
                before = newest.get(one.input)
                if before is None or before.entered_at <= one.entered_at:
                    newest[one.input] = one
        else:
            foreign += len(given)
    notice = ""
    if foreign:
        notice = (
            f"{foreign} stored answers under the id {case.case} are not used: "
            "they are of another patient, or it cannot be told"
        )
    return tuple(newest.values()), notice


def identity_marks(case: CaseFiles) -> frozenset[str]:
    """Return the hashed marks of a case's patient; empty where its files identify nobody.

    Two cases are of one patient where they share a mark.
    """
    return frozenset(_hashed(case.timeline.patient.identities))


def _hashed(identities: Iterable[Identity]) -> Iterable[str]:
    for identity in identities:
        for assigner, value in identity.identifiers:
            yield _mark("identifier", assigner, value)
        if identity.birth_date is not None and identity.family:
            names = (identity.family, *identity.given)
            yield _mark("person", str(identity.birth_date), *(n.casefold() for n in names))


def _mark(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_MARK]
