"""How often the small router, retrieval, words alone and a larger model name the right tools.

Run from the repository root: ``python bench/router_moe.py [--large] [--ship] [--limit N]``.

It runs the evaluation ``tool_routing`` (139 requests written apart from the training) and prints
shares with Wilson's intervals and the latency of every system, requests in English and in Chinese
apart. ``--large`` adds the configured language model, some ten seconds a request on two cores.
``--ship`` copies the adapter with its card into the package.
Without a trained router the shipped adapter is put together. Exit status 3 where that fails.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from agent.llm.choice import Choice
from agent.router_planner.weights import NoRouterError, required_router, router_folder
from evals.discovery import task
from evals.models import evaluated_llm
from evals.report import markdown
from evals.results import TaskResult, save
from evals.runner import Plan, run_task
from evals.scoring import System, Trial, added
from evals.statistics import Share, quantile
from knowledge.errors import UnavailableError
from knowledge.settings import Settings, load_settings
from serving.llm.train_router.assemble import SHIPPED, put_together, shipped_adapter
from serving.llm.train_router.base import open_base, packaged_base
from serving.llm.train_router.card import ship

MISSING = 3  # exit status where something needed is not there
SMALL: tuple[System, ...] = (
    *("router", "nearest-card", "nearest-words", "nearest-both", "nearest-phrase"),
)
SHOWN = ("right", "tool", "ids", "refused", "right_model", "tool_model", "refused_model")


def main() -> int:
    """Run, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--large", action="store_true", help="the configured model too")
    parser.add_argument("--limit", type=int, help="most requests, evenly taken")
    parser.add_argument("--out", type=Path, help="folder for the results")
    parser.add_argument("--ship", action="store_true", help="put adapter and card in the package")
    asked = parser.parse_args()
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        try:
            settings = with_router(settings, Path(folder))
        except UnavailableError as error:
            print(f"not run: {error}")
            return MISSING
        return run(asked, settings)


def with_router(settings: Settings, folder: Path) -> Settings:
    """Return settings with a router: the configured one, else the shipped adapter put together.

    Raises:
        UnavailableError: There is neither; the message says why.
    """
    if settings.router_url is not None:
        return settings
    try:
        required_router(settings)
    except NoRouterError:
        base = open_base(packaged_base(settings))
        put_together(base, shipped_adapter(), folder, checkpoint=False, tell=print)
        return settings.model_copy(update={"router_dir": folder})
    return settings


def run(asked: argparse.Namespace, settings: Settings) -> int:
    """Measure, print and write."""
    result = asyncio.run(measured(settings, large=asked.large, limit=asked.limit))
    if asked.out is not None:
        save(result, asked.out)
        (asked.out / "report.md").write_text(markdown([result]), "utf-8")
    lines = told(result)
    print("\n".join(lines))
    if asked.ship:
        print(f"wrote {ship(router_folder(settings), lines, SHIPPED)}")
    print(json.dumps({"cases": result.cases, "llm": result.llm}))
    return 0


async def measured(settings: Settings, *, large: bool, limit: int | None) -> TaskResult:
    """Return the trials of every system."""
    systems = (*SMALL, "llm-alone") if large else SMALL
    plan = Plan(systems=systems, limit=limit)
    if not large:
        none = Choice(llm=None, reason="not asked for")
        return await run_task(task("tool_routing"), none, settings, plan)
    async with evaluated_llm("configured", settings) as choice:
        return await run_task(task("tool_routing"), choice, settings, plan)


def told(result: TaskResult) -> list[str]:
    """Return one line for each system and language, and for each metric of it."""
    lines = []
    for system in result.systems:
        trials = result.of(system)
        seconds = sorted(trial.seconds for trial in trials)
        failed = sum(bool(trial.failure) for trial in trials)
        lines.append(
            f"{system}: {len(trials)} requests, {failed} failed, "
            f"median {quantile(seconds, 0.5):.2f} s, 95 % within {quantile(seconds, 0.95):.2f} s"
        )
        for language in ("en", "zh"):
            some = [trial for trial in trials if language in trial.tags]
            shares = ((metric, added(some, metric)) for metric in SHOWN)
            lines += [f"  {language} {metric}: {_share(s)}" for metric, s in shares if s.of]
        both = ((metric, added(trials, metric)) for metric in (*SHOWN, *_rest(trials)))
        lines += [f"  all {metric}: {_share(share)}" for metric, share in both if share.of]
    return lines


def _rest(trials: tuple[Trial, ...]) -> tuple[str, ...]:
    found = {key for trial in trials for key in trial.measured.counts}
    return tuple(sorted(found - set(SHOWN)))


def _share(share: Share) -> str:
    if share.share is None or share.low is None or share.high is None:
        return "nothing to count"
    return (
        f"{share.hits:.0f} of {share.of:.0f} = {100 * share.share:.0f} % "
        f"[{100 * share.low:.0f}, {100 * share.high:.0f}] {share.interval}"
    )


if __name__ == "__main__":
    sys.exit(main())
