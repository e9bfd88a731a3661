"""The tuning on a tiny mixture: it learns, is killed, goes on, and is merged as it was trained."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from knowledge.errors import InvalidValueError, UnavailableError
from serving.llm.train_router.adapter import CONFIG, WEIGHTS, merged, read_adapter
from serving.llm.train_router.check import choices, compare
from serving.llm.train_router.tuning import CHECKPOINT, Progress, load_sparse, tune
from tests.serving.llm.train_router.tiny import RECIPE, examples, tiny_model

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def trained(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Progress]]:
    out = tmp_path_factory.mktemp("whole")
    seen: list[Progress] = []
    tune(RECIPE, examples(), model, out, tell=seen.append)
    return out, seen


def test_it_learns(trained: tuple[Path, list[Progress]]) -> None:
    _, seen = trained
    assert [p.step for p in seen] == list(range(1, RECIPE.steps + 1))
    assert seen[-1].loss < seen[0].loss
    assert seen[-1].tokens == sum(len(e.ids) for e in examples())


def test_experts_gates_and_attention_are_adapted(trained: tuple[Path, list[Progress]]) -> None:
    changed = {
        name for name, value in load_file(trained[0] / WEIGHTS).items()
        if "lora_B" in name and np.abs(value).max() > 0
    }  # fmt: skip
    for part in ("q_proj", "mlp.experts.base_layer", "mlp.experts.lora_B", "mlp.gate"):
        assert any(part in name for name in changed), part


def test_a_killed_training_goes_on_as_if_it_had_not_been(
    model: Path, trained: tuple[Path, list[Progress]], tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.serving.llm.train_router.tiny", str(model), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "5":
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait(60) == -signal.SIGKILL
    assert not (out / WEIGHTS).exists()
    assert (out / CHECKPOINT).is_file()
    again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603
    first = int(again.stdout.split()[0])
    assert 5 <= first <= 7, "work before the kill is not done again"
    whole, resumed = load_file(trained[0] / WEIGHTS), load_file(out / WEIGHTS)
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        np.testing.assert_allclose(resumed[name], value, atol=2e-3, err_msg=name)


def test_a_part_of_a_training_stops_in_time_and_another_recipe_is_not_resumed(
    model: Path, tmp_path: Path
) -> None:
    part = tune(RECIPE, examples(), model, tmp_path, minutes=0.0)
    assert (part.step, part.done) == (1, False)
    other = RECIPE.model_copy(update={"seed": 1})
    with pytest.raises(InvalidValueError, match="other numbers"):
        tune(other, examples(), model, tmp_path, resume=True)


def test_our_merge_is_that_of_peft(model: Path, trained: tuple[Path, list[Progress]]) -> None:
    """Float32 on both sides, so that nothing but the order of additions can differ."""
    base = load_sparse(model, dtype=torch.float32)
    state = {name: value.numpy().copy() for name, value in base.state_dict().items()}
    ours = merged(state, *read_adapter(trained[0]))
    theirs = peft.PeftModel.from_pretrained(base, trained[0]).merge_and_unload().state_dict()
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value.numpy(), atol=1e-5, err_msg=name)


def test_the_configuration_is_one_that_peft_reads(trained: tuple[Path, list[Progress]]) -> None:
    about = json.loads((trained[0] / CONFIG).read_text())
    assert about["r"] == RECIPE.rank
    assert about["lora_alpha"] == RECIPE.rank * RECIPE.alpha_over_rank
    assert sorted(about["target_parameters"]) == [
        "mlp.experts.down_proj",
        "mlp.experts.gate_up_proj",
        "mlp.gate.weight",
    ]


def test_merged_and_unmerged_say_the_same_and_choices_are_counted(
    model: Path, trained: tuple[Path, list[Progress]], tmp_path: Path
) -> None:
    merged_folder = tmp_path / "merged"
    base = load_sparse(model, dtype=torch.bfloat16)
    peft.PeftModel.from_pretrained(base, trained[0]).merge_and_unload().save_pretrained(
        merged_folder
    )
    some = examples()[:20]
    found = compare(merged_folder, model, trained[0], some)
    assert found.places == sum(len(e.ids) - e.start for e in some)
    assert found.good
    counts = choices(merged_folder, some)
    # Two experts for each token but the three of the frame, in each of two layers.
    assert counts.shape == (20, 2, 3)
    assert counts.sum(axis=2)[:, 0].tolist() == [2 * (len(e.ids) - 3) for e in some]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04cut"])
def test_a_damaged_checkpoint_is_said_to_be_one(
    model: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(UnavailableError, match="is damaged"):
        tune(RECIPE, examples(), model, tmp_path, resume=True)
