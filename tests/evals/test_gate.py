"""When an evaluation lets a model answer, and every reason why not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
import typer
from typer.testing import CliRunner

from agent.llm.pool.approval import ApprovalFile, Setup, prompts_hash
from agent.llm.pool.config import ApprovalRow, Floor, ModelRow
from evals import approving
from evals.case import Case
from evals.commands import register
from evals.completeness import all_cases, left_out, unassessed
from evals.discovery import task, task_names
from evals.gate import failing, figures, report_hash, setup_under_test
from evals.manifest import FILE as MANIFEST
from evals.manifest import keep_report, keep_result
from evals.results import TaskResult, save
from evals.scoring import Count, LLMUse, Measured, Metric, System, Trial
from evals.task import Bench, Task
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.audit.log import AuditLog
from serving.storage.opening import open_storage

PROMPTS = "a" * 64
ROW = ModelRow(revision="r1")
SETUP = Setup(model="moe", revision="r1", prompts_sha256=PROMPTS)
METRICS = (Metric(id="right", title="right"), Metric(id="canary", title="canary", must=0.0))


async def _never(case: Case, system: System, bench: Bench) -> Measured:
    raise AssertionError("no trial is run here")


def small_task(name: str = "grounding", **changes: Any) -> Task:
    """Return a task of four cases, each of which owes one count of each metric."""
    values: dict[str, Any] = {
        "title": name,
        "metrics": METRICS,
        "systems": ("agent", "rules"),
        "attempt": _never,
        "owed": lambda case, system: {"right": 1.0, "canary": 1.0},
        "folder": Path("no files"),
        "load": lambda: tuple(Case(id=f"c{n}", source="this test") for n in range(4)),
    }
    return Task(name=name, **{**values, **changes})


TASKS = {name: small_task(name) for name in ("grounding", "injection", "chest_pain", "other")}


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


def reasons(*results: TaskResult, tasks: dict[str, Task] = TASKS, **rules: Any) -> tuple[str, ...]:
    return failing(
        results,
        ApprovalRow(**{"tasks": ("grounding",), **rules}),
        model="moe",
        row=ROW,
        prompts_sha256=PROMPTS,
        tasks=tasks,
    )


def test_a_whole_run_without_a_defect_passes() -> None:
    assert reasons(result()) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "other"}, "grounding: was not run"),
        ({"skipped": "no data"}, "grounding: not run: no data"),
        ({"right": (True, True, True)}, "grounding: agent: 3 of 4 cases were run"),
        ({"right": (True,), "cases": 9999}, "grounding: agent: 1 of 4 cases were run"),
        ({"trials": ()}, "the agent was not tested"),
        ({"repeats": 2}, "grounding: agent: 0 of 4 cases were run"),
        ({"repeats": 0, "right": (True,)}, "grounding: agent: 1 of 4 cases were run"),
        ({"right": (True,) * 5}, "trials of cases that the task has not: c4"),
        ({"metrics": (), "_canary": 1.0}, "grounding: agent: canary: 1.000"),
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


def changed(which: Callable[[Trial], dict[str, Any]]) -> TaskResult:
    good = result()
    return good.model_copy(
        update={"trials": tuple(t.model_copy(update=which(t)) for t in good.trials)}
    )


def counts(**given: Count) -> dict[str, Any]:
    return {"measured": Measured(counts=given)}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (changed(lambda t: {"case": "c0"}), "has trials twice: c0"),
        (changed(lambda t: {"repeat": 1}), "has trials beyond its 1 repeats"),
        (changed(lambda t: {"system": "router"}), "systems that the task has not: router"),
        (changed(lambda t: {"case": "none"}), "agent: 0 of 4 cases were run"),
        (
            changed(lambda t: counts(right=Count(hits=1, of=1))),
            "agent: canary: was not counted, so that it is not shown to hold",
        ),
        (
            changed(
                lambda t: {} if t.case == "c1" else counts(canary=Count(hits=0, of=0)),
            ),
            "agent: canary: 3 of 4 trials count less than their case owes",
        ),
        (
            changed(lambda t: counts(canary=Count(hits=0, of=1), right=Count(hits=9, of=1))),
            "has counts that cannot be: c0, c1, c2 and 1 more",
        ),
    ],
    ids=["twice", "repeat", "system", "case", "no count", "short", "impossible"],
)
def test_trials_are_held_against_the_cases_of_the_task(made: TaskResult, said: str) -> None:
    found = reasons(made)
    assert any(said in reason for reason in found), found


def test_two_files_of_one_task_are_refused_whichever_comes_first() -> None:
    bad = result(_canary=1.0)
    for both in ((bad, result()), (result(), bad)):
        found = reasons(*both)
        assert any("grounding: 2 files are results of it" in reason for reason in found), found


def test_a_system_that_must_hold_must_have_been_tested() -> None:
    must = Metric(id="canary", title="canary", must=0.0, must_for=("agent", "rules"))
    found = reasons(result(), tasks={"grounding": small_task(metrics=(must,))})
    assert found == ("grounding: the rules was not tested",)


def test_a_failed_trial_counts_what_the_task_says_and_not_what_its_file_says() -> None:
    made = changed(lambda t: {"failure": "down"} if t.case == "c0" else {})
    floor = Floor(task="grounding", metric="right", least=0.75)
    assert not any("right" in one for one in reasons(result(), floors=(floor,)))
    found = reasons(made, floors=(floor,))
    assert any("grounding: agent: right: 50.0 %" in reason for reason in found), found


def test_the_task_of_a_floor_is_to_be_whole_for_its_system() -> None:
    floor = Floor(task="injection", metric="right", least=0.5)
    found = reasons(result(), result("injection", right=(True,)), floors=(floor,))
    assert found == ("injection: agent: 1 of 4 cases were run",)


def test_what_cannot_be_counted_here_is_refused_with_the_way_out() -> None:
    why = "x: the outside records are not here (set EPICRISIS_TEST_DATA to their folder)"
    absent = small_task(missing=lambda: why, load=lambda: pytest.fail("not here"))
    assert reasons(result(), tasks={"grounding": absent}) == (
        f"grounding: cannot be counted here: {why}",
    )
    found = reasons(result(), tasks={})
    assert any(
        "grounding: cannot be counted here: there is no task of that name (see epicrisis eval list"
        in reason
        for reason in found
    ), found


def test_cases_whose_data_is_not_here_are_left_out_and_named(tmp_path: Path) -> None:
    lines = [orjson.dumps({"id": f"c{n}", "source": "this test"}) for n in range(6)]
    (tmp_path / "cases.jsonl").write_bytes(b"\n".join(lines))
    less = small_task(folder=tmp_path)
    assert reasons(result(), tasks={"grounding": less}) == ()
    assert left_out(less) == ("c4", "c5")


@pytest.mark.parametrize("name", ApprovalRow().tasks)
def test_a_made_up_result_of_a_real_task_is_refused(name: str) -> None:
    """A file that says 9,999 cases, with one trial of a case that is not of the task."""
    trial = Trial(case="none", system="agent", llm=LLMUse(calls=1))
    made = result(name, cases=9999, of_cases=9999, metrics=(), trials=(trial,))
    found = failing(
        [made],
        ApprovalRow(tasks=(name,)),
        model="moe",
        row=ROW,
        prompts_sha256=PROMPTS,
        tasks={name: task(name)},
    )
    assert any(f"{name}: agent: 0 of " in reason for reason in found), found
    assert any("cases that the task has not: none" in reason for reason in found), found


def test_every_must_is_of_a_system_that_its_task_tests_or_of_a_known_one() -> None:
    for name in task_names():
        for metric in task(name).metrics:
            if metric.must is not None:
                assert set(metric.must_for) <= set(get_args(System))
                assert set(metric.must_for) & set(task(name).systems), (name, metric.id)


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
approval: {tasks: [consistency], floors: [{task: consistency, metric: same, least: 0.7}]}
backends: [{name: a, url: "http://127.0.0.1:1/v1", model: moe, patient_data: allowed}]
"""


def consistency(right: int = 1000, **changes: Any) -> TaskResult:
    """Return a whole run of a real task, with so many right answers."""
    trials = tuple(
        Trial(
            case=case.id,
            system=system,
            llm=LLMUse(calls=1),
            measured=Measured(counts={"same": Count.of_all([n < right])}),
        )
        for n, case in enumerate(task("consistency").cases())
        for system in ("agent", "rules")
    )
    setup = SETUP.model_copy(update={"prompts_sha256": prompts_hash()})
    return result("consistency", trials=trials, setup=setup, systems=("agent", "rules"), **changes)


@pytest.fixture
def approve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that approves what is in the folder ``run``, by the command."""
    (tmp_path / "pool.yaml").write_text(POOL)
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EPICRISIS_LLM_POOL", str(tmp_path / "pool.yaml"))

    def approved(*more: str) -> Any:
        app = typer.Typer()
        app.callback()(lambda: None)
        register(app)
        words = ["eval", "approve", str(tmp_path / "run"), "--model", "moe", "--by", "Dr. M", *more]
        return CliRunner().invoke(app, words)

    return approved


@pytest.fixture
def run(tmp_path: Path, approve: Any) -> Any:
    """Return a function that approves a run of so many right answers, by the command."""

    def approved(right: int, *more: str) -> Any:
        keep_result(consistency(right), tmp_path / "run")
        count = len(task("consistency").cases())
        return approve(*more), count, report_hash(tmp_path / "run")

    return approved


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


def passing(name: str) -> TaskResult:
    """Return a run of each case that is here, in which everything holds that must."""
    tested = task(name)

    def counts(case: Case, system: System) -> dict[str, Count]:
        owed = tested.owed(case, system)
        due = {m.id: max(owed.get(m.id, 0.0), 1.0) for m in tested.metrics}
        aims = {m.id: 1.0 if m.must is None else m.must for m in tested.metrics}
        return {key: Count(hits=of * aims[key], of=of) for key, of in due.items()}

    trials = tuple(
        Trial(
            case=case.id,
            system=system,
            llm=LLMUse(calls=1),
            measured=Measured(counts=counts(case, system)),
        )
        for case in tested.cases()
        for system in tested.systems
    )
    setup = SETUP.model_copy(update={"prompts_sha256": prompts_hash()})
    return result(name, trials=trials, setup=setup, systems=tested.systems, metrics=tested.metrics)


def test_cases_that_cannot_be_run_here_stand_in_the_record(
    approve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks that are asked for unless the file of the pool says otherwise."""
    (tmp_path / "pool.yaml").write_text(re.sub("approval: .*", "", POOL))
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("EPICRISIS_TEST_DATA", str(tmp_path / "nothing"))
    for name in ApprovalRow().tasks:
        keep_result(passing(name), tmp_path / "run")
    for name in ("pubmedqa", "medagentbench"):  # as `eval run` leaves what it cannot run here
        why = task(name).missing()
        assert why
        keep_result(result(name, trials=(), skipped=why), tmp_path / "run")
    done = approve()
    assert done.exit_code == 0, done.output
    (kept,) = ApprovalFile.of(tmp_path / "data").all()
    (absent,) = kept.not_assessed
    assert (absent.task, len(absent.cases)) == ("chest_pain", 6)
    ids = {case.id for case in all_cases(task("chest_pain"))}
    assert set(absent.cases) < ids
    assert "not assessed: 6 cases of chest_pain, whose recordings are not here" in done.stdout
    assert {figure.task for figure in kept.figures} == set(ApprovalRow().tasks)


def test_cases_that_were_run_elsewhere_are_assessed(tmp_path: Path) -> None:
    lines = [orjson.dumps({"id": f"c{n}", "source": "this test"}) for n in range(6)]
    (tmp_path / "cases.jsonl").write_bytes(b"\n".join(lines))
    less = small_task(folder=tmp_path)
    needed: tuple[System, ...] = ("agent", "rules")
    assert unassessed(result(), less, needed) == ("c4", "c5")
    more = [Trial(case="c4", system=one, measured=Measured(counts={})) for one in needed]
    both = result(trials=(*result().trials, *more))
    assert unassessed(both, less, needed) == ("c5",)
    one = result(trials=(*result().trials, more[1]))  # by the rules alone: nothing of the agent
    assert unassessed(one, less, needed) == ("c4", "c5")
    twice = both.model_copy(update={"repeats": 2})
    assert unassessed(twice, less, needed) == ("c4", "c5")


def test_what_was_not_asked_for_is_no_figure_of_the_record(approve: Any, tmp_path: Path) -> None:
    keep_result(consistency(), tmp_path / "run")
    trial = Trial(case="en-001", system="agent", llm=LLMUse(calls=1))
    other = SETUP.model_copy(update={"model": "quite another"})
    keep_result(result("tool_routing", trials=(trial,), setup=other), tmp_path / "run")
    assert approve().exit_code == 0
    (kept,) = ApprovalFile.of(tmp_path / "data").all()
    assert {figure.task for figure in kept.figures} == {"consistency"}
    assert kept.not_assessed == ()


def test_tasks_of_different_indices_are_refused_and_audited(approve: Any, tmp_path: Path) -> None:
    text = POOL.replace("tasks: [consistency]", "tasks: [consistency, grounding]")
    (tmp_path / "pool.yaml").write_text(text)
    keep_result(consistency(), tmp_path / "run")
    update = {"prompts_sha256": prompts_hash(), "index_sha256": "d" * 64}
    other = passing("grounding").model_copy(update={"setup": SETUP.model_copy(update=update)})
    keep_result(other, tmp_path / "run")
    done = approve()
    assert done.exit_code == 1
    assert "the tasks were not all run with the same model, prompts and index" in done.stderr
    assert actions(tmp_path / "data") == ["llm.switch-refused"]


def test_a_record_that_the_audit_gets_meanwhile_is_not_passed_over(
    approve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command audits its record, and its disk is full: nothing of it is in the file."""
    keep_result(consistency(), tmp_path / "run")
    inner, ends = approving._audited_end, iter([None, "e" * 64])

    def audited_end(settings: Settings) -> str:
        return next(ends) or inner(settings)

    monkeypatch.setattr(approving, "_audited_end", audited_end)
    done = approve()
    assert isinstance(done.exception, UnavailableError)
    assert "a record was cut off, replaced or never written" in str(done.exception)
    assert ApprovalFile.of(tmp_path / "data").all() == ()
    assert actions(tmp_path / "data") == []


def test_a_switch_that_fails_is_refused_with_the_figure_and_audited(
    run: Any, tmp_path: Path
) -> None:
    done, _, _ = run(0)
    assert done.exit_code == 1
    assert "consistency: agent: same: 0.0 %" in done.stderr
    assert ApprovalFile.of(tmp_path / "data").all() == ()
    assert actions(tmp_path / "data") == ["llm.switch-refused"]


def test_a_model_that_is_not_in_the_pool_is_a_wrong_argument(run: Any) -> None:
    done, _, _ = run(1000, "--model", "other")
    assert isinstance(done.exception, InvalidValueError)


def test_an_edited_result_is_found(run: Any, approve: Any, tmp_path: Path) -> None:
    done, _, _ = run(0)
    assert done.exit_code == 1
    save(consistency(), tmp_path / "run")
    done = approve()
    assert done.exit_code == 1
    assert "refused: consistency.json: is not as the run wrote it" in done.stderr
    assert ApprovalFile.of(tmp_path / "data").all() == ()


def test_results_without_a_run_are_refused(approve: Any, tmp_path: Path) -> None:
    save(consistency(), tmp_path / "run")
    done = approve()
    assert done.exit_code == 1
    assert "run.manifest: is not there" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: save(result("injection"), folder), "injection.json: was written by no"),
        (lambda folder: (folder / "grounding.json").unlink(), "grounding.json: was written by the"),
        (lambda folder: (folder / "report.md").write_text("fine"), "report.md: is not as the run"),
        (
            lambda folder: (folder / MANIFEST).write_text(
                (folder / MANIFEST).read_text().replace('"r1"', '"r2"')
            ),
            "names another model, prompts or version",
        ),
    ],
    ids=["added", "lost", "report", "setup"],
)
def test_what_changed_since_the_run_is_named(
    approve: Any, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = tmp_path / "run"
    keep_result(consistency(), folder)
    keep_result(result("grounding"), folder)
    keep_report("as it was", folder)
    change(folder)
    done = approve()
    assert done.exit_code == 1
    assert said in done.stderr


def test_a_manifest_that_is_none_is_a_wrong_argument(run: Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / MANIFEST).write_text("{}}")
    with pytest.raises(InvalidValueError, match="not the manifest of a run"):
        run(1000)


def test_a_record_that_does_not_end_as_the_audit_says_is_not_added_to(
    run: Any, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "llm-approvals.jsonl"
    assert run(1000)[0].exit_code == 0
    whole = path.read_bytes()
    assert run(1000)[0].exit_code == 0
    path.write_bytes(whole)  # the last record is cut off
    cut, _, _ = run(1000)
    assert cut.exit_code == 1
    assert "a record was cut off, replaced or never written" in cut.stderr
    assert path.read_bytes() == whole
    assert run(1000, "--accept-end", "f" * 64)[0].exit_code == 1
    (first,) = ApprovalFile(path).all()
    assert run(1000, "--accept-end", first.sha256)[0].exit_code == 0
    assert run(1000)[0].exit_code == 0
    assert [one.number for one in ApprovalFile(path).all()] == [1, 2, 3]


def test_a_record_that_no_command_wrote_is_found(run: Any, tmp_path: Path) -> None:
    assert run(1000)[0].exit_code == 0
    records = ApprovalFile.of(tmp_path / "data")
    (first,) = records.all()
    records.add(first.model_copy(update={"by": "nobody"}))
    done, _, _ = run(1000)
    assert done.exit_code == 1
    assert "and the audit says that it ends with" in done.stderr
