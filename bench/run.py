"""Run every benchmark, each in its own process, and print what it measured: ``make bench``."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "bundle_against_fhir_resources.py",
    "ecg_against_neurokit.py",
    "ecg_statements.py",
    "ecg_patterns.py",
    "assessment.py",
    "agent_overhead.py",
    "llm_seam.py",
    "retrieval.py",
    "router_moe.py",
    "cds_hooks.py",
    "hl7.py",
    "plugged_models.py",
    "films.py",
    "slides.py",
    "ct.py",
    "dicom.py",
    "llm_capacity.py",
    "llm_capacity_vllm.py",
)


def main() -> int:
    """Return the number of benchmarks that failed."""
    failed = 0
    for script in SCRIPTS:
        print(f"== {script}", flush=True)
        done = subprocess.run([sys.executable, str(HERE / script)], check=False)  # noqa: S603
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
