"""From a sign-off to the state of a report."""

from collections.abc import Iterable

from serving.cases.model import Case, StoredAssessment
from serving.fhir_out.state import PRELIMINARY, Decided, ReportState
from serving.fhir_out.state import Decision as DecisionWord
from serving.services import Services
from serving.signing.model import Decision, Flag, SignedStatement, SignOff
from serving.signing.store import SignOffStore


def report_state(
    stored: StoredAssessment, sign_off: SignOff | None, flags: Iterable[Flag] = ()
) -> ReportState:
    """Return the state of the report of one version.

    Only the very version that was signed is signed: every other one is a draft, and says so.

    Args:
        stored: The version.
        sign_off: The signed report that counts in its case.
        flags: What a later version does not bear out.
    """
    if sign_off is None:
        return PRELIMINARY
    if sign_off.assessment != stored.id or sign_off.assessment_sha256 != stored.sha256:
        return ReportState(flag=f"Version {sign_off.version} of this case was signed.")
    return ReportState(
        status=sign_off.status,
        signed_by=sign_off.signer.name,
        signer=sign_off.signer.subject,
        signed_at=sign_off.signed_at,
        decided=tuple(_decided(one) for one in sign_off.statements),
        flag=_flagged(flag for flag in flags if flag.sign_off == sign_off.id),
    )


def chosen(
    services: Services, case: Case, version: int | None
) -> tuple[StoredAssessment | None, ReportState]:
    """Return the version to report, and its state.

    Args:
        services: Of the application.
        case: The case.
        version: As asked for; None for the signed one, else the newest.
    """
    store = SignOffStore(services.database, services.clock)
    sign_off = store.newest(case.id)
    wanted = sign_off.version if version is None and sign_off is not None else version
    stored = services.cases.assessment(case.id, wanted)
    if stored is None:
        return None, PRELIMINARY
    return stored, report_state(stored, sign_off, store.flags(case.id))


_WORDS: dict[Decision, DecisionWord] = {
    Decision.ACCEPT: "accepted",
    Decision.EDIT: "edited",
    Decision.REJECT: "rejected",
}


def _decided(one: SignedStatement) -> Decided:
    changed = one.decision is not Decision.ACCEPT
    return Decided(
        statement=one.statement.text,
        decision=_WORDS[one.decision],
        edited=(one.text or "") if one.decision is Decision.EDIT else "",
        reason=one.reason if changed else "",
        kind=one.statement.kind,
        unverified=one.unverified,
        beside=one.beside,
    )


def _flagged(flags: Iterable[Flag]) -> str:
    """Return what has changed since it was signed and is not settled."""
    unsettled = sorted((f for f in flags if f.resolved_at is None), key=lambda f: f.version)
    if not unsettled:
        return ""
    labels = ", ".join(dict.fromkeys(c.label for f in unsettled for c in f.changes))
    return f"CHANGED SINCE IT WAS SIGNED, see version {unsettled[-1].version}: {labels}."
