"""The admit reason of a visit (PV2-3), where it states chest pain; other reasons are not read.

Words are taken from the table of notes (``note_terms.yaml``): one of chest pain must stand there,
and in its clause nothing that denies it or says it of another person or another time. What is only
suspected behind the pain takes nothing from it.
"""

import re
from typing import Any

from knowledge.clinical_inputs import catalogue
from knowledge.codes import ICD10, ICD10CM
from knowledge.note_terms import note_terms, spans
from tools.intake.hl7v2.coded import concept
from tools.intake.hl7v2.item import Context, Item
from tools.intake.hl7v2.message import Segment

_INPUT = "chest_pain"
_CLAUSE_END = re.compile(r"[.,;\n\u3002\uff0c\uff1b]")
_LABEL = "Chest pain"
"""One of the names by which the table of clinical inputs knows it on a problem list."""


def complaint_of(pid: Segment | None, pv2: Segment, context: Context) -> list[Item]:
    """Return the complaint that an admit reason states as a Condition; nothing for another reason.

    Args:
        pid: Of the patient.
        pv2: The segment.
        context: Of its message.
    """
    reason = concept(pv2, 3, context.message)
    if not states_chest_pain(reason):
        return []
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": reason | {"text": _LABEL},
        "note": [{"text": f"Admit reason (PV2-3): {reason.get('text', '')}"}],
    }
    if context.stamp is not None:
        resource["recordedDate"] = context.stamp
    return [context.item(resource, "PV2", pv2, pid=pid)]


def states_chest_pain(reason: dict[str, Any]) -> bool:
    """Return whether a coded reason is chest pain, by its code or in its words.

    Args:
        reason: A FHIR CodeableConcept.

    Examples:
        >>> [states_chest_pain({"text": t}) for t in ("CHEST PAIN, sweating", "no chest pain")]
        [True, False]
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
    terms, cues = note_terms().inputs[_INPUT], note_terms().cues
    unclear = (
        *(*cues.denies, *cues.no, *cues.denied_after, *cues.other_denial, *terms.not_this),
        *(*cues.family, *cues.other_person, *cues.past, *cues.hypothetical),
    )
    clauses = _CLAUSE_END.split(text)
    return any(spans(terms.terms, one) and not spans(unclear, one) for one in clauses)
