"""The files behind a piece of evidence, exactly as they were when the assessment was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from agent.assess import Outcome, assess_paths
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InputError
from knowledge.finding import NotAssessed, Why
from knowledge.timeline import Document
from serving.cases.folder import case_folder
from serving.cases.model import Case
from serving.services import Services
from tools.ecg.model import EcgRecording
from tools.ecg.report import EcgReport, nothing_assessed
from tools.intake.given import FILE as ENTERED


@dataclass(kw_only=True)
class Material:
    """Files of one case at one version.

    Args:
        services: Of the application.
        case: The case.
        files: File name to the SHA-256 of its bytes.
    """

    services: Services
    case: Case
    files: Mapping[str, str]

    def content(self, file: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            InputError: The version has no such file.
            UnavailableError: The bytes are not here any more.
        """
        sha256 = self.files.get(file)
        if sha256 is None:
            raise InputError(file, "is no file of this assessment", "open the case's list of files")
        return self.services.files.get(sha256)

    @cached_property
    def outcome(self) -> Outcome:
        """The case as it was read with these files: the present one, where they are the same.

        Raises:
            InputError: The files cannot be read.
            UnavailableError: The bytes are not here any more.
        """
        from serving.cases.service import CaseService

        present = CaseService(self.services).outcome(self.case)
        now = {one.file: one.sha256 for one in present.assessment.inputs}
        wanted = {name: sha for name, sha in self.files.items() if name != ENTERED}
        if all(now.get(name) == sha for name, sha in wanted.items()):
            return present
        return self._as_it_was(wanted)

    def _as_it_was(self, files: Mapping[str, str]) -> Outcome:
        """Read the files of an earlier version again; what was entered by hand is not in them."""
        settings = self.services.settings
        with case_folder(files, self.services.files, data_dir=settings.data_dir) as folder:
            now = ClinicalTime(at=self.services.clock())
            return assess_paths([folder], at=None, now=now, settings=settings)

    def document(self, key: str) -> Document | None:
        """Return a note by its id, or None where the case has none."""
        read = self.outcome.case
        return None if read is None else next((d for d in read.notes if d.id == key), None)

    def recording(self, file: str) -> tuple[EcgRecording, EcgReport] | None:
        """Return the recording of a file with its report, or None where it has none.

        One that is not of this presentation has no report of its own: it is said to be not
        assessed.
        """
        for run in self.outcome.ecgs:
            if run.recording.file == file:
                return run.recording, run.report
        read = self.outcome.case
        held = [] if read is None else [r for r in read.recordings.values() if r.file == file]
        if not held:
            return None
        why = NotAssessed(
            why=Why.OUTSIDE_WINDOW, detail="the recording is not of this presentation"
        )
        return held[0], nothing_assessed(held[0], why)
