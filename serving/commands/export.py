"""``epicrisis export``: one case's report as FHIR or PDF, without the service."""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from agent.assess import Outcome, assess_paths
from agent.assessment import Status
from knowledge.errors import IdentityConflictError, InvalidValueError
from knowledge.settings import load_settings
from serving.commands.assess import moment, utc_now

if TYPE_CHECKING:
    from serving.cases.model import Case, StoredAssessment
    from serving.cases.patient import PatientLine


class Form(StrEnum):
    """What is written."""

    FHIR = "fhir"
    PDF = "pdf"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    paths: Annotated[list[Path], typer.Argument(help="Folders and files of one patient")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write")],
    form: Annotated[Form, typer.Option("--format", help="fhir or pdf")] = Form.PDF,
    at: Annotated[str | None, typer.Option("--at", help="Moment of assessment, with zone")] = None,
) -> None:
    """Assess a case and write its report as a PDF or as a FHIR R4 Bundle.

    It is a draft: only the service keeps signatures.
    """
    outcome = assess_paths(paths, at=moment(at), now=utc_now(), settings=load_settings())
    if outcome.assessment.status is Status.REFUSED:
        raise IdentityConflictError(
            "report", outcome.assessment.reason, "give the files of one patient"
        )
    content = _pdf(outcome)
    if form is Form.FHIR:
        content = _fhir(outcome, content)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another file"
        ) from error
    typer.echo(f"wrote {out}")


def _pdf(outcome: Outcome) -> bytes:
    from serving.cases.patient import report_words
    from serving.fhir_out.state import DRAFT
    from serving.report.files import draw
    from serving.report.pdf import PdfPicture, Sheet, report_pdf

    assessment = outcome.assessment
    pictures = [
        PdfPicture(
            headline=drawn.picture.headline,
            png=drawn.png,
            caption=drawn.picture.caption,
            notes=drawn.picture.notes,
        )
        for run in outcome.ecgs
        if (drawn := draw(run, time_zone=assessment.time_zone)) is not None
    ]
    _, stored = _unkept(outcome)
    sheet = Sheet(
        state=DRAFT,
        made_at=stored.made_at,
        version=1,
        sha256=stored.sha256,
        patient=report_words(_patient(outcome)),
    )
    return report_pdf(assessment, sheet, pictures=pictures)


def _fhir(outcome: Outcome, pdf: bytes) -> bytes:
    from serving.fhir_out.bundle import report_bundle

    case, stored = _unkept(outcome)
    bundle = report_bundle(stored, case=case, pdf=pdf, patient=_patient(outcome))
    return orjson.dumps(bundle, option=orjson.OPT_INDENT_2)


def _patient(outcome: Outcome) -> "PatientLine | None":
    from serving.cases.patient import patient_line

    return None if outcome.case is None else patient_line(outcome.case.timeline.patient)


def _unkept(outcome: Outcome) -> "tuple[Case, StoredAssessment]":
    """Return the assessment as the service would keep it, under a name made of its inputs."""
    from serving.cases.model import Case, StoredAssessment
    from serving.storage.base import canonical

    assessment = outcome.assessment
    made_by = assessment.provenance
    body = assessment.to_json()
    at = made_by.at.at
    case = Case(
        id=f"case-{made_by.inputs_sha256[:32]}",
        label=assessment.case,
        source="upload",
        created_at=at,
        created_by="command",
    )
    return case, StoredAssessment(
        id=f"assessment-{made_by.result_sha256[:32]}",
        case=case.id,
        version=1,
        at=at,
        made_at=utc_now().at,
        made_by="command",
        why="asked for",
        author="templates",
        language="en",
        status=assessment.status.value,
        headline=assessment.narrative.headline,
        urgency=assessment.narrative.urgency,
        body=body,
        sha256=hashlib.sha256(canonical(body)).hexdigest(),
        inputs_sha256=made_by.inputs_sha256,
        result_sha256=made_by.result_sha256,
    )
