"""Whether the resources of the charts are about the patient: by reference, identifier and name.

A subject that contradicts the Patient resources is a mismatch, which refuses the case. One that
cannot be read, or compared with nothing, refuses that resource alone: it is not shown to be of the
patient, and nobody says that it is of another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.patient import Identity
from tools.intake.fhir.bundle import Entry, FhirFile
from tools.intake.fhir.patient import PatientRecord
from tools.intake.fhir.source import short_reference
from tools.intake.fhir.subject import UNREADABLE, Subject, refers_to, subjects
from tools.intake.identity import Comparison, names_another, same_identifier, same_name

_FIELD = ("patient reference",)
_OTHER_NAME = "the subject is given by a name alone, which is not shown to be this patient's"
_ANOTHER_NAME = "the subject is shown with a name that is not this patient's"
_UNKNOWN_NUMBER = "the subject is given by a number that cannot be compared with the patient's"


@dataclass(frozen=True, slots=True)
class Refused:
    """A resource that is not shown to be of the patient.

    Args:
        entry: The resource.
        reason: Why not.
    """

    entry: Entry
    reason: str


class References:
    """The subjects of all charts, compared with all Patient resources."""

    def __init__(
        self,
        charts: Sequence[FhirFile],
        patients: Sequence[PatientRecord],
        known: Sequence[Identity],
        stated: Mapping[str, str],
    ) -> None:
        """Compare.

        Args:
            charts: FHIR files that state facts of a patient.
            patients: The Patient resources.
            known: Their identities, and the one of the case file.
            stated: Files explicitly said to be of the patient.
        """
        self.refused: list[Refused] = []
        self._found: dict[tuple[str, str, str], Comparison] = {}
        self._dangling: dict[str, str] = {}
        self._known, self._stated = known, stated
        self._patients = patients
        self._by_reference: dict[str, list[PatientRecord]] = {}
        for record in patients:
            for name in {record.entry.id, record.entry.full_url} - {None}:
                self._by_reference.setdefault(name or "", []).append(record)
        every = [subject for chart in charts for subject in subjects(chart)]
        self._shown = _shown_names(every) if not any(_names(i) for i in known) else None
        for subject in every:
            self._compare(subject)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """How the references compare; a reference into another file's Patient joins the two."""
        return tuple(self._found[key] for key in sorted(self._found))

    def _compare(self, subject: Subject) -> None:
        file = subject.entry.file
        if not subject.readable:
            self.refused.append(Refused(subject.entry, UNREADABLE))
        elif subject.reference is not None:
            self._by_url(subject, subject.reference)
        elif subject.identifier is not None:
            self._by_number(subject, subject.identifier)
        elif subject.display and file not in self._stated and not self._is_named(subject.display):
            self.refused.append(Refused(subject.entry, _OTHER_NAME))

    def _by_url(self, subject: Subject, text: str) -> None:
        file = subject.entry.file
        number = subject.identifier
        self._check_name(subject)
        candidates = dict.fromkeys(
            (text, text.removeprefix("urn:uuid:").lstrip("#"), short_reference(text).split("/")[-1])
        )
        meant = [
            record
            for name in candidates
            for record in self._by_reference.get(name, ())
            if refers_to(subject, record)
        ]
        if text == "#" and not meant:
            meant = [p for p in self._patients if refers_to(subject, p)]
        same, other = self._with_number(number)
        if other and not same:
            self._note(file, min(other), "mismatch")
        elif not self._patients:
            self._note_dangling(file, short_reference(text))
        elif not meant:
            self._note(file, self._patients[0].entry.file, "mismatch")
        else:
            own = any(p.entry.file == file for p in meant)
            self._note(file, file if own else min(p.entry.file for p in meant), "match")

    def _by_number(self, subject: Subject, number: tuple[str, str]) -> None:
        file = subject.entry.file
        same, other = self._with_number(number)
        self._check_name(subject)
        if same:
            self._note(file, file if file in same else min(same), "match")
        elif other:
            self._note(file, min(other), "mismatch")
        elif self._patients:
            if file not in self._stated:
                self.refused.append(Refused(subject.entry, _UNKNOWN_NUMBER))
        else:
            self._note_dangling(file, "|".join(number))

    def _check_name(self, subject: Subject) -> None:
        """Refuse a resource whose reference shows the name of somebody else."""
        named = bool(subject.display) and subject.entry.file not in self._stated
        if named and names_another(subject.display or "", self._known):
            self.refused.append(Refused(subject.entry, _ANOTHER_NAME))

    def _with_number(self, number: tuple[str, str] | None) -> tuple[list[str], list[str]]:
        """Return the sources that give the patient this number, and those that give another."""
        if number is None:
            return [], []
        verdicts = [(same_identifier((number,), i.identifiers), i.source) for i in self._known]
        same = [source for verdict, source in verdicts if verdict is True]
        return same, [source for verdict, source in verdicts if verdict is False]

    def _is_named(self, display: str) -> bool:
        """Return whether a name is one of the patient's, or all that are shown where none is."""
        one = Identity(source="", family=display)
        if self._shown is not None:
            return all(same_name(one, other) for other in self._shown)
        return any(same_name(one, other) for other in self._known)

    def _note_dangling(self, file: str, text: str) -> None:
        """Note a reference to no Patient of the case: two different ones are two patients."""
        self._dangling.setdefault(text, file)
        first = next(iter(self._dangling))
        self._note(file, self._dangling[first], "match" if text == first else "mismatch")

    def _note(self, file: str, other: str, result: str) -> None:
        if file == other and result == "match":
            return
        first, second = sorted((file, other))
        if result == "match":
            made = Comparison(files=(first, second), result="match", agree=_FIELD)
        else:
            made = Comparison(files=(first, second), result="mismatch", differ=_FIELD)
        self._found[first, second, result] = made


def _names(identity: Identity) -> bool:
    return bool(identity.family or identity.given)


def _shown_names(every: Iterable[Subject]) -> list[Identity]:
    names = {s.display for s in every if s.display}
    return [Identity(source="", family=name) for name in sorted(names)]
