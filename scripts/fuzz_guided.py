"""Try the front door with files of a coverage-guided fuzzer: ``python scripts/fuzz_guided.py``.

atheris keeps every change that reaches new lines of the readers and changes it further, beginning
with the seeds of `tests/fuzzing/seeds.py`. What must hold is what `tests/fuzzing/front_door.py`
says. One process a kind; a file that breaks a rule is kept and named. Exit code 1: one did, or a
kind was not tried at all; 3: atheris is not installed (``pip install --group fuzz``).
"""

import argparse
import importlib.util
import random
import subprocess  # a process a kind: the fuzzer ends its own
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

SEEDS_A_KIND = 12
LONGEST = 200_000
"""Bytes of a made file."""
MISSING = 3
_BROKEN = "BROKEN RULE"


def main() -> int:
    """Return the exit code."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--kind", action="append", help="only this kind; may be repeated")
    ask.add_argument("--seconds", type=int, default=60, help="for each kind")
    ask.add_argument("--save", type=Path, default=Path("out/fuzz"), help="where failures are kept")
    ask.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)  # in the process of a kind
    said = ask.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install --group fuzz", file=sys.stderr)
        return MISSING
    if said.corpus is not None:
        return _fuzz(said.kind[0], said.seconds, said.save, said.corpus)
    from tests.fuzzing.seeds import KINDS

    if unknown := set(said.kind or ()) - set(KINDS):
        print(f"no such kind: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    said.save.mkdir(parents=True, exist_ok=True)
    return max(_kind(kind, said.seconds, said.save) for kind in said.kind or KINDS)


def _kind(kind: str, seconds: int, save: Path) -> int:
    """Fuzz one kind in a process of its own; return 1 where a rule broke or nothing was tried."""
    command = [sys.executable, __file__, "--kind", kind, "--seconds", str(seconds)]
    with tempfile.TemporaryDirectory() as corpus:
        command += ["--save", str(save), "--corpus", corpus]
        ran = subprocess.run(  # noqa: S603 - our own script
            command, capture_output=True, text=True, errors="replace", check=False
        )
    runs = [line for line in ran.stderr.splitlines() if line.startswith("Done ")]
    reached = [line for line in ran.stderr.splitlines() if " cov: " in line]
    bad = ran.returncode != 0 or not runs
    covered = reached[-1].split(" cov: ")[1].split()[0] if reached else "-"
    print(f"{kind:<14}{covered:>8} points reached  {runs[-1] if runs else 'not finished'}")
    if bad:
        print(ran.stdout[-2000:], ran.stderr[-2000:], sep="\n", flush=True)
    return int(bad)


def _fuzz(kind: str, seconds: int, save: Path, corpus: Path) -> int:
    """Fuzz in this process; the fuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["tools", "knowledge"]):
        from tests.fuzzing.front_door import Input, quiet, tried
        from tests.fuzzing.seeds import pick
    quiet()
    rng = random.Random(kind)  # noqa: S311 - not for secrets
    seeds = [pick(kind, rng) for _ in range(SEEDS_A_KIND)]

    def one(content: bytes) -> None:
        made = Input(
            kind=kind,
            number=0,
            seed=seeds[0],
            content=content,
            changes=("guided",),
            chart="a-chart.json",
            stated=True,
        )
        broken = tried(made).violations
        if broken:
            print(f"{_BROKEN}: {'; '.join(broken)}", flush=True)
            raise AssertionError(broken[0])

    for at, seed in enumerate(seeds):
        if len(seed.content) <= LONGEST:
            (corpus / str(at)).write_bytes(seed.content)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-rss_limit_mb=4096"]
    kept = f"-artifact_prefix={save}/{kind}-"
    atheris.Setup([sys.argv[0], str(corpus), *limits, "-seed=1", kept], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
