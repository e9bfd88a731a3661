"""Read a case as it is now: its files and newest answers to the deterministic assessment."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from agent.assess import Outcome, assess_paths
from agent.case_key import identity_marks
from agent.given import newest_answers
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import IdentityConflictError
from knowledge.settings import Settings
from serving.cases.folder import add, case_folder
from serving.cases.model import Case, StoredAnswer
from serving.services import Services
from tools.intake.answer import Answer
from tools.intake.given import GivenAnswer
from tools.intake.readings_known import released_reading
from tools.intake.result import CaseFiles
from tools.readings.in_case import ReadingFile
from tools.readings.model import Reading

UPLOAD = "upload|"
"""Begins `Case.patient` of a case whose patient is known from its files alone."""

_MOST_MARKS = 20
_NAMED = 5
IDENTITY_CONFLICT = "identity conflict"
"""Why a file of a refused case was not read."""


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What an assessment depends on.

    Args:
        case: The case.
        files: Name to SHA-256.
        given: The newest answer to each input.
        now: The current moment.
        released: Structured readings that were released for the case.
        beside: Name and SHA-256 of what is read with them and not kept.
    """

    case: Case
    files: Mapping[str, str]
    given: tuple[GivenAnswer, ...]
    now: datetime
    released: tuple[ReadingFile, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        minute = self.now.replace(second=0, microsecond=0)
        given = tuple(one.model_dump_json() for one in self.given)
        clock = self.case.clock_since is not None
        return (
            self.case.id,
            self.case.time_zone,
            clock,
            tuple(sorted(self.files.items())),
            self.beside,
            given,
            tuple(one.file for one in self.released),
            minute,
        )


class CaseReader:
    """Reads cases; the last few are kept for the minute they are of.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.cases

    def files(self, case: Case) -> dict[str, str]:
        """Return the files a case has now: name to SHA-256."""
        return {file.name: file.sha256 for file in self._store.files(case.id)}

    def check_contents(self, case: Case) -> None:
        """Ask whether every content of a case is what was kept, also where its result is cached.

        Raises:
            UnavailableError: One is not there or has changed.
        """
        for sha256 in self.files(case).values():
            self._services.files.get(sha256)

    def given(self, case: Case) -> tuple[GivenAnswer, ...]:
        """Return the newest answer to each input, as an assessment reads them."""
        return newest_answers(_as_given(one) for one in self._store.answers(case.id))

    def released(self, case: Case) -> tuple[ReadingFile, ...]:
        """Return what readers have released for the case, every release, as they are read.

        Raises:
            AlteredError: A release is not what was kept.
        """
        from serving.reading.store import RoundStore

        store = RoundStore(self._services.database, self._services.clock)
        return tuple(
            released_reading(Reading.model_validate(one.reading), one.id)
            for one in store.releases(case.id)
        )

    def settings_of(self, case: Case) -> Settings:
        """Return the settings with what was stated for the case: its time zone, and its complaint.

        Who opens a case by hand, from a chart or from its EHR, opens it for acute chest pain; a
        message that comes later does not take that back. Images that an archive sends say nothing
        of a complaint.
        """
        changed: dict[str, object] = {}
        if case.time_zone is not None:
            changed["time_zone"] = case.time_zone
        if case.source not in ("hl7", "dicom"):
            changed["hl7_complaint"] = "acute chest pain"
        return self._services.settings.model_copy(update=changed)

    def outcome(
        self,
        case: Case,
        files: Mapping[str, str] | None = None,
        *,
        beside: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Outcome:
        """Return the deterministic assessment as of now.

        Args:
            case: The case.
            files: Name to SHA-256; those it has unless given.
            beside: Name to content of what is read with them this once and not kept.

        Raises:
            InputError: The case cannot be read, for example over a limit.
            UnavailableError: A content or the disk cannot be used.
        """
        services = self._services
        reading = _Reading(
            case=case,
            files=self.files(case) if files is None else files,
            given=self.given(case),
            now=services.clock(),
            released=self.released(case),
            beside=tuple((n, hashlib.sha256(c).hexdigest()) for n, c in sorted(beside.items())),
        )
        found = services.outcomes.get(reading.key)
        if found is not None:
            return found
        data_dir = services.settings.data_dir
        with case_folder(reading.files, services.files, data_dir=data_dir) as folder:
            add(folder, beside)
            outcome = assess_paths(
                [folder],
                at=None if case.clock_since is None else ClinicalTime(at=reading.now),
                now=ClinicalTime(at=reading.now),
                settings=self.settings_of(case),
                given=reading.given,
                released=reading.released,
            )
        services.outcomes.put(reading.key, outcome)
        return outcome

    def check_same_patient(
        self, case: Case, before: Mapping[str, str], after: Mapping[str, str]
    ) -> None:
        """Refuse files that would make the case one of another patient, or of two.

        Args:
            case: The case.
            before: Its files, name to SHA-256.
            after: Its files as they would be.

        Raises:
            IdentityConflictError: Names the files.
            InputError: The case could not be read with these files.
        """
        outcome = self.outcome(case, after)
        if outcome.case is None:
            raise _conflict(outcome)
        known = _marks_of(case)
        earlier = self.outcome(case, before)
        if earlier.case is not None:
            known |= identity_marks(earlier.case)
        if known and not known & identity_marks(outcome.case):
            changed = sorted(name for name in after if after[name] != before.get(name))
            raise IdentityConflictError(
                "; ".join(changed[:_NAMED]),
                "not shown to be of the patient of this case",
                "make a case of its own for this patient",
                files=tuple(changed),
            )


def compartment(read: CaseFiles) -> str | None:
    """Return whose case it is, as its files say; None where they identify nobody."""
    marks = sorted(identity_marks(read))
    return UPLOAD + ",".join(marks[:_MOST_MARKS]) if marks else None


def _marks_of(case: Case) -> frozenset[str]:
    patient = case.patient or ""
    if not patient.startswith(UPLOAD):
        return frozenset()
    return frozenset(patient.removeprefix(UPLOAD).split(","))


def _conflict(outcome: Outcome) -> IdentityConflictError:
    inputs = outcome.assessment.inputs
    files = tuple(one.file for one in inputs if one.reason == IDENTITY_CONFLICT)
    return IdentityConflictError(
        "files",
        outcome.assessment.narrative.headline,
        "remove the wrong file, or say in case.yaml which file is of the same patient (attach)",
        files=files,
    )


def _as_given(kept: StoredAnswer) -> GivenAnswer:
    return GivenAnswer(
        input=kept.input,
        answer=Answer.model_validate(kept.answer),
        author=kept.author,
        entered_at=kept.entered_at.isoformat(),
    )
