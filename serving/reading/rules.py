"""Who may do what with a round of reading, and what is refused."""

from collections.abc import Sequence

from knowledge.errors import ContractError, InvalidValueError
from knowledge.plain_text import visible
from serving.access.errors import ConflictError, ForbiddenError
from serving.access.principal import Permission, Principal
from serving.reading.content import reopened
from serving.reading.model import BUSY, Difference, Person, Settled
from serving.reading.protocol import Decision
from serving.reading.store import Step
from serving.signing.service import PEOPLE, signer_of
from tools.readings.check import faults
from tools.readings.model import Reading, Said, Stated
from tools.readings.versions import edited, signed

_FAULTS_TOLD = 5


def person(principal: Principal) -> Person:
    """Return who acts.

    Raises:
        ForbiddenError: It is no person known by name.
    """
    if principal.via not in PEOPLE:
        raise ForbiddenError(f"{Permission.SIGN.value} as {principal.via}: a person reads")
    who = signer_of(principal)
    return Person(subject=who.subject, name=who.name)


def require_held(step: Step) -> None:
    """Require that whoever acts holds the round.

    Raises:
        ConflictError: Nobody reads it, or somebody else does.
    """
    if step.row.state not in BUSY:
        raise ConflictError("reading", f"is {step.row.state}: nobody reads it", "start it first")
    if step.row.locked_by != step.by.subject:
        raise ConflictError(
            "reading", f"is being read by {step.row.locked_name}", "wait until it is given back"
        )


def require_releasable(step: Step, me: Person) -> None:
    """Require that a round is signed and may be released by this person.

    Raises:
        ConflictError: It is not, with the reason.
    """
    row = step.row
    if row.state == "released":
        raise ConflictError("reading", "is released: that is never changed", "ask for a correction")
    if row.state != "to release":
        raise ConflictError(
            "reading", f"is {row.state}: not signed by its readers", "sign it first"
        )
    if row.kind == "opinion" and row.first_by != me.subject:
        raise ConflictError("opinion", f"is that of {row.first_name}", "let its reader release it")
    if row.kind != "opinion" and row.first_by == me.subject:
        raise ConflictError(
            "reading", "was first read by you: its reviewer or a third person releases it"
        )


def settled(
    kind: str, found: Sequence[Difference], decisions: Sequence[Decision]
) -> tuple[Settled, ...]:
    """Return every difference with what was decided; of an opinion both words stand.

    Raises:
        InvalidValueError: A decision is on what is no difference.
        ConflictError: A difference is undecided, or without a reason.
    """
    known = {one.path: one for one in found}
    decided = {one.path: one for one in decisions}
    strange = sorted(set(decided) - set(known))
    if strange:
        raise InvalidValueError("decision", f"is on no difference: {', '.join(strange)[:200]}")
    if kind == "opinion":
        return tuple(Settled(**dict(one), choice=None) for one in found)
    missing = [path for path in known if path not in decided or not decided[path].reason.strip()]
    if missing:
        raise ConflictError(
            "reading",
            f"its readers differ, undecided or without a reason: {', '.join(missing)[:300]}",
            "decide each with a reason",
        )
    return tuple(
        Settled(**dict(one), choice=decided[path].choice, reason=visible(decided[path].reason))
        for path, one in known.items()
    )


def merged(second: Reading, decided: Sequence[Settled], *, by: Said) -> Reading:
    """Return what goes out: the second reader's, with the first's word where that was chosen."""
    taken = {one.path: one.first for one in decided if one.choice == "first"}
    if not taken:
        return second
    final = signed(edited(reopened(second), taken, by=by), by=by)
    require_fitting(final)
    return final


def stated_by(stated: Stated, by: Said) -> Stated:
    """Return what is stated as this reader's word, its entries as well."""
    entries = tuple(
        entry.model_copy(
            update={"items": {key: stated_by(one, by) for key, one in entry.items.items()}}
        )
        for entry in stated.entries
    )
    said = None if stated.nobody_looked else by
    return Stated.model_validate(
        stated.model_copy(update={"said": said, "entries": entries}).model_dump()
    )


def require_fitting(reading: Reading) -> None:
    """Require that a reading fits its form.

    Raises:
        ContractError: It does not; names the first faults.
    """
    found = [str(fault) for fault, _ in zip(faults(reading), range(_FAULTS_TOLD), strict=False)]
    if found:
        raise ContractError("reading", "; ".join(found)[:600], "correct what is named")
