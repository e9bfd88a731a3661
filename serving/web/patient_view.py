"""Who the patient is, on every page of a case: as the record says it, or why it is not shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.cases.model import Case
from serving.cases.patient import PatientLine
from serving.services import Services
from serving.web.words import Say


@dataclass(frozen=True, kw_only=True)
class PatientShown:
    """One line.

    Args:
        name: As written, or that it is not given; empty where nothing of it is shown.
        rest: Number, birth date and sex.
        why: Why nothing is shown, in words; empty where it is.
    """

    name: str = ""
    rest: tuple[str, ...] = ()
    why: str = ""


def patients_shown(
    services: Services, cases: Sequence[str], say: Say
) -> Mapping[str, PatientShown]:
    """Return the line of each of these cases, by its id.

    Where `Settings.show_identity` is off nothing is read, and the line says so.
    """
    if not services.settings.show_identity:
        hidden = PatientShown(why=say("identity is not shown on this installation's screens"))
        return dict.fromkeys(cases, hidden)
    kept = services.cases.patients(cases)
    return {case: _shown(kept.get(case), say) for case in cases}


def patient_shown(services: Services, case: Case, say: Say) -> PatientShown:
    """Return the line of one case."""
    return patients_shown(services, [case.id], say)[case.id]


def _shown(line: PatientLine | None, say: Say) -> PatientShown:
    if line is None:
        return PatientShown(why=say("it is not established whose record this is"))
    if line.is_empty:
        return PatientShown(why=say("the record does not say who the patient is"))
    name, number, *rest = line.parts(say)
    if number == name:  # an anonymised file may state one code as both
        return PatientShown(name=name, rest=tuple(rest))
    return PatientShown(name=name, rest=(number, *rest))
