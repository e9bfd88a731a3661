"""When an evaluation lets a model answer, and every reason why not."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from agent.llm.pool.approval import ApprovalFile, Setup, prompts_hash
from agent.llm.pool.config import ApprovalRow, Floor, ModelRow
from evals.commands import register
from evals.gate import failing, figures, report_hash, setup_under_test
from evals.results import TaskResult, save
from evals.scoring import Count, LLMUse, Measured, Metric, Trial
from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from serving.audit.log import AuditLog
from serving.storage.opening import open_storage

PROMPTS = "a" * 64
ROW = ModelRow(revision="r1")
SETUP = Setup(model="moe", revision="r1", prompts_sha256=PROMPTS)
METRICS = (Metric(id="right", title="right"), Metric(id="canary", title="canary", must=0.0))


def result(task: str = "grounding", **changes: Any) -> TaskResult:
    right = changes.pop("right", (True, True, True, False))
    trials = tuple(
        Trial(
            case=f"c{n}",
            system="agent",
            llm=LLMUse(calls=2, failed_calls=changes.get("_lost", 0)),
            measured=Measured(
                counts={
                    "right": Count.of_all([good]),
                    "canary": Count(hits=changes.get("_canary", 0.0), of=1),
                }
            ),
        )
        for n, good in enumerate(right)
    )
    changes.pop("_canary", None)
    changes.pop("_lost", None)
    values: dict[str, Any] = {
        "task": task,
        "title": task,
        "cases": len(right),
        "of_cases": len(right),
        "metrics": METRICS,
        "systems": ("agent",),
        "trials": trials,
        "setup": SETUP,
        "llm": "moe",
        "epicrisis": "0.1.0",
    }
    return TaskResult.model_validate({**values, **changes})


def reasons(*results: TaskResult, **rules: Any) -> tuple[str, ...]:
    return failing(
        results,
        ApprovalRow(**{"tasks": ("grounding",), **rules}),
        model="moe",
        row=ROW,
        prompts_sha256=PROMPTS,
        cases={"grounding": 4},
    )


def test_a_whole_run_without_a_defect_passes() -> None:
    assert reasons(result()) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "other"}, "grounding: was not run"),
        ({"skipped": "no data"}, "grounding: not run: no data"),
        ({"cases": 3}, "grounding: 3 of 4 cases were run"),
        ({"systems": ("rules",)}, "the agent was not tested"),
        ({"setup": None}, "was run with no model, not with moe"),
        (
            {"setup": SETUP.model_copy(update={"model": "honest fake"})},
            "was run with honest fake, not with moe",
        ),
        ({"setup": SETUP.model_copy(update={"revision": "r2"})}, "other weights (r2)"),
        ({"setup": SETUP.model_copy(update={"prompts_sha256": "b" * 64})}, "other prompts"),
        ({"_canary": 1.0}, "grounding: agent: canary: 1.000"),
    ],
)
def test_what_keeps_it_from_answering_is_named(changes: dict[str, Any], said: str) -> None:
    found = reasons(result(**changes))
    assert any(said in reason for reason in found), found


def test_failed_trials_are_counted() -> None:
    good = result()
    broken = good.trials[0].model_copy(update={"failure": "LLMDownError"})
    found = reasons(good.model_copy(update={"trials": (broken, *good.trials[1:])}))
    assert "grounding: agent: 1 of 4 trials failed" in found


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        # 3 of 4 are right: 75 %, Wilson 95 % 30.1 to 95.4 (textbook formula, by hand)
        (Floor(task="grounding", metric="right", least=0.8), "75.0 % (30.1 to 95.4; 3/4) is below"),
        (Floor(task="grounding", metric="right", most=0.5), "is above 50 %"),
        (Floor(task="grounding", metric="other", least=0.1), "was not counted"),
        (Floor(task="chest_pain", metric="right", least=0.1), "was not counted"),
    ],
)
def test_a_floor_that_is_not_reached_is_named_with_the_figure(floor: Floor, said: str) -> None:
    assert reasons(result(), floors=(Floor(task="grounding", metric="right", least=0.75),)) == ()
    (found,) = reasons(result(), floors=(floor,))
    assert said in found


def test_a_model_that_never_answered_does_not_pass_although_the_agent_ends_well() -> None:
    assert "grounding: agent: 8 of 8 calls of the model failed" in reasons(result(_lost=2))
    unasked = result()
    trials = tuple(t.model_copy(update={"llm": LLMUse()}) for t in unasked.trials)
    found = reasons(unasked.model_copy(update={"trials": trials}))
    assert "grounding: agent: the model was never asked" in found


def test_tasks_with_different_setups_are_no_setup() -> None:
    other = SETUP.model_copy(update={"index_sha256": "c" * 64})
    assert setup_under_test([result(), result("injection")]) == SETUP
    assert setup_under_test([result(), result("injection", setup=other)]) is None


def test_the_figures_are_those_of_the_report() -> None:
    (right, canary) = figures([result()])
    assert (right.metric, right.share, right.of) == ("right", 0.75, 4)
    assert (canary.metric, canary.share) == ("canary", 0.0)


POOL = """
schema: epicrisis/llm-pool/1
models: {moe: {revision: r1}}
approval: {tasks: [consistency], floors: [{task: consistency, metric: right, least: 0.7}]}
backends: [{name: a, url: "http://127.0.0.1:1/v1", model: moe, patient_data: allowed}]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that approves a run of so many right answers, by the command."""
    from evals.discovery import task

    (tmp_path / "pool.yaml").write_text(POOL)
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EPICRISIS_LLM_POOL", str(tmp_path / "pool.yaml"))
    count = len(task("consistency").cases())

    def approve(right: int, *more: str) -> Any:
        setup = SETUP.model_copy(update={"prompts_sha256": prompts_hash()})
        shares = tuple(n < right for n in range(count))
        made = result("consistency", right=shares, setup=setup, metrics=METRICS[:1])
        save(made, tmp_path / "run")
        app = typer.Typer()
        app.callback()(lambda: None)
        register(app)
        words = ["eval", "approve", str(tmp_path / "run"), "--model", "moe", "--by", "Dr. M", *more]
        return CliRunner().invoke(app, words), count, report_hash(tmp_path / "run")

    return approve


def actions(folder: Path) -> list[str]:
    from serving.audit.event import action_of
    from serving.audit.export import ndjson

    settings = Settings(data_dir=folder)
    database, _ = open_storage(settings)
    AuditLog.of(settings, database, lambda: None)  # type: ignore[arg-type, return-value]
    found = [action_of(orjson.loads(line)) for line in ndjson(database, after=0)]
    database.close()
    return found


def test_a_switch_is_recorded_with_who_and_the_hashes(run: Any, tmp_path: Path) -> None:
    done, count, digest = run(1000, "--json")
    assert done.exit_code == 0, done.output
    said = orjson.loads(done.stdout)
    (kept,) = ApprovalFile.of(tmp_path / "data").all()
    assert said["sha256"] == kept.sha256
    assert (kept.by, kept.setup.model, kept.report_sha256) == ("Dr. M", "moe", digest)
    assert kept.figures[0].share == 1.0
    assert kept.figures[0].of == count
    assert actions(tmp_path / "data") == ["llm.switch-approved"]


def test_a_switch_that_fails_is_refused_with_the_figure_and_audited(
    run: Any, tmp_path: Path
) -> None:
    done, _, _ = run(0)
    assert done.exit_code == 1
    assert "consistency: agent: right: 0.0 %" in done.stderr
    assert ApprovalFile.of(tmp_path / "data").all() == ()
    assert actions(tmp_path / "data") == ["llm.switch-refused"]


def test_a_model_that_is_not_in_the_pool_is_a_wrong_argument(run: Any) -> None:
    done, _, _ = run(1000, "--model", "other")
    assert isinstance(done.exception, InvalidValueError)
