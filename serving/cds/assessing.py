"""From the data of a call to the assessment of its case, kept only where there is something to say.

The chart becomes a file of the patient's case, so that what a person answered in the workspace and
the ECG they attached count at the bedside too. A patient without acute chest pain gets no case:
what is not needed is not kept.
"""

import tempfile
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.assess import assess_case, refused_case
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import IdentityConflictError, UnavailableError
from serving.access.principal import Principal
from serving.cases.folder import WORK
from serving.cases.model import Case
from serving.cases.reader import CaseReader
from serving.cases.service import CaseService, newest_unless_altered
from serving.cds.cards import Made
from serving.cds.chart import FILE, PART, hash_of
from serving.cds.precheck import looks_like
from serving.services import Services
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose chart it is.

    Args:
        patient, encounter: As in `serving.cases.model.Case`.
        by: Who sends it.
    """

    patient: str
    encounter: str | None
    by: Principal


@dataclass(frozen=True, kw_only=True, eq=False)
class Ready:
    """An assessment that can be shown.

    Args:
        assessment: The result; None where the chart is of no acute chest pain.
        case: Its case; None where there is nothing to say and nothing was kept.
        seen: Everything it depends on but the time.
        said: What was made of it already, by what else that depends on.
    """

    assessment: Assessment | None
    case: Case | None
    seen: tuple[object, ...]
    said: dict[Hashable, tuple[Made, ...]] = field(default_factory=dict)


class Assessing:
    """Finds or makes the case of a chart, and its assessment.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cases = CaseService(services)

    def find(self, subject: Subject) -> Case | None:
        """Return the case of this visit, or None."""
        return self._services.cases.visit(subject.patient, subject.encounter)

    def seen(self, case: Case | None, sha256: str) -> tuple[object, ...]:
        """Return everything an assessment of this chart would depend on but the time."""
        if case is None:
            return (sha256,)
        files = self._services.cases.files(case.id)
        answers = self._services.cases.answers(case.id)
        listed = tuple((file.name, file.sha256) for file in files)
        return (case.id, sha256, listed, answers[-1].number if answers else 0)

    def glance(self, content: bytes) -> CaseFiles | Ready:
        """Return a chart without a case, read; or the end of it, where nothing is to be computed.

        That is quick, and most charts of a hospital end here: they are of no acute chest pain.

        Raises:
            InputError: It cannot be read.
            UnavailableError: The disk cannot be used.
        """
        settings = self._services.settings
        now = ClinicalTime(at=self._services.clock())
        start = time.perf_counter()
        seen = self.seen(None, hash_of(content))
        with _folder(settings.data_dir) as folder:
            (folder / FILE).write_bytes(content)
            try:
                read = read_case([folder], at=None, now=now, settings=settings)
            except IdentityConflictError as error:
                return Ready(assessment=refused_case(error, now, start), case=None, seen=seen)
        if not looks_like(read, at=now):
            return Ready(assessment=None, case=None, seen=seen)
        return read

    def begin(self, subject: Subject, content: bytes, read: CaseFiles, *, keep: bool) -> Ready:
        """Return the assessment of a chart that has no case yet; its case is made and kept.

        Args:
            subject: Whose it is.
            content: The chart.
            read: The chart, read.
            keep: Whether it is whole; of one that is not, nothing is kept.

        Raises:
            UnavailableError: It cannot be kept.
        """
        now = ClinicalTime(at=self._services.clock())
        outcome = assess_case(read, at=now, settings=self._services.settings)
        sha256 = hash_of(content)
        if keep:
            return self._begun(subject, content, outcome.assessment, sha256)
        return Ready(assessment=outcome.assessment, case=None, seen=self.seen(None, sha256))

    def whole(self, subject: Subject, case: Case, content: bytes) -> Ready:
        """Return the assessment of a case with a chart that is whole; it becomes the case's.

        Raises:
            IdentityConflictError: The chart is not of the patient of the case.
            InputError: It cannot be read.
            UnavailableError: It cannot be kept.
        """
        sha256 = hash_of(content)
        kept = {file.name: file.sha256 for file in self._services.cases.files(case.id)}
        if kept.get(FILE) == sha256:
            return self._known(case, sha256, by=subject.by)
        if set(kept) <= {FILE}:
            self._services.cases.add_file(case.id, FILE, content, by=subject.by.subject)
            self._cases.assess(case, principal=subject.by, why="new file")
        else:
            self._cases.add_files(case, [(FILE, content)], principal=subject.by)
        return self._known(case, sha256, by=None)

    def partial(self, case: Case, content: bytes) -> Ready:
        """Return the assessment of what a case has with a chart that is not whole; nothing is kept.

        What failed never takes the place of what was read, and what did come is still looked at.
        """
        sha256 = hash_of(content)
        outcome = CaseReader(self._services).outcome(case, beside={PART: content})
        seen = self.seen(case, sha256)
        return Ready(assessment=outcome.assessment, case=case, seen=seen)

    def _begun(
        self, subject: Subject, content: bytes, assessment: Assessment, sha256: str
    ) -> Ready:
        """Make the case of a chart that was assessed alone, and keep both.

        Where another call made the case of this visit meanwhile, the chart becomes that one's.
        """
        at, by = self._services.clock(), subject.by.subject
        store = self._services.cases
        case, made = store.open_visit(
            subject.patient,
            subject.encounter,
            label=f"EHR {at:%Y-%m-%d %H:%M} UTC",
            source="cds",
            by=by,
            files=[(FILE, content)],
        )
        if not made:
            return self.whole(subject, case, content)
        stored = store.keep_assessment(case.id, assessment, by=by, why="new file", language="en")
        self._cases.told(case, stored, None)
        if any(file.sha256 != sha256 for file in store.files(case.id)):
            return self._known(case, sha256, by=subject.by)  # another call was here meanwhile
        return Ready(assessment=assessment, case=case, seen=self.seen(case, sha256))

    def _known(self, case: Case, sha256: str, *, by: Principal | None) -> Ready:
        """Return the assessment of a case as of now; kept where it says something else by now.

        Args:
            case: The case.
            sha256: Of the chart of the call.
            by: Who asks; None where it was kept a moment ago, or is not to be kept.
        """
        assessment = self._cases.outcome(case).assessment
        if by is not None:
            newest = newest_unless_altered(self._services, case)
            if newest is None or _gist(newest.body) != _gist(assessment.to_json()):
                self._cases.assess(case, principal=by, why="time")
        return Ready(assessment=assessment, case=case, seen=self.seen(case, sha256))


def _gist(body: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what of an assessment is more than the passing of a minute."""
    return (
        body["status"],
        body["narrative"]["headline"],
        [(row["id"], row["text"]) for row in body.get("recommendations", ())],
        [(entry["id"], entry["verdict"]) for entry in body.get("differential", ())],
    )


@contextmanager
def _folder(data_dir: Path) -> Iterator[Path]:
    """Give an empty folder, removed at the end.

    Raises:
        UnavailableError: It cannot be made or written.
    """
    try:
        root = data_dir / WORK
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix="cds-", dir=root) as name:
            yield Path(name)
    except OSError as error:
        raise UnavailableError(
            "work folder",
            f"cannot be written: {error.strerror}",
            "free space on the disk of the data folder; nothing was changed",
        ) from error
