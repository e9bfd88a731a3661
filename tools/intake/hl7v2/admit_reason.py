"""The admit reason of a visit (PV2-3), where it states chest pain; other reasons are not read.

Words are taken from the table of notes (``note_terms.yaml``). A denial holds for what follows it up
to a full stop or semicolon, and wording that is not clear states nothing: the complaint is then not
stated, never absent. What is only suspected behind the pain takes nothing from it.

Of several admit reasons of one visit the newest counts, and a cancelled admission has none: what
states chest pain no more is a version that takes the earlier one back (`link` leaves it out where
there is nothing to take back).
"""

import re
from typing import Any

from knowledge.clinical_inputs import catalogue
from knowledge.codes import ICD10, ICD10CM
from knowledge.note_terms import note_terms, pattern, spans
from tools.intake.hl7v2.coded import concept
from tools.intake.hl7v2.item import Context, Item, Key
from tools.intake.hl7v2.message import Segment

ADMIT_REASON = "admit reason"
"""Code of the key of what an admit reason states; its number is that of the visit."""

_INPUT = "chest_pain"
_LABEL = "Chest pain"
"""One of the names by which the table of clinical inputs knows it on a problem list."""

_ENDS_NOTHING_NEW = frozenset({"A03", "A23", "A29"})
"""Trigger events that end a visit or delete a record: they give no reason to come."""

_SENTENCE_END = re.compile(r"[;!\n\u3002\uff01\uff1b]|\.(?!\d)")
_CLAUSE_END = re.compile(r"[,\uff0c]")
_JOINED = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")
_MARKS = " \t.,:()-\uff0c\uff1a"


def complaint_of(pid: Segment | None, pv2: Segment, visit: str, context: Context) -> list[Item]:
    """Return what an admit reason says of the complaint, as a Condition; nothing without one.

    A null (two quotation marks) deletes the one before it.

    Args:
        pid: Of the patient.
        pv2: The segment.
        visit: Number of the visit with who gave it; empty where there is none.
        context: Of its message.
    """
    if context.message.code == "ADT" and context.message.trigger in _ENDS_NOTHING_NEW:
        return []
    reason = concept(pv2, 3, context.message)
    if not reason and not pv2.is_null(3):
        return []
    sure = "confirmed" if states_chest_pain(reason) else "entered-in-error"
    said = f"Admit reason (PV2-3): {reason.get('text', '')}"
    return [_version(pid, pv2, visit, context, sure=sure, code=reason, said=said)]


def complaint_taken_back(
    pid: Segment | None, pv1: Segment, visit: str, context: Context
) -> list[Item]:
    """Return that a cancelled admission has no complaint any more.

    Args:
        pid: Of the patient.
        pv1: The segment of the visit.
        visit: Number of the visit with who gave it; empty where there is none.
        context: Of its message, whose event cancels an admission.
    """
    said = f"The admission was cancelled ({context.message.trigger})"
    return [_version(pid, pv1, visit, context, sure="entered-in-error", code={}, said=said)]


def _version(
    pid: Segment | None,
    segment: Segment,
    visit: str,
    context: Context,
    *,
    sure: str,
    code: dict[str, Any],
    said: str,
) -> Item:
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "verificationStatus": {"coding": [{"code": sure}]},
        "code": code | {"text": _LABEL},
        "note": [{"text": said}],
    }
    if context.stamp is not None:
        resource["recordedDate"] = context.stamp
    item = context.item(resource, segment.name, segment, pid=pid)
    item.key = Key("Condition", visit, code=ADMIT_REASON, words="PV2 admit reason")
    return item


def states_chest_pain(reason: dict[str, Any]) -> bool:
    """Return whether a coded reason is chest pain, by its code or in its words.

    Args:
        reason: A FHIR CodeableConcept.

    Examples:
        >>> [states_chest_pain({"text": t}) for t in ("CHEST PAIN, sweating", "no chest pain")]
        [True, False]
        >>> states_chest_pain({"text": "NO FEVER, CHEST PAIN, OR SOB"})
        False
        >>> states_chest_pain({"coding": [{"system": ICD10, "code": "R07.4"}]})
        True
    """
    rule = catalogue().inputs[_INPUT].condition
    codings = reason.get("coding", ())
    if rule is not None and any(
        c["system"] in (ICD10, ICD10CM) and c["code"].startswith(rule.icd10) for c in codings
    ):
        return True
    words = [str(reason.get("text", "")), *(str(c.get("display", "")) for c in codings)]
    return any(_says(text) for text in words)


def _says(text: str) -> bool:
    plain = text.replace("_", " ")
    if plain.strip(_MARKS).upper() in note_terms().inputs[_INPUT].whole_terms:
        return True
    return any(_said_in(sentence) for sentence in _SENTENCE_END.split(plain))


def _said_in(sentence: str) -> bool:
    """Return whether one of the terms stands in a sentence and nothing makes it unclear."""
    terms = note_terms().inputs[_INPUT].terms
    # of the same length, so that a place in it is one in the sentence
    spaced = _JOINED.sub(" ", sentence)
    return any(
        not (
            _is_something_else(spaced, start, end)
            or _is_denied_before(sentence[:start], sentence[end:])
            or _is_unclear_after(sentence[end:])
            or _is_suspected(_own(sentence, start, end)[0])
        )
        for start, end in spans(terms, spaced)
    )


def _own(sentence: str, start: int, end: int) -> tuple[str, str]:
    """Return what stands before and behind a term in its own clause."""
    return _CLAUSE_END.split(sentence[:start])[-1], _CLAUSE_END.split(sentence[end:])[0]


def _is_something_else(sentence: str, start: int, end: int) -> bool:
    """Return whether its clause says it of another person, another time, or of something else."""
    row, cues = note_terms().inputs[_INPUT], note_terms().cues
    before, after = _own(sentence, start, end)
    clause = f"{before}{sentence[start:end]}{after}"
    words = (*row.not_this, *cues.family, *cues.other_person, *cues.past, *cues.hypothetical)
    return bool(spans(words, clause))


def _is_denied_before(before: str, after: str) -> bool:
    """Return whether a denial in front of a term reaches it.

    A denial that is not understood reaches its own clause, and a list that names itself as one.
    """
    cues = note_terms().cues
    clause = _CLAUSE_END.split(before)[-1]
    listed = spans(cues.list, f"{before} | {after}".replace("/", " "))
    reached = [(before, (*cues.denies, *cues.no)), (clause, cues.pseudo)]
    reached.append((before if listed else clause, cues.other_denial))
    return any(
        not _has_ended(text[end:]) for text, words in reached for _, end in spans(words, text)
    )


def _has_ended(gap: str) -> bool:
    """Return whether a denial ends between it and a term: ``no fever, but ...``."""
    cues = note_terms().cues
    for start, _ in spans(cues.ended, gap):
        denied = gap[:start].rstrip()
        in_list = any(end == len(denied) for _, end in spans(cues.list, denied))
        if pattern(cues.between).sub("", denied).strip(_MARKS) and not in_list:
            return True
    return False


def _is_unclear_after(after: str) -> bool:
    """Return whether the words behind a term deny it or leave it open."""
    cues = note_terms().cues
    clauses = [part for part in _CLAUSE_END.split(after) if part.strip(_MARKS)]
    own = _CLAUSE_END.split(after)[0]
    if spans((*cues.denied_after, *cues.no, *cues.other_denial, *cues.pseudo), own):
        return True
    if any(not own[end:].strip(_MARKS) for _, end in spans(cues.denies, own)):
        return True
    # "chest pain, syncope denied": of the last one, or of all
    both = tuple(word for word in cues.denies if word in cues.denied_after)
    if any(not after[end:].strip(_MARKS) for _, end in spans(both, after)):
        return True
    alone = pattern(cues.broken).sub(" ", clauses[0]).strip(_MARKS) if clauses else ""
    answers = (*cues.denied_after, *cues.no, *cues.uncertain)
    return pattern(answers).fullmatch(alone) is not None


def _is_suspected(before: str) -> bool:
    """Return whether the term itself is in question, by the words before it in its clause."""
    cues = note_terms().cues
    return any(
        not pattern(cues.between).sub("", before[end:]).strip(_MARKS)
        or spans(cues.list, before[end:])
        for _, end in spans(cues.uncertain, before)
    )
