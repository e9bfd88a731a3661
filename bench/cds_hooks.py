"""CDS Hooks under load: an open loop of signed calls against a real process, from one machine.

Calls are sent when they are due, whether earlier ones were answered or not, so that a slow server
cannot slow its own load down. Each has a prefetch of 50 resources and a token of its own (ES384).
Most charts of a hospital are of no chest pain, and
people come back to the charts they have open: the mix is printed. The same bodies are sent at the
same rate to a bare FastAPI endpoint that only parses them, in the same run: the ratio says what is
ours. The generator's own load and lateness are part of the result.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey

from knowledge.settings import Settings

RATE = 20
SECONDS = 60
RESOURCES = 50
CALLS_PER_CHART = 10
OPEN_AT_ONCE = 40
CHEST_PAIN_SHARE = 0.05
"""About the share of emergency visits for chest pain; a hook is called for every chart."""
SERVER = "https://ehr.example/fhir"
ISSUER = "https://ehr.example"
SERVICE = "/cds-services/chest-pain-patient-view"
GOAL_MS = 100


@dataclass(frozen=True)
class Sample:
    """One call: how late it was sent, how long the answer took, and what it was."""

    late_ms: float
    took_ms: float
    status: int
    said: str


def chart(patient: str, now: datetime, rng: random.Random, *, chest_pain: bool) -> dict[str, Any]:
    """Return a prefetch of exactly `RESOURCES` resources of one invented patient."""
    bundle = json.loads(
        files("serving").joinpath("examples", "nstemi", "chart.json").read_text("utf-8")
    )
    found: list[dict[str, Any]] = []
    for entry in bundle["entry"]:
        one = entry["resource"]
        kind = one["resourceType"]
        loinc = {c.get("code") for c in one.get("code", {}).get("coding", [])}
        if kind == "Observation" and not chest_pain and "67151-1" in loinc:
            continue
        if kind == "Patient":
            one |= {"id": patient, "identifier": [{"system": "urn:bench", "value": patient}]}
        else:
            one["subject"] = {"reference": f"Patient/{patient}"}
        if "effectiveDateTime" in one:
            back = timedelta(minutes=40 + 62 * (one["id"] == "hs-ctnt-1"))
            one["effectiveDateTime"] = (now - back).isoformat()
        if kind == "Encounter":
            one |= {
                "id": f"enc-{patient}",
                "period": {"start": (now - timedelta(hours=2)).isoformat()},
            }
        found.append(one)
    if chest_pain:
        found.append(_pain(patient, now))
    while len(found) < RESOURCES:
        found.append(_pressure(patient, now, len(found), rng))
    return _prefetch(found[:RESOURCES])


def _pain(patient: str, now: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "pain",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "R07.4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "recordedDate": (now - timedelta(hours=1)).isoformat(),
    }


def _pressure(patient: str, now: datetime, place: int, rng: random.Random) -> dict[str, Any]:
    code, unit, low, high = rng.choice(
        [("8867-4", "/min", 60, 95), ("59408-5", "%", 95, 99), ("9279-1", "/min", 12, 18)]
    )
    return {
        "resourceType": "Observation",
        "id": f"vital-{place}",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": (now - timedelta(minutes=5 * place)).isoformat(),
        "valueQuantity": {
            "value": rng.randint(low, high),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def _prefetch(resources: list[dict[str, Any]]) -> dict[str, Any]:
    keys = {
        "Encounter": "encounters",
        "Condition": "conditions",
        "Observation": "observations",
        "MedicationRequest": "medications",
        "Procedure": "procedures",
        "DiagnosticReport": "reports",
    }
    made: dict[str, Any] = {
        key: {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": r} for r in resources if r["resourceType"] == kind],
        }
        for kind, key in keys.items()
    }
    made["patient"] = next(r for r in resources if r["resourceType"] == "Patient")
    return made


def bodies(count: int, rng: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """Return one call for each patient, without what changes from call to call."""
    now = datetime.now(UTC)
    found = []
    for number in range(count):
        patient = f"p{number:04d}"
        pain = number < count * CHEST_PAIN_SHARE
        found.append(
            (
                patient,
                {
                    "hook": "patient-view",
                    "fhirServer": SERVER,
                    "context": {"patientId": patient, "encounterId": f"enc-{patient}"},
                    "prefetch": chart(patient, now, rng, chest_pain=pain),
                },
            )
        )
    return found


def token(key: ECKey, audience: str) -> str:
    """Return a signed token, valid once."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "iat": now,
        "exp": now + 240,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode({"alg": "ES384", "kid": key.kid, "typ": "JWT"}, claims, key, ["ES384"])


def opened(number: int, charts: int) -> int:
    """Return which chart a call is about: every `CALLS_PER_CHART`-th call opens a new one.

    The others are about one of the charts opened last: people go back and order for them.
    """
    newest = min(number // CALLS_PER_CHART, charts - 1)
    if number % CALLS_PER_CHART == 0:
        return newest
    return max(0, newest - (number * 7919) % OPEN_AT_ONCE)


async def open_loop(
    url: str, sent: Sequence[dict[str, Any]], key: ECKey | None, *, rate: float, seconds: float
) -> list[Sample]:
    """Send calls when they are due, and return what came of each."""
    samples: list[Sample] = []
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    async with httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as client:

        async def one(number: int, due: float) -> None:
            body = dict(sent[opened(number, len(sent))])
            body["hookInstance"] = str(uuid.uuid4())
            body["context"] = {**body["context"], "userId": f"Practitioner/u{number}"}
            content = json.dumps(body).encode()
            headers = {"Content-Type": "application/json"}
            if key is not None:
                headers["Authorization"] = f"Bearer {token(key, url)}"
            start = time.perf_counter()
            status, said = await _sent(client, url, content, headers)
            took = (time.perf_counter() - start) * 1000
            samples.append(Sample((start - due) * 1000, took, status, said))

        tasks = []
        begin = time.perf_counter() + 0.2
        for number in range(int(rate * seconds)):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(number, due)))
        await asyncio.gather(*tasks)
    return samples


async def _sent(
    client: httpx.AsyncClient, url: str, content: bytes, headers: dict[str, str]
) -> tuple[int, str]:
    try:
        answer = await client.post(url, content=content, headers=headers)
    except httpx.HTTPError as error:
        return 0, type(error).__name__
    if answer.status_code != 200:
        return answer.status_code, "error"
    cards = answer.json().get("cards")
    if cards is None:
        return 200, "parsed"
    if not cards:
        return 200, "no card"
    return 200, ", ".join(card["source"]["topic"]["code"] for card in cards)


def summary(samples: Sequence[Sample], cpu_s: float, wall_s: float) -> dict[str, Any]:
    """Return the figures of one open loop; latency counts from when the call was sent."""
    took = sorted(s.took_ms for s in samples)
    late = sorted(s.late_ms for s in samples)
    said: dict[str, int] = {}
    for sample in samples:
        name = sample.said if sample.status == 200 else f"{sample.status} {sample.said}"
        said[name] = said.get(name, 0) + 1
    return {
        "calls": len(samples),
        "errors": sum(s.status != 200 for s in samples),
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(_share(took, 0.95), 1),
        "p99_ms": round(_share(took, 0.99), 1),
        "max_ms": round(took[-1], 1),
        "answers": dict(sorted(said.items())),
        "generator": {
            "late_p95_ms": round(_share(late, 0.95), 1),
            "late_max_ms": round(late[-1], 1),
            "cpu_share_of_one_core": round(cpu_s / wall_s, 2),
        },
    }


def _share(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def measured(
    url: str, sent: Sequence[dict[str, Any]], key: ECKey | None, *, rate: float, seconds: float
) -> dict[str, Any]:
    """Run one open loop and return its figures."""
    wall, cpu = time.perf_counter(), time.process_time()
    samples = asyncio.run(open_loop(url, sent, key, rate=rate, seconds=seconds))
    return summary(samples, time.process_time() - cpu, time.perf_counter() - wall)


def serve(kind: str, port: int, folder: str) -> None:
    """Be one of the two servers: ``ours`` or ``bare``."""
    import uvicorn

    if kind == "bare":
        from fastapi import FastAPI

        bare = FastAPI()

        @bare.post(SERVICE)
        def parsed(body: dict[str, Any]) -> dict[str, int]:
            return {"keys": len(body)}

        uvicorn.run(bare, host="127.0.0.1", port=port, log_level="warning", access_log=False)
        return
    from serving.app import create_app
    from serving.assembly import assemble

    services = assemble(
        Settings(
            data_dir=Path(folder), port=port, clients_file=Path(folder) / "clients.yaml", llm="none"
        )
    )
    uvicorn.run(
        create_app(services), host="127.0.0.1", port=port, log_level="warning", access_log=False
    )


class Server:
    """A server in a process of its own, up when entered and gone when left."""

    def __init__(self, kind: str, folder: str) -> None:
        self.kind, self.folder, self.port = kind, folder, _free_port()
        self.cpu_s = 0.0

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(  # noqa: S603 - this script itself
            [sys.executable, __file__, "--serve", self.kind, str(self.port), self.folder]
        )
        until = time.monotonic() + 90
        while time.monotonic() < until:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError(f"the {self.kind} server did not start")

    def __exit__(self, *_: object) -> None:
        before = _of_children()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.cpu_s = _of_children() - before

    @property
    def url(self) -> str:
        """The address that is called."""
        return f"http://127.0.0.1:{self.port}{SERVICE}"


def _of_children() -> float:
    """Return the processor seconds of every child that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ticks() -> tuple[int, ...]:
    """Return the processor ticks of this machine by use, as Linux counts them; else none."""
    try:
        first = Path("/proc/stat").read_text("ascii").partition("\n")[0]
    except OSError:
        return ()
    return tuple(int(word) for word in first.split()[1:9])


def _stolen(before: tuple[int, ...], after: tuple[int, ...]) -> float | None:
    """Return the share of the time in which a virtual machine was not let run."""
    if len(before) < 8 or len(after) < 8:
        return None
    passed = [b - a for a, b in zip(before, after, strict=True)]
    return round(passed[7] / max(1, sum(passed)), 3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=3, metavar=("KIND", "PORT", "FOLDER"))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rate", type=float, default=RATE)
    arguments = parser.parse_args()
    if arguments.serve:
        kind, port, folder = arguments.serve
        serve(kind, int(port), folder)
        return
    rng = random.Random(7)  # noqa: S311 - invented charts
    charts = bodies(int(arguments.rate * arguments.seconds) // CALLS_PER_CHART + 1, rng)
    rng.shuffle(charts)
    sent = [body for _, body in charts]
    key = ECKey.generate_key("P-384", parameters={"kid": "bench"})
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        clients = {
            "client_id": ISSUER,
            "jwks": {"keys": [key.as_dict(private=False)]},
            "cds": True,
            "tenants": [SERVER],
        }
        (Path(folder) / "clients.yaml").write_text(yaml.safe_dump({"clients": [clients]}), "utf-8")
        rate, seconds = arguments.rate, arguments.seconds
        with Server("bare", folder) as bare:
            measured(bare.url, sent, None, rate=rate, seconds=3)
            parsing = measured(bare.url, sent, None, rate=rate, seconds=min(15, seconds))
        with Server("ours", folder) as ours:
            first = measured(ours.url, sent[:1], key, rate=1, seconds=2)
            ticks = _ticks()
            result = measured(ours.url, sent, key, rate=rate, seconds=seconds)
            stolen = _stolen(ticks, _ticks())
    size = len(json.dumps(sent[0]).encode())
    print(
        json.dumps(
            {
                "what": "CDS Hooks patient-view, open loop, signed calls, real process",
                "rate_per_s": rate,
                "seconds": seconds,
                "resources_per_call": RESOURCES,
                "body_bytes": size,
                "patients": len(sent),
                "charts_of_chest_pain": CHEST_PAIN_SHARE,
                "calls_per_chart": CALLS_PER_CHART,
                "goal_p95_ms": GOAL_MS,
                "epicrisis": result,
                "bare_fastapi_that_only_parses": parsing,
                "p95_over_bare": round(result["p95_ms"] / parsing["p95_ms"], 2),
                "server_cpu_ms_per_call_with_its_start": round(
                    1000 * ours.cpu_s / result["calls"], 1
                ),
                "first_calls_of_the_process": {"max_ms": first["max_ms"]},
                "machine": {
                    "cpu_taken_by_other_machines": stolen,
                    "cores": os.cpu_count(),
                    "load_before": round(before, 2),
                    "load_after": round(os.getloadavg()[0], 2),
                    "generator_peak_mib": round(
                        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    ),
                },
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
