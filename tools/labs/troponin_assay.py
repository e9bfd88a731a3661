"""Which assay measured the samples: named by the laboratory or a person, never guessed."""

from collections.abc import Iterable

from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.troponin import assays


def which_assay(assay: Finding, samples: Iterable[Finding]) -> str | NotAssessed:
    """Return the key of the assay table, or why the assay is not known or not taken.

    Args:
        assay: The answer of a person or the site: a choice.
        samples: Used where nobody answered: the assay is then known only if the laboratory names
            the same one on every sample.
    """
    key = assay.choice or _named_on_all(samples)
    if key is None:
        detail = "no assay named: asked for, not guessed"
        if assay.state is State.NOT_ASSESSED and assay.not_assessed is not None:
            why = assay.not_assessed.why
            if why is not Why.MISSING:
                return NotAssessed(why=why, detail=f"{detail} ({assay.not_assessed.detail})")
        return NotAssessed(why=Why.ASSAY_NOT_NAMED, detail=detail)
    row = assays().assays.get(key)
    if row is None:
        return NotAssessed(
            why=Why.NOT_AVAILABLE_FOR_ASSAY, detail="this assay is not in the assay table"
        )
    if not row.high_sensitivity:
        return NotAssessed(
            why=Why.OUTSIDE_CONTRACT,
            detail=f"{row.label}: the rules are for high-sensitivity assays only",
        )
    return key


def _named_on_all(samples: Iterable[Finding]) -> str | None:
    measured = [f for f in samples if f.state is State.PRESENT]
    named = {assays().named(f.method) for f in measured}
    return named.pop() if len(named) == 1 else None
