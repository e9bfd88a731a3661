"""A case and its deterministic assessment: files in, answers in, the next version out."""

import logging
from collections.abc import Sequence

from agent.assess import Outcome
from agent.assessment import Status
from agent.given import Question, entered_answer
from agent.given import questions as asked_of
from knowledge.clinical_time import ClinicalTime
from knowledge.passages import Language
from serving.access.errors import AlteredError, ForbiddenError
from serving.access.principal import Permission, Principal
from serving.cases.acceptance import checked
from serving.cases.model import Case, Source, StoredAssessment, Why
from serving.cases.patient import patient_line
from serving.cases.reader import IDENTITY_CONFLICT, CaseReader, compartment
from serving.services import Services
from tools.intake.answer import Answer, Stated
from tools.intake.result import CaseFiles

logger = logging.getLogger(__name__)


class CaseService:
    """What can be done with a case; who may is decided before.

    Every method raises `UnavailableError` where the database or the disk cannot be used.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.cases
        self._reader = CaseReader(services)

    def open(
        self,
        files: Sequence[tuple[str, bytes]],
        *,
        label: str,
        principal: Principal,
        time_zone: str | None = None,
        source: Source = "upload",
        key: str | None = None,
    ) -> tuple[Case, StoredAssessment]:
        """Make a case of these files, assess it, and return both.

        Files that are not of one patient are kept and the assessment says "refused": the person
        who sent them takes out the wrong one.

        Args:
            files: Relative name and bytes.
            label: What people call it.
            principal: Who sends them.
            time_zone: IANA zone for times without one.
            source: Where they come from.
            key: Of the request, where it may be sent again: the same key and files of the same
                person are the same case.

        Raises:
            InputError: A name, a size, a count or the time zone is not taken; nothing was made.
            ConflictError: The key was sent with something else.
            ForbiddenError: Whose token is for one patient cannot say by files whose case it is.
        """
        if principal.patient is not None:
            raise ForbiddenError(Permission.CREATE_CASE.value)
        named = checked(files, self._services.settings, before={})
        put = [(name, self._store.put(content), len(content)) for name, content in named]
        case, made = self._store.open_keyed(
            key, put, label=label, source=source, by=principal.subject, time_zone=time_zone
        )
        stored = None if made else newest_unless_altered(self._services, case)
        if stored is None:
            stored = self.assess(case, principal=principal, why="new file")
        return self._store.find(case.id) or case, stored

    def outcome(self, case: Case) -> Outcome:
        """Return the deterministic assessment as of now, with what its pictures are drawn from.

        Raises:
            InputError: The case cannot be read, for example over a limit.
        """
        return self._reader.outcome(case)

    def assess(
        self,
        case: Case,
        *,
        principal: Principal,
        why: Why,
        language: Language = "en",
        as_of_now: bool = False,
    ) -> StoredAssessment:
        """Return the newest assessment of a case, made now where anything has changed.

        Args:
            case: The case.
            principal: Who asks.
            why: What for.
            as_of_now: Leave the moment that the case states for itself, from now on.
            language: Wanted. The templates' words are English, so a version they write says so.

        Raises:
            InputError: The case cannot be read.
            UnavailableError: A content is not there any more or has changed.
        """
        if as_of_now and case.clock_since is None:
            self._store.follow_clock(case.id)
            case = self._store.find(case.id) or case
        self._reader.check_contents(case)
        outcome = self.outcome(case)
        self._belongs(case, outcome.case)
        made_by = outcome.assessment.provenance
        newest = newest_unless_altered(self._services, case)
        if newest is not None and (newest.inputs_sha256, newest.result_sha256) == (
            made_by.inputs_sha256,
            made_by.result_sha256,
        ):
            return newest
        stored = self._store.keep_assessment(
            case.id, outcome.assessment, by=principal.subject, why=why, language=language
        )
        self.told(case, stored, newest)
        return stored

    def told(self, case: Case, stored: StoredAssessment, before: StoredAssessment | None) -> None:
        """Tell every listener of a new version.

        A listener may be told of one version twice, where a job's process died between keeping and
        telling.
        """
        for listener in self._services.listeners:
            listener(case, stored, before)

    def add_files(
        self, case: Case, files: Sequence[tuple[str, bytes]], *, principal: Principal
    ) -> StoredAssessment:
        """Take files into a case, all of them or none, and return its new assessment.

        Identities are compared before anything is taken: a file of another patient changes nothing.

        Args:
            case: The case.
            files: Relative name and bytes; one of a known name takes the place of the earlier.
            principal: Who sends them.

        Raises:
            InputError: A name, a size or a count is not taken.
            IdentityConflictError: They are not shown to be of the patient of the case.
        """
        before = {file.name: file for file in self._store.files(case.id)}
        sizes = {name: file.size for name, file in before.items()}
        named = checked(files, self._services.settings, before=sizes)
        put = [(name, self._store.put(content), len(content)) for name, content in named]
        old = {name: file.sha256 for name, file in before.items()}
        new = {**old, **{name: sha256 for name, sha256, _ in put}}
        self._reader.check_same_patient(case, old, new)
        self._store.add_files(case.id, put, by=principal.subject)
        return self.assess(case, principal=principal, why="new file")

    def remove_file(self, case: Case, name: str, *, principal: Principal) -> StoredAssessment:
        """Take a file out of a case and return the new assessment; earlier versions stay.

        Raises:
            NotFoundError: The case has no such file.
        """
        self._store.remove_file(case.id, name)
        return self.assess(case, principal=principal, why="correction")

    def answer(
        self,
        case: Case,
        input_id: str,
        value: Stated,
        *,
        unit: str | None = None,
        observed_at: str | None = None,
        principal: Principal,
    ) -> StoredAssessment:
        """Keep an answer with its author and time, and return the new assessment.

        Args:
            case: The case.
            input_id: Clinical-input id.
            value: As in `agent.given.AnswerStore.give`; an `Answer` is taken as it is.
            unit: Of a number.
            observed_at: When it was observed, as FHIR dateTime.
            principal: Who answers.

        Raises:
            InvalidValueError: No such input, not an answer to it, or observed in the future.
        """
        now = self._services.clock()
        answer = (
            value
            if isinstance(value, Answer)
            else Answer(value=value, unit=unit or None, time=observed_at or None)
        )
        entered = entered_answer(
            input_id,
            answer,
            author=principal.name,
            at=ClinicalTime(at=now),
            zone=self._zone(case),
        )
        self._store.keep_answer(
            case.id,
            input_id,
            entered.answer.model_dump(mode="json"),
            author=entered.author,
            by=principal.subject,
        )
        return self.assess(case, principal=principal, why="answer")

    def questions(self, case: Case) -> tuple[Question, ...]:
        """Return what a person can answer of what is missing, what unlocks most first."""
        return asked_of(self.outcome(case).assessment)

    def _zone(self, case: Case) -> str | None:
        """Return the zone of times without one: what the files say, else what the case or site."""
        newest = newest_unless_altered(self._services, case)
        stated = None if newest is None else newest.body.get("time_zone")
        return stated or self._reader.settings_of(case).time_zone

    def _belongs(self, case: Case, read: CaseFiles | None) -> None:
        """State whose case it is, once its files say so, and keep the line to show of them."""
        if read is None:
            return
        if case.patient is None:
            patient = compartment(read)
            if patient is not None:
                self._store.set_patient(case.id, patient)
        self._store.keep_patient(case.id, patient_line(read.timeline.patient))


def newest_unless_altered(services: Services, case: Case) -> StoredAssessment | None:
    """Return the newest version, for what compares with it or follows it; never to be shown alone.

    None where there is none, and where it is not what was kept: a new one then follows it.

    Raises:
        UnavailableError: The database cannot be used.
    """
    try:
        return services.cases.assessment(case.id)
    except AlteredError as error:
        logger.error("%s: %s", error.item, error.reason)
        return None


def refused_files(stored: StoredAssessment) -> tuple[str, ...]:
    """Return the files of a refused assessment that are not of one patient; else none."""
    if stored.status != Status.REFUSED:
        return ()
    records = stored.body["inputs"]
    return tuple(one["file"] for one in records if one.get("reason") == IDENTITY_CONFLICT)
