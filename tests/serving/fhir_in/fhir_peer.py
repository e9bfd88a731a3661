"""A FHIR server on loopback that can be told to go wrong in every way real ones do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from knowledge.settings import Settings
from serving.access.outbound import OutboundClient
from serving.fhir_in.pull import Fetch
from tests.serving.access.peers import Answer, Peer, as_json, serving

PATIENT = "p-1"


@dataclass
class FhirPeer:
    """What the server holds, and what it answers instead."""

    answers: dict[str, Answer] = field(default_factory=dict)
    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    url: str = ""
    peer: Peer | None = None

    @property
    def base(self) -> str:
        return f"{self.url}/fhir"

    def instead(self, path: str, answer: Answer) -> None:
        """Answer this for a path below the base: ``Observation`` or ``Observation?page=2``."""
        self.answers[path] = answer

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(path)
        place = parts.path.removeprefix("/fhir/")
        page = parse_qs(parts.query).get("page", [""])[0]
        key = f"{place}?page={page}" if page else place
        if key in self.answers:
            return self.answers[key]
        kind, _, wanted = place.partition("/")
        found = self.held.get(kind, [])
        if wanted:
            one = next((r for r in found if r["id"] == wanted), None)
            return as_json(one) if one else as_json({"resourceType": "OperationOutcome"}, 404)
        return as_json(bundle(found))

    @property
    def asked(self) -> list[str]:
        return [] if self.peer is None else [seen[1] for seen in self.peer.seen]


def bundle(found: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    entries = [{"resource": r, "search": {"mode": "match"}} for r in found]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": entries,
        **more,
    }


def of_patient(kind: str, name: str, patient: str = PATIENT, **more: Any) -> dict[str, Any]:
    owner = "patient" if kind == "AllergyIntolerance" else "subject"
    return {
        "resourceType": kind,
        "id": name,
        owner: {"reference": f"Patient/{patient}"},
        **more,
    }


@contextmanager
def fhir_peer() -> Iterator[FhirPeer]:
    """Run a server that holds one patient with one Observation."""
    state = FhirPeer()
    state.held = {
        "Patient": [{"resourceType": "Patient", "id": PATIENT, "gender": "female"}],
        "Observation": [of_patient("Observation", "o-1", status="final")],
    }
    with serving(state.answer) as peer:
        state.url, state.peer = peer.url, peer
        yield state


def fetch_by(peer: FhirPeer, folder: Path, **settings: Any) -> Fetch:
    """Return how the product itself reads an address: through its outbound client."""
    host = urlsplit(peer.url).netloc
    client = OutboundClient(Settings(data_dir=folder, outbound_private_hosts=(host,), **settings))
    return lambda url: client.get_json(url, purpose="FHIR read")
