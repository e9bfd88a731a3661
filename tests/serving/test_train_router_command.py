"""``llm train-router`` and ``agent --planner``: what is missing is said with the way out."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from agent.router_planner.weights import RouterCard
from knowledge.errors import InvalidValueError
from serving.commands import agent, llm
from serving.llm.train_router import assemble, base, extra, tuning
from serving.llm.train_router.adapter import CONFIG, WEIGHTS
from tests.agent.cases import EXAMPLES


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    for name in ("LLM", "LLM_URL", "ROUTER_URL", "ROUTER_DIR"):
        monkeypatch.delenv(f"EPICRISIS_{name}", raising=False)


def run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    llm.register(app)
    agent.register(app)
    return CliRunner().invoke(app, [*arguments])


def test_a_training_without_its_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extra, "import_module", absent)
    done = run("llm", "train-router", "--traces", "32")
    assert done.exit_code == llm.NOT_AVAILABLE
    assert "epicrisis[router-training]" in done.stderr


def test_the_shipped_adapter_is_whole_or_said_not_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assemble, "SHIPPED", tmp_path)
    for name in (WEIGHTS, CONFIG):
        (tmp_path / name).write_bytes(b"")
    done = run("llm", "train-router", "--from-adapter")
    assert done.exit_code == llm.NOT_AVAILABLE
    assert "does not come with this installation" in done.stderr


@pytest.mark.parametrize(
    "options",
    [("--checkpoint",), ("--from-adapter", "--resume"), ("--from-adapter", "--traces", "99")],
)
def test_options_that_do_not_go_together_start_nothing(options: tuple[str, ...]) -> None:
    done = run("llm", "train-router", *options)
    assert isinstance(done.exception, InvalidValueError)
    assert done.exception.item == options[0]


@pytest.mark.parametrize("options", [(), ("--checkpoint",)])
def test_the_checkpoint_for_vllm_is_written_where_it_is_asked_for(
    options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def put_to_use(*given: object, **options: object) -> RouterCard:
        asked.update(options)
        return RouterCard(form="f", experts=4, experts_per_token=2)

    monkeypatch.setattr(assemble, "put_to_use", put_to_use)
    monkeypatch.setattr(base, "packaged_base", lambda settings: Path("none"))
    monkeypatch.setattr(base, "open_base", lambda path: path)
    assert run("llm", "train-router", "--from-adapter", *options).exit_code == 0
    assert asked["checkpoint"] is bool(options)


def test_the_router_without_weights_says_the_way_out() -> None:
    done = run("agent", str(EXAMPLES / "nstemi"), "--planner", "router-moe", "--no-llm", "--quiet")
    assert done.exit_code == agent.NOT_AVAILABLE
    assert "train-router --from-adapter" in done.stderr


def test_another_planner_is_refused() -> None:
    done = run("agent", str(EXAMPLES / "nstemi"), "--planner", "oracle")
    assert isinstance(done.exception, InvalidValueError)


def test_progress_is_done_at_the_last_step() -> None:
    half = tuning.Progress(step=1, steps=2, loss=1.0, tokens=10, seconds=1.0, device="cpu")
    assert not half.done
    assert half.model_copy(update={"step": 2}).done
