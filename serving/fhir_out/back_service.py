"""Whether, and how, the report of a case is written to the EHR it came from."""

from pydantic import SecretStr

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen
from serving.access.compartment import fhir_base, patient_compartment
from serving.access.errors import ConflictError, ForbiddenError, NotFoundError, UnauthenticatedError
from serving.access.outbound import OutboundClient
from serving.access.principal import Principal
from serving.access.smart.protocol import SmartContext
from serving.cases.model import Case
from serving.fhir_out.bundle import report_bundle
from serving.fhir_out.server import FhirServer
from serving.fhir_out.service import ReportService
from serving.fhir_out.signed import chosen
from serving.fhir_out.write_back import Step, is_complete, write_back
from serving.services import Services


class WrittenBack(Frozen):
    """What came of writing a report back.

    Args:
        server: FHIR base address.
        version: Version of the assessment.
        status: Of the report, as FHIR says it.
        complete: Whether all of it is at the server.
        steps: What became of each resource.
    """

    server: str
    version: int
    status: str
    complete: bool
    steps: tuple[Step, ...]
    notice: str = RESEARCH_USE


class WriteBackService:
    """Writes reports to the EHR a login was launched from.

    Args:
        services: Of the application.
        outbound: Calls other servers.
    """

    def __init__(self, services: Services, outbound: OutboundClient | None = None) -> None:
        self._services = services
        self._outbound = outbound or OutboundClient(services.settings)

    def write(self, case: Case, *, principal: Principal, smart: SmartContext | None) -> WrittenBack:
        """Write the report of a case, signed, to the EHR, and say what became of each part.

        Args:
            case: The case.
            principal: Who asks.
            smart: The launch behind their login.

        Raises:
            ForbiddenError: No launch, an EHR that is not configured for it, a scope that was not
                granted, or another patient.
            UnauthenticatedError: The token of the launch has ended.
            ConflictError: The report is not signed, or was refused.
            NotFoundError: There is no assessment.
        """
        base, token = self._target(case, smart)
        stored, state = chosen(self._services, case, None)
        if stored is None:
            raise NotFoundError("assessment")
        if state.status == "preliminary" and not self._services.settings.fhir_write_drafts:
            raise ConflictError("report", "is a draft; it was not written", "sign it first")
        pdf = ReportService(self._services).write(case, "pdf", version=stored.version).content
        line = ReportService(self._services).patient(case)
        bundle = report_bundle(stored, state, case=case, pdf=pdf, at_base=base, patient=line)
        steps = write_back(FhirServer(self._outbound, base, token), bundle)
        done = WrittenBack(
            server=base,
            version=stored.version,
            status=state.status,
            complete=is_complete(steps),
            steps=steps,
        )
        self._services.audit.used(
            principal,
            "report.written-back",
            case=case,
            detail={
                "version": stored.version,
                "status": state.status,
                "assessment_sha256": stored.sha256,
                "complete": done.complete,
                "places": [step.place for step in steps if step.place],
            },
        )
        return done

    def _target(self, case: Case, smart: SmartContext | None) -> tuple[str, SecretStr]:
        if smart is None:
            raise ForbiddenError("writing back without a launch from the EHR")
        base = fhir_base(smart.iss)
        if base not in {fhir_base(one) for one in self._services.settings.fhir_write_back}:
            raise ForbiddenError("writing back to this EHR (EPICRISIS_FHIR_WRITE_BACK)")
        if case.patient != patient_compartment(base, smart.patient):
            raise ForbiddenError("writing back to another patient's record")
        if smart.access_token is None:
            raise UnauthenticatedError("the EHR's token has ended; launch again from the EHR")
        if not smart.allows("DiagnosticReport", "c"):
            raise ForbiddenError("creating a DiagnosticReport: the EHR did not grant it")
        return base, smart.access_token
