"""The workspace as it is served: the real service on loopback, with the bundled examples."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.settings import Settings
from tests.data_folder import ROOT
from tests.peers.running import RunningService, running_service

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
"""After the moments that the bundled examples state, on their day."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The running service, for the single local user."""
    bound = socket.create_server(("127.0.0.1", 0))
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("site"), llm="none", port=bound.getsockname()[1]
    )
    with running_service(settings, bound, clock=lambda: NOW) as running:
        yield running


@pytest.fixture(scope="session")
def assessed() -> dict[str, Assessment]:
    """The bundled examples, assessed."""
    names = ("stemi", "nstemi", "early_presenter", "half_missing")
    return {name: _assessed(name) for name in names}


def _assessed(name: str) -> Assessment:
    folder = ROOT / "serving" / "examples" / name
    at = ClinicalTime(at=NOW)
    return assess_paths([folder], at=None, now=at, settings=Settings()).assessment
