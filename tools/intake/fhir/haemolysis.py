"""Whether a source says that a specimen is haemolysed, in words or by a code."""

import re
from collections.abc import Iterable

from tools.intake.fhir.resources import CodeableConcept, ObservationResource, SpecimenState
from tools.intake.fhir.source import Source, validated

FLAG = "haemolysed"
_CONDITION = "HEM"
"""HL7 v2 table 0493, specimen condition: haemolysed."""

_WORD = r"ha?emoly[sz](?:ed|is)\b(?!\s+ind)"
_STATED = re.compile(rf"\b{_WORD}", re.IGNORECASE)
_NEGATION = (
    r"\b(?:no|not|non|nor|without|nil|if|negative for|free of|free from|absence of)[\s-]+"
    r"(?:(?:obviously|visibly|significantly|grossly|significant|visible|gross|"
    r"evidence of|signs? of|found to be|be|been)\s+)*"
)
_COMMA, _OR = r"\s*,\s*", r"(?:\s*/\s*|\s*,?\s+n?or\s+)"
_DENIED_BEFORE = re.compile(rf"{_NEGATION}(?:(?:\w+(?:{_COMMA}|{_OR}))*\w+{_OR})?$", re.IGNORECASE)
_DENIED_LIST = re.compile(rf"{_NEGATION}(?:\w+(?:{_COMMA}|{_OR}))+$", re.IGNORECASE)
_LIST_GOES_ON = re.compile(_OR, re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"\s*(?:[:=]\s*|\((?=\s*-)|\b(?:was|is)\s+)?"
    r"(?:(?:none|nil|negative|absent|no|0)\b|not\s+(?:seen|detected|present|observed|evident)\b|"
    r"-\s*\))",
    re.IGNORECASE,
)


def says_haemolysed(text: str | None) -> bool:
    """Return whether words say that a specimen is haemolysed; a negated word does not.

    Examples:
        >>> [says_haemolysed(t) for t in ("HEMOLYZED", "not haemolysed", "Haemolysis: nil")]
        [True, False, False]
    """
    stated = text or ""
    return any(not _denied(stated, found) for found in _STATED.finditer(stated))


def concept_says_haemolysed(stated: CodeableConcept) -> bool:
    """Return whether a text, a display or a code of a concept says it."""
    return any(
        says_haemolysed(words)
        for words in (stated.text, *(w for c in stated.coding for w in (c.display, c.code)))
    )


def haemolysed(source: Source, observation: ObservationResource) -> bool:
    """Return whether the notes of a result, or its specimen, say that it is haemolysed.

    A specimen is read where it is in the case, contained or referred to.
    """
    if observation.note and _any_note(note.text for note in observation.note):
        return True
    entry = source.lookup.find(observation.specimen, source.entry)
    if entry is None or entry.type != "Specimen":
        return False
    state = validated(entry, SpecimenState, source.problems)
    if state is None:
        return False
    return _any_note(note.text for note in state.note) or any(
        concept_says_haemolysed(stated) or any(c.code == _CONDITION for c in stated.coding)
        for stated in state.condition
    )


def _any_note(texts: Iterable[str | None]) -> bool:
    return any(says_haemolysed(text) for text in texts)


def _denied(text: str, found: re.Match[str]) -> bool:
    """Return whether the word is negated: before it, after it, or as one of a negated list."""
    before = text[: found.start()]
    if _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(text, found.end()):
        return True
    goes_on = _LIST_GOES_ON.match(text, found.end())
    return goes_on is not None and _DENIED_LIST.search(before) is not None
