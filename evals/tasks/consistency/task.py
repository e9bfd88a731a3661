"""Whether the same patient gets the same risks, again and in any order of files."""

import random
import shutil
from collections.abc import Mapping
from pathlib import Path

from evals.case import Case
from evals.one_prompt import ask_everything
from evals.outcome import risks_hash
from evals.patients import prepared
from evals.scoring import Count, Measured, Metric, System
from evals.systems import run_agent, run_rules
from evals.task import Bench, Task

_SEED = 20261122


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Run the case with its files in an order of this repeat; compare with the rules' result."""
    folder = prepared(case.given, bench.folder)
    expected = risks_hash(run_rules([folder], bench))
    paths = _shuffled(folder, bench)
    if system == "llm-everything-in-one-prompt":
        answers = [await ask_everything(folder, bench, case.language)]
        if bench.llm is not None:
            bench.llm.new_round()  # a reply from memory would agree with itself
        answers.append(await ask_everything(paths[0].parent, bench, case.language))
        first, second = (one.model_copy(update={"prompt": "", "narrative": ()}) for one in answers)
        return Measured(
            counts={"same": Count.of_all([first == second])}, digest=first.model_dump_json()
        )
    if system == "rules":
        assessment = run_rules(paths, bench)
    else:
        done = await run_agent(*paths, bench=bench, language=case.language)
        assessment = done.outcome.assessment
    found = risks_hash(assessment)
    return Measured(
        counts={"same": Count.of_all([found == expected])},
        notes=() if found == expected else ("the risks differ",),
        digest=found,
    )


def _shuffled(folder: Path, bench: Bench) -> list[Path]:
    """Return the case's files in an order of this repeat, under the names they had."""
    target = bench.folder / "shuffled"
    shutil.copytree(folder, target)
    files = sorted(path for path in target.iterdir() if path.is_file())
    random.Random(_SEED + bench.repeat).shuffle(files)  # noqa: S311  an order, no secret
    return files


def _owed(case: Case, system: System) -> Mapping[str, float]:
    return {"same": 1.0}


TASK = Task(
    name="consistency",
    title="Are the risks identical over repeats and shuffled files?",
    metrics=(
        Metric(
            id="same",
            title="runs with the risks of the rules, bit by bit",
            must=1.0,
            must_for=("agent", "rules"),
        ),
    ),
    systems=("agent", "rules", "llm-everything-in-one-prompt"),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
)
