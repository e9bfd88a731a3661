"""The bundled examples as patients of the sandbox's FHIR server, and as cases of the service."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson

from serving.access.compartment import encounter_compartment, patient_compartment
from serving.access.principal import Principal, Role
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.sandbox.servers import FhirServer
from serving.services import Services

CHART = "chart.json"
SEEDER = Principal(
    subject="sandbox", name="Sandbox", roles=frozenset({Role.CLINICIAN}), via="local"
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One bundled example, its ids made its own.

    Args:
        name: Its name.
        patient: Id of its patient at the FHIR server.
        encounter: Id of its encounter.
        chart: Its chart as a Bundle.
        files: Its other files.
    """

    name: str
    patient: str
    encounter: str
    chart: dict[str, Any]
    files: tuple[tuple[str, bytes], ...]


def read_example(name: str) -> Example:
    """Return a bundled example; every one is of another patient of one server.

    Args:
        name: As in ``epicrisis demo``.
    """
    folder = files("serving") / "examples" / name
    content = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    bundle = orjson.loads(dict(content)[CHART])
    own = name.replace("_", "-")
    resources = [entry["resource"] for entry in bundle["entry"]]
    names = {
        f"{resource['resourceType']}/{resource['id']}": f"{own}-{resource['id']}"
        for resource in resources
    }
    renamed = [_renamed(resource, names) for resource in resources]
    by_type = {resource["resourceType"]: resource["id"] for resource in renamed}
    return Example(
        name=name,
        patient=by_type["Patient"],
        encounter=by_type["Encounter"],
        chart={
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": resource} for resource in renamed],
        },
        files=tuple((file, data) for file, data in content if file != CHART),
    )


def load_into(server: FhirServer, example: Example) -> None:
    """Put the chart of an example into the FHIR server."""
    for entry in example.chart["entry"]:
        server.put(entry["resource"])


def make_case(services: Services, example: Example, *, base: str) -> Case:
    """Make the case of an example, with its ECG, and assess it.

    Args:
        services: Of the application.
        example: The example.
        base: Base address of the FHIR server that has its patient.
    """
    case = services.cases.create(
        label=f"example {example.name}",
        source="fhir",
        by=SEEDER.subject,
        patient=patient_compartment(base, example.patient),
        encounter=encounter_compartment(base, example.encounter),
    )
    for name, content in ((CHART, orjson.dumps(example.chart)), *example.files):
        services.cases.add_file(case.id, name, content, by=SEEDER.subject)
    CaseService(services).assess(case, principal=SEEDER, why="new file")
    return case


def _renamed(resource: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    own = names[f"{resource['resourceType']}/{resource['id']}"]
    found: dict[str, Any] = _repointed({**resource, "id": own}, names)
    return found


def _repointed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_repointed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _repointed(item, names) for key, item in value.items()}
    target = made.get("reference")
    if isinstance(target, str) and target in names:
        made["reference"] = f"{target.partition('/')[0]}/{names[target]}"
    return made
