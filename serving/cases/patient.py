"""Who the patient of a case is, as its record says: a line for pages and reports, nothing else.

It is kept apart from the assessment, which goes to language models, logs of runs and other systems.
"""

from collections.abc import Callable

from knowledge.model import Frozen
from knowledge.patient import Identity, Patient, Sex
from knowledge.plain_text import visible
from tools.intake.identity import names_nobody

_NAME = 120
_IDENTIFIER = 64
_MOST = 3
"""Numbers of different assigners that are shown."""


class PatientLine(Frozen):
    """What the record states of the patient's identity; what it does not state is empty.

    Args:
        name: ``Family, Given``, as written.
        identifiers: Numbers as written, those of the most trusted source first.
        birth_date: At the precision stated.
        sex: None where it is not stated, or neither female nor male.
    """

    name: str = ""
    identifiers: tuple[str, ...] = ()
    birth_date: str = ""
    sex: Sex | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the record says nothing that could identify a patient."""
        return not (self.name or self.identifiers or self.birth_date)

    def parts(self, say: Callable[[str], str] = str) -> tuple[str, ...]:
        """Return name, number, birth date and sex in words; what is not stated is said to be so.

        Args:
            say: From English to the language of a page or report.

        Examples:
            >>> PatientLine(name="Frei, Hans", identifiers=("MY-1",), sex="male").parts()
            ('Frei, Hans', 'MY-1', 'birth date not given', 'male')
        """
        words = {"female": say("female"), "male": say("male")}
        born = say("born %(date)s") % {"date": self.birth_date} if self.birth_date else ""
        return (
            self.name or say("name not given"),
            ", ".join(self.identifiers) or say("no identifier"),
            born or say("birth date not given"),
            words.get(self.sex or "", say("sex not given")),
        )


def patient_line(patient: Patient) -> PatientLine:
    """Return the line of a patient whose sources were compared and agree.

    Args:
        patient: As intake put it together, the most trusted source first.
    """
    named = named_as(patient)
    name = "" if named is None else ", ".join(filter(None, (named.family, " ".join(named.given))))
    numbers = (value for one in patient.identities for _, value in one.identifiers)
    shown = dict.fromkeys(_cut(number, _IDENTIFIER) for number in numbers)
    return PatientLine(
        name=_cut(name, _NAME),
        identifiers=tuple(filter(None, shown))[:_MOST],
        birth_date="" if patient.birth_date is None else patient.birth_date.show(None),
        sex=patient.sex,
    )


def named_as(patient: Patient) -> Identity | None:
    """Return the first identity with a name, a placeholder only where none says another."""
    named = [one for one in patient.identities if one.family or one.given]
    return next((one for one in named if not names_nobody(one)), next(iter(named), None))


def report_words(line: PatientLine | None, say: Callable[[str], str] = str) -> str:
    """Return who the patient is as a report says it, also where that is not known.

    Args:
        line: As kept; None where the sources were not shown to be of one patient.
        say: From English to the language of the report.

    Examples:
        >>> report_words(PatientLine(name="Frei, Hans", birth_date="1980-03-01"))
        'Patient: Frei, Hans; no identifier; born 1980-03-01; sex not given'
        >>> report_words(None)
        'Patient: it is not established whose record this is'
    """
    if line is None:
        known = say("it is not established whose record this is")
    elif line.is_empty:
        known = say("the record does not say who the patient is")
    else:
        known = "; ".join(line.parts(say))
    return f"{say('Patient')}: {known}"


def _cut(text: str, length: int) -> str:
    clean = " ".join(visible(text).split())
    return clean if len(clean) <= length else clean[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"
