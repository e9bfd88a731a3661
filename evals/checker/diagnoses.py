"""What a sentence says of a diagnosis: for, against or open, as the differential has it."""

import re
from collections.abc import Iterator

from evals.checker.events import asserted
from evals.checker.marks import Mark
from evals.checker.place import Place
from evals.checker.truth import Truth
from evals.checker.vocabulary import OPEN, OPPOSES, SUPPORTS, TROPONIN_RULES

_CONDITION = re.compile(
    r"(?:\b(?:where|if|when|whether|unless)\b|如果|若|是否)[^,;.。]*$", re.IGNORECASE
)
_TO_DO = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:is|are|should|must|needs?|has|have)\s+(?:first\s+)?(?:to )?be\b",
    re.IGNORECASE,
)


def wrong_verdict(mark: Mark, here: Place, truth: Truth) -> Iterator[str]:
    """Yield what is wrong with what a sentence says of a diagnosis."""
    said = mark.parts["text"]
    if quoted(here, truth) or _in_a_name(here) or _said_by_a_rule(mark, here, truth):
        return
    if _CONDITION.search(here.text[: mark.start]):
        return
    verdict = truth.verdicts.get(mark.key)
    stance = _stance(here)
    if mark.key == "infarction" and stance == "open" and _undecided(truth):
        return
    if verdict is None:
        yield f"{said}: nothing in the record speaks of it"
        return
    fits = {"supported": "for", "argued against": "against", "not assessed": "open"}[verdict]
    if stance != fits:
        yield f"{said}: {stance}, is {verdict}"


def quoted(here: Place, truth: Truth) -> bool:
    """Return whether the sentence gives the reason why a rule was not applied, in its own words."""
    for text in truth.texts.values():
        for piece in re.split(r": |\.|\(|\)|;", text):
            if len(piece) > 30 and piece in here.text:
                start = here.text.index(piece)
                if start <= here.mark.start < start + len(piece):
                    return True
    return False


def _undecided(truth: Truth) -> bool:
    """Return whether no troponin rule has decided on infarction."""
    told = {truth.risks[name]["category"] for name in TROPONIN_RULES if name in truth.risks}
    return not told & {"rule-in", "rule-out"}


def _in_a_name(here: Place) -> bool:
    """Return whether the mark is part of the name of an ECG criterion."""
    around = here.text[max(0, here.mark.start - 40) : here.mark.end]
    return re.search(r"criteria of (?:\w+ )?infarction$|符合心肌梗死$", around) is not None


def _said_by_a_rule(mark: Mark, here: Place, truth: Truth) -> bool:
    """Return whether the rule that is spoken of says these very words, or their Chinese."""
    subject = here.subject
    if subject is None:
        return False
    names = [subject.key] if subject.kind == "score" else list(TROPONIN_RULES)
    text = " ".join(truth.texts.get(name, "") for name in names)
    english = {"infarction": r"\bMI\b|infarct", "pulmonary_embolism": "pulmonary embolism"}
    if asserted(here.text, mark.start):
        return False
    pattern = english.get(mark.key, re.escape(mark.parts["text"]))
    return (
        subject.kind == "score" or subject.key == "troponin" if re.search(pattern, text) else False
    )


def _stance(here: Place) -> str:
    """Return for, against or open: the last cue before the diagnosis, else the first after it."""
    start = max([0] + [m.end() for m in re.finditer(r"[;。]|\.\s", here.text[: here.mark.start])])
    before = here.text[start : here.mark.start]
    here_after = here.text[here.mark.end :]
    if _TO_DO.match(here_after) or re.search(r"\bexclude (?:an? |the )?$", before):
        return "open"
    after = re.split(r"[;。]|\.\s", here.text[here.mark.end :])[0]
    cues = (("open", OPEN), ("against", OPPOSES), ("for", SUPPORTS))
    last = [(m.end(), -i, name) for i, (name, p) in enumerate(cues) for m in p.finditer(before)]
    told_after = re.match(r"\s*(?:\([^)]*\)\s*)?(?:is|was|are|were)\b", here_after) is not None
    if last and not told_after:
        return max(last)[2]
    first = [(m.start(), i, name) for i, (name, p) in enumerate(cues) for m in p.finditer(after)]
    if first:
        return min(first)[2]
    return max(last)[2] if last else "for"
