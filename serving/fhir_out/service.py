"""The report of a case in every form it is given out in."""

from dataclasses import dataclass
from typing import Literal

import orjson

from agent.assess import Outcome
from agent.assessment import Assessment, Status
from knowledge.errors import InputError
from knowledge.passages import Language
from serving.access.errors import ConflictError, NotFoundError
from serving.cases.model import Case, StoredAssessment
from serving.cases.patient import PatientLine, report_words
from serving.cases.service import CaseService
from serving.fhir_out.bundle import report_bundle
from serving.fhir_out.signed import chosen
from serving.fhir_out.state import ReportState
from serving.report.files import Drawn, draw, events
from serving.report.pdf import PdfPicture, Sheet, report_pdf
from serving.report.render import html, markdown
from serving.services import Services

Form = Literal["fhir", "pdf", "html", "md", "json"]

MEDIA: dict[Form, str] = {
    "fhir": "application/fhir+json",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A report as it leaves.

    Args:
        content: Its bytes.
        media: Media type.
        stored: The version it is of.
        state: Whether that is signed.
    """

    content: bytes
    media: str
    stored: StoredAssessment
    state: ReportState


class ReportService:
    """Reports of cases; who may is decided before.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def write(
        self, case: Case, form: Form, *, version: int | None = None, language: Language = "en"
    ) -> Written:
        """Return the report of a case.

        Args:
            case: The case.
            form: In which form.
            version: Of which version; None for the signed one, else the newest.
            language: Of the headings.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: As FHIR, where the files are not of one patient.
        """
        stored, state = chosen(self._services, case, version)
        if stored is None:
            raise NotFoundError("assessment")
        assessment = Assessment.model_validate(stored.body)
        if form == "fhir" and assessment.status is Status.REFUSED:
            raise ConflictError(
                "report",
                "was refused: the files are not of one patient, so there is nobody to report on",
                "correct the files of the case",
            )
        match form:
            case "fhir":
                pdf = self._pdf(case, stored, assessment, state, language)
                content = orjson.dumps(
                    report_bundle(stored, state, case=case, pdf=pdf, patient=self.patient(case))
                )
            case "pdf":
                content = self._pdf(case, stored, assessment, state, language)
            case "html":
                content = self._html(case, assessment, state).encode()
            case "md":
                content = markdown(
                    assessment,
                    signature=_signature(state),
                    patient=report_words(self.patient(case)),
                    signed=state,
                ).encode()
            case "json":
                content = orjson.dumps(
                    {"state": state.model_dump(mode="json"), "assessment": stored.body}
                )
        return Written(content=content, media=MEDIA[form], stored=stored, state=state)

    def patient(self, case: Case) -> PatientLine | None:
        """Return who the patient is, as kept; None where that is not established."""
        return self._services.cases.patients([case.id]).get(case.id)

    def _pdf(
        self,
        case: Case,
        stored: StoredAssessment,
        assessment: Assessment,
        state: ReportState,
        language: Language,
    ) -> bytes:
        from serving.web.translation import translations

        sheet = Sheet(
            state=state.words,
            made_at=stored.made_at,
            version=stored.version,
            sha256=stored.sha256,
            signed=state,
            running=state.line,
            language=language,
            patient=report_words(self.patient(case), translations(language).gettext),
        )
        pictures = [
            PdfPicture(
                headline=one.picture.headline,
                png=one.png,
                caption=one.picture.caption,
                notes=one.picture.notes,
            )
            for one in self._drawn(case, assessment)
        ]
        return report_pdf(assessment, sheet, pictures=pictures)

    def _html(self, case: Case, assessment: Assessment, state: ReportState) -> str:
        outcome = self._outcome(case)
        same = outcome is not None and _same_files(outcome.assessment, assessment)
        return html(
            assessment,
            events=tuple(events(outcome)) if outcome is not None and same else (),
            pictures=[one.picture for one in self._drawn(case, assessment)],
            signature=_signature(state),
            patient=report_words(self.patient(case)),
            signed=state,
        )

    def _drawn(self, case: Case, assessment: Assessment) -> tuple[Drawn, ...]:
        """Return pictures of the recordings that this version read, and of no later ones."""
        outcome = self._outcome(case)
        if outcome is None:
            return ()
        now = {item.file: item.sha256 for item in outcome.assessment.inputs}
        then = {item.file: item.sha256 for item in assessment.inputs}
        return tuple(
            drawn
            for run in outcome.ecgs
            if now.get(run.recording.file) == then.get(run.recording.file, "none")
            if (drawn := draw(run, time_zone=assessment.time_zone)) is not None
        )

    def _outcome(self, case: Case) -> Outcome | None:
        """Return what pictures are drawn from; None where the files are not there any more."""
        try:
            return CaseService(self._services).outcome(case)
        except InputError:
            return None


def _same_files(one: Assessment, other: Assessment) -> bool:
    return one.provenance.inputs_sha256 == other.provenance.inputs_sha256


def _signature(state: ReportState) -> tuple[str, ...]:
    """Return the state of the report and what the signer changed, a line each."""
    return (state.words, *(state.marked(d.statement) for d in state.changed))
