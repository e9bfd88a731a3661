"""Time our whole ECG measurement against neurokit2 on the same records, in the same run.

Run from the repository root: ``python bench/ecg_against_neurokit.py [--records N]``. The records
are 12-lead, 10 s; ours measures all twelve leads, neurokit2 cleans, finds R peaks and delineates
one.

neurokit2 is no dependency of ours. Where it is absent the script says so and stops:
``python -m venv nk && nk/bin/pip install neurokit2 -e .`` makes an environment that has both.
"""

import argparse
import importlib
import importlib.util
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RATE_HZ = 500
MISSING = 3  # exit status where something needed is not installed or not there


def main() -> int:
    """Print the times of both and their ratio; return the exit status."""
    parser = argparse.ArgumentParser(description="ECG measurement against neurokit2")
    parser.add_argument("--records", type=int, default=30, help="how many records (default 30)")
    count: int = parser.parse_args().records
    if importlib.util.find_spec("neurokit2") is None:
        _say("neurokit2 is not installed: pip install neurokit2 (in an environment of its own)")
        return MISSING
    data = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    headers = sorted((data / "ecg-ludb" / "records").glob("*.hea"))[:count]
    if not headers:
        _say("no records: set EPICRISIS_TEST_DATA to a folder with ecg-ludb")
        return MISSING
    _compare(headers)
    return 0


def _compare(headers: list[Path]) -> None:
    sys.path.insert(0, str(ROOT))
    neurokit = importlib.import_module("neurokit2")
    read = importlib.import_module("tools.ecg.readers").read_ecg
    measure = importlib.import_module("tools.ecg.measure").measure
    recordings = []
    for header in headers:
        siblings = {p.name: p.read_bytes() for p in header.parent.glob(f"{header.stem}.*")}
        recordings.append(read(header.read_bytes(), file=header.name, siblings=siblings))
    lead_two = [r.signal_mv[:, r.leads.index("II")] for r in recordings]

    def delineated(lead: object) -> None:
        signals, peaks = neurokit.ecg_process(lead, sampling_rate=RATE_HZ)
        neurokit.ecg_delineate(
            signals["ECG_Clean"], peaks["ECG_R_Peaks"], sampling_rate=RATE_HZ, method="dwt"
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measure(recordings[0])  # both warm
        delineated(lead_two[0])
        ours = [_seconds(measure, recording) for recording in recordings]
        theirs = [_seconds(delineated, lead) for lead in lead_two]
    _report("ours, 12 leads, everything", ours)
    _report(f"neurokit2 {neurokit.__version__}, lead II, ecg_process + ecg_delineate", theirs)
    ratio = statistics.median(theirs) / statistics.median(ours)
    _say(f"median ratio: ours is {ratio:.1f} times as fast, on 12 leads against 1")


def _seconds(work: Callable[[Any], object], given: object) -> float:
    start = time.perf_counter()
    work(given)
    return time.perf_counter() - start


def _report(name: str, seconds: list[float]) -> None:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    _say(
        f"{name}: n {len(seconds)}, median {1000 * statistics.median(seconds):.1f} ms, "
        f"p95 {1000 * p95:.1f} ms"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
