"""A released reading written to the FHIR server of those who asked for it: one DiagnosticReport.

Its items stand in the report itself (contained Observations), so a correction replaces all of it at
once and nothing of an earlier reading stays behind as a result of its own. The patient and the
imaging study are looked for there and never created: a report whose patient the server does not
have, or has more than once, is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from agent.assessment import RESEARCH_USE
from knowledge.errors import ContractError, IdentityConflictError, UnavailableError
from knowledge.patient import Identity
from knowledge.settings import Settings
from serving.access.outbound import OutboundClient, OutboundError
from serving.fhir_out.server import FhirServer
from serving.reading.model import Release
from serving.reading.written import written
from tools.dicom_out.sources import Sources
from tools.ecg.readers.dicom_header import identity
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.patient import patients
from tools.intake.identity import compare
from tools.readings import fhir_terms
from tools.readings.model import Reading

RELEASE = "urn:epicrisis:release"
"""System of the identifier by which a report is found again: the id of its release."""

_A_PERSON_DECIDES = frozenset({400, 404, 405, 410, 413, 422})
"""Statuses that another try does not change: the server does not take this report, or no report."""


class FhirWay:
    """Writes released readings to the server that the settings name.

    Args:
        settings: Its address and our token there.
        outbound: Calls it.
    """

    def __init__(self, settings: Settings, outbound: OutboundClient | None = None) -> None:
        if settings.reading_fhir_url is None:
            raise ContractError("FHIR server", "is not set", "set EPICRISIS_READING_FHIR_URL")
        self._server = FhirServer(
            outbound or OutboundClient(settings),
            settings.reading_fhir_url,
            settings.reading_fhir_token,
        )

    def send(self, release: Release, sources: Sources | None) -> str:
        """Write a release, unless it is there, and return where it is (``DiagnosticReport/1``).

        Args:
            release: What was released.
            sources: The images that were read; None where they state no patient.

        Raises:
            ContractError: The server has not one such patient, or does not take the report.
            IdentityConflictError: Its patient is another than that of the images.
            UnavailableError: No usable answer; another try may succeed.
        """
        there = self._reports(release.id)
        if there:
            return _place(_only(there, "the report"))
        reading = Reading.model_validate(release.reading)
        report = self._report(release, reading, self._patient(reading, sources))
        earlier = self._reports(release.follows) if release.follows else []
        if earlier:
            return self._replaced(_only(earlier, "the report that it corrects"), report)
        condition = {"If-None-Exist": _token(RELEASE, release.id)}
        kept = self._sent("POST", "DiagnosticReport", report, condition)
        if not _is_report(kept):  # a server may answer without the resource
            kept = _only(self._reports(release.id), "the report")
        return _place(kept)

    def _patient(self, reading: Reading, sources: Sources | None) -> str:
        """Return the one patient there who is the patient of the images."""
        who = reading.subject
        told = _token(who.issuer, who.id) if who.issuer else f"identifier={quote(who.id, safe='')}"
        found = self._search("Patient", told)
        there = _only(found, "the patient")
        stated = [_stated(reading)]
        if sources is not None:
            stated.append(identity(sources.datasets[0], file="images", zone=None, notes=[]))
        results = [compare(one, _identity(there)) for one in stated]
        differ = {field for one in results if one.result == "mismatch" for field in one.differ}
        if differ:
            raise IdentityConflictError(
                "patient",
                f"the FHIR server's differs in {', '.join(sorted(differ))}",
                "correct the number, there or in the images",
                files=("images", "FHIR server"),
            )
        if all(one.result != "match" for one in results):
            raise ContractError(
                "patient",
                "the FHIR server's is not shown to be the one who was read: a number of no common "
                "issuer, and no name with a date of birth in both",
                "hand it on by its download",
            )
        return _place(there)

    def _report(self, release: Release, reading: Reading, patient: str) -> dict[str, Any]:
        bundle = orjson.loads(written(release, "fhir"))
        resources = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
        report: dict[str, Any] = next(
            one for one in resources.values() if one["resourceType"] == "DiagnosticReport"
        )
        names = {
            url: f"#item-{number}"
            for number, url in enumerate(_reached(report["result"], resources))
        }
        subject = {"reference": patient}
        contained = [
            {**_renamed(resources[url], names), "id": name[1:], "subject": subject}
            for url, name in names.items()
        ]
        return {
            **_renamed(report, names),
            "contained": contained,
            "identifier": [*report["identifier"], {"system": RELEASE, "value": release.id}],
            "subject": subject,
            "imagingStudy": [self._study(reading, patient)],
            "extension": [
                *report.get("extension", ()),
                {"url": "urn:epicrisis:notice", "valueString": RESEARCH_USE},
            ],
        }

    def _study(self, reading: Reading, patient: str) -> dict[str, Any]:
        """Return the study as it is there, or by its identifier alone: it is never created."""
        uid = f"urn:oid:{reading.study.study_uid}"
        found = self._search("ImagingStudy", _token(fhir_terms.DICOM_UID, uid))
        own = [one for one in found if one.get("subject", {}).get("reference") == patient]
        if len(own) == 1:
            return {"reference": _place(own[0])}
        return {
            "type": "ImagingStudy",
            "identifier": {"system": fhir_terms.DICOM_UID, "value": uid},
        }

    def _replaced(self, there: dict[str, Any], report: dict[str, Any]) -> str:
        """Put a correction in the place of what it corrects, unless somebody changed that."""
        version = there.get("meta", {}).get("versionId")
        if not isinstance(version, str) or not version:
            raise ContractError(
                "report", "the server states no version of it: it was not overwritten",
                "hand it on by its download",
            )  # fmt: skip
        older = [one for one in there["identifier"] if one not in report["identifier"]]
        body = {**report, "id": there["id"], "identifier": [*report["identifier"], *older]}
        place = f"DiagnosticReport/{there['id']}"
        self._sent("PUT", place, body, {"If-Match": f'W/"{version}"'})
        return place

    def _reports(self, release: str) -> list[dict[str, Any]]:
        found = self._search("DiagnosticReport", _token(RELEASE, release))
        own = {"system": RELEASE, "value": release}
        if any(own not in one.get("identifier", ()) for one in found):
            raise UnavailableError("FHIR server", "answered a search with another report")
        return found

    def _search(self, kind: str, told: str) -> list[dict[str, Any]]:
        """Return what a search finds; a search of one identifier has one page."""
        answer = self._server.get(f"{kind}?{told}")
        if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle":
            raise UnavailableError("FHIR server", "did not answer a search with a search result")
        held = [one.get("resource") for one in answer.get("entry") or () if isinstance(one, dict)]
        return [r for r in held if isinstance(r, dict) and r.get("resourceType") == kind]

    def _sent(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        try:
            return self._server.send(method, path, body, headers)
        except OutboundError as error:
            if error.status in _A_PERSON_DECIDES:
                raise ContractError(
                    "report", f"the FHIR server refused it with {error.status}", "see its log"
                ) from error
            raise


def _token(system: str, value: str) -> str:
    return f"identifier={quote(system, safe='')}%7C{quote(value, safe='')}"


def _only(found: list[dict[str, Any]], what: str) -> dict[str, Any]:
    if len(found) != 1:
        raise ContractError(
            what,
            f"the FHIR server has {len(found) or 'none'} of it",
            "correct it there, or hand the reading on by its download",
        )
    return found[0]


def _place(resource: Mapping[str, Any]) -> str:
    name = resource.get("id")
    if not isinstance(name, str) or not name:
        raise UnavailableError("FHIR server", "answered with a resource without an id")
    return f"{resource['resourceType']}/{name}"


def _is_report(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("resourceType") == "DiagnosticReport"


def _identity(resource: dict[str, Any]) -> Identity:
    """Return who a Patient of the server is, as a chart is read."""
    content = orjson.dumps({"resourceType": "Bundle", "entry": [{"resource": resource}]})
    (found,) = patients([parse(content, "FHIR server")], {})
    return found.identity


def _stated(reading: Reading) -> Identity:
    who = reading.subject
    return Identity(
        source="reading",
        identifiers=((who.issuer, who.id),),
        sex=who.sex if who.sex in ("female", "male") else None,
    )


def _reached(
    references: list[dict[str, Any]], resources: Mapping[str, dict[str, Any]]
) -> Iterator[str]:
    """Yield the results of a report and their members: what it says, not what stood before."""
    for one in references:
        url = one["reference"]
        yield url
        yield from _reached(resources[url].get("hasMember", []), resources)


def _renamed(resource: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a resource whose references to others of the bundle are those of the report."""

    def one(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: names.get(held, held) if key == "reference" else one(held)
                for key, held in value.items()
            }
        return [one(held) for held in value] if isinstance(value, list) else value

    changed: dict[str, Any] = one(resource)
    return changed
