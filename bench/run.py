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


MISSING = 3
"""Exit status of a benchmark that has said what it needs and does not have, for example records."""


def main() -> int:
    """Run all, say which failed and which were not run, and return the number that failed."""
    failed, left = [], []
    for script in SCRIPTS:
        print(f"== {script}", flush=True)
        done = subprocess.run([sys.executable, str(HERE / script)], check=False)  # noqa: S603
        if done.returncode == MISSING:
            left.append(script)
        elif done.returncode:
            failed.append(f"{script} ({done.returncode})")
    print(f"== not run, for the reason above: {', '.join(left) or 'none'}")
    print(f"== failed: {', '.join(failed) or 'none'}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
