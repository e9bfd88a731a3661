"""Wall time and memory of a whole assessment, on each bundled example.

Each example is assessed in one process after one warm-up; p50 and p95 are over the runs, the peak
memory is the process's. The first figure is the whole command in a fresh process.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.assess import assess_paths
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from serving.commands.demo import names


def measure(name: str, runs: int) -> dict[str, Any]:
    """Return p50 and p95 in ms of `runs` assessments of one example, after a warm-up."""
    folder = Path(str(files("serving").joinpath("examples", name)))
    now = parse_fhir("2026-11-20T20:00:00Z", clock="bench")
    settings = Settings()
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        assess_paths([folder], at=None, now=now, settings=settings)
        taken.append((time.perf_counter() - start) * 1000)
    taken = sorted(taken[1:])
    return {
        "example": name,
        "runs": runs,
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": round(taken[min(len(taken) - 1, int(0.95 * len(taken)))], 1),
    }


def cold(name: str) -> float:
    """Return the seconds of the whole command in a fresh process."""
    folder = str(files("serving").joinpath("examples", name))
    start = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own command on our own example
        [str(Path(sys.executable).with_name("epicrisis")), "assess", folder, "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return round(time.perf_counter() - start, 2)


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    rows = [measure(name, arguments.runs) for name in names()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {
        "what": "whole assessment of the bundled examples, one process",
        "examples": rows,
        "fresh_process_s": cold(names()[0]),
        "peak_memory_mib": round(peak),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
