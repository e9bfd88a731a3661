"""Our CDS Hooks services called by HealthChain's sandbox client, which signs nothing."""

import json
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.peers.running import RunningService
from tests.serving.cds.hooks import MOMENTS, example

SCRIPT = Path(__file__).with_name("healthchain_client.py")


@pytest.fixture(scope="module")
def service_clock() -> Callable[[], datetime]:
    """The moment of the example."""
    return lambda: MOMENTS["nstemi"]


@pytest.fixture(scope="module")
def service_settings() -> dict[str, Any]:
    """Without clients: only this machine may call, unsigned."""
    return {"cds_budget_ms": 20_000}


def run(python: Path, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the client received; it gives ``{}`` for an error."""
    done = subprocess.run(  # noqa: S603 - our own script
        [str(python), str(SCRIPT)],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_another_real_client_gets_cards(
    healthchain_python: Path, epicrisis_service: RunningService
) -> None:
    """It leaves the orders out of what it sends: order hooks cannot be tried with it."""
    address = f"{epicrisis_service.url}/cds-services/chest-pain-patient-view"
    view, synthetic = run(
        healthchain_python,
        [
            {
                "url": address,
                "workflow": "patient-view",
                "prefetch": example("nstemi"),
                "context": {"patientId": "patient", "userId": "Practitioner/dr-2"},
            },
            {"url": address, "workflow": "patient-view", "synthetic": True},
        ],
    )
    assert [card["indicator"] for card in view["cards"]] == ["warning"]
    assert "24 ng/L, 43 ng/L" in view["cards"][0]["detail"]
    assert synthetic == {}, "other keys than ours, and no token: 412, which this client drops"
    assert len(epicrisis_service.services.cases.list()) == 1
