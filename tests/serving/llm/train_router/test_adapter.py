"""Adding an adapter: shapes, scales, and what does not fit; by plain matrix products."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors.numpy import save_file

from knowledge.errors import UnavailableError
from serving.llm.train_router.adapter import CONFIG, WEIGHTS, merged, read_adapter, stacked
from serving.llm.train_router.base import State, halves, pairs

CHANCE = np.random.default_rng(5)


def drawn(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return CHANCE.normal(size=shape).astype(np.float32)


STATE: State = {
    "model.layers.0.self_attn.q_proj.weight": drawn(6, 6),
    "model.layers.0.mlp.gate.weight": drawn(3, 6),
    "model.layers.0.mlp.experts.gate_up_proj": drawn(3, 8, 6),
    "model.layers.0.mlp.experts.down_proj": drawn(3, 6, 4),
    "model.norm.weight": drawn(6),
}


def written(folder: Path, arrays: State) -> Path:
    folder.mkdir(exist_ok=True)
    half = {f"base_model.model.{k}": v.astype(np.float16) for k, v in arrays.items()}
    save_file(half, folder / WEIGHTS)
    (folder / CONFIG).write_bytes(orjson.dumps({"r": 2, "lora_alpha": 4}))
    return folder


def test_each_expert_gets_its_own_pair() -> None:
    """Rows of the first factor stand expert by expert, columns of the second rank by rank."""
    first, second = drawn(3 * 2, 6), drawn(8, 2 * 3)
    change = stacked(first, second, 3)
    for expert in range(3):
        a = first[2 * expert : 2 * expert + 2]
        b = second[:, [expert, 3 + expert]]
        np.testing.assert_allclose(change[expert], b @ a, rtol=1e-5)


def test_an_adapter_is_added_with_its_scale_and_leaves_the_rest(tmp_path: Path) -> None:
    q = {"A": drawn(2, 6), "B": drawn(6, 2)}
    # The outer wrapper of the experts is the last parameter, the one within it the first.
    experts = "model.layers.0.mlp.experts"
    up = {"A": drawn(6, 6), "B": drawn(8, 6)}
    down = {"A": drawn(6, 4), "B": drawn(6, 6)}
    arrays = {
        "model.layers.0.self_attn.q_proj.lora_A.weight": q["A"],
        "model.layers.0.self_attn.q_proj.lora_B.weight": q["B"],
        f"{experts}.base_layer.lora_A.weight": up["A"],
        f"{experts}.base_layer.lora_B.weight": up["B"],
        f"{experts}.lora_A.weight": down["A"],
        f"{experts}.lora_B.weight": down["B"],
        "model.layers.0.mlp.gate.lora_A.weight": drawn(2, 6),
        "model.layers.0.mlp.gate.lora_B.weight": np.zeros((3, 2), np.float32),
    }
    pairs_, scale = read_adapter(written(tmp_path / "a", arrays))
    assert scale == 2.0
    made = merged(STATE, pairs_, scale)
    name = "model.layers.0.self_attn.q_proj.weight"
    np.testing.assert_allclose(made[name] - STATE[name], 2 * q["B"] @ q["A"], atol=0.02)
    assert made["model.norm.weight"] is STATE["model.norm.weight"]
    for part in ("gate_up_proj", "down_proj"):
        assert not np.allclose(made[f"{experts}.{part}"], STATE[f"{experts}.{part}"])
    np.testing.assert_array_equal(
        made["model.layers.0.mlp.gate.weight"], STATE["model.layers.0.mlp.gate.weight"]
    )


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    arrays = {
        "model.layers.0.self_attn.q_proj.lora_A.weight": drawn(2, 7),
        "model.layers.0.self_attn.q_proj.lora_B.weight": drawn(7, 2),
    }
    found, scale = read_adapter(written(tmp_path / "b", arrays))
    with pytest.raises(UnavailableError, match="not in the model"):
        merged(STATE, found, scale)


def test_no_adapter_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="train one first"):
        read_adapter(tmp_path)


def test_rows_of_a_rotation_go_forth_and_back() -> None:
    """Two heads of four rows: halves (0 1 | 2 3) become pairs (0 2 | 1 3)."""
    rows = np.arange(8, dtype=np.float32)[:, None]
    assert pairs(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    np.testing.assert_array_equal(halves(pairs(rows, 2), 2), rows)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"lora_alpha": 4}, "holds none that can be read"),
        ({"r": 0, "lora_alpha": 4}, "holds none that can be read"),
        ({"r": "x", "lora_alpha": 4}, "holds none that can be read"),
        ({"r": 2}, "holds none that can be read"),
        ({"r": 2, "lora_alpha": 1e9}, "holds none that can be read"),
        ([], "holds none that can be read"),
    ],
)
def test_a_damaged_configuration_is_refused(tmp_path: Path, spoil: object, says: str) -> None:
    name = "model.layers.0.self_attn.q_proj"
    folder = written(
        tmp_path, {f"{name}.lora_A.weight": drawn(2, 6), f"{name}.lora_B.weight": drawn(6, 2)}
    )
    (folder / CONFIG).write_bytes(orjson.dumps(spoil))
    with pytest.raises(UnavailableError, match=says):
        read_adapter(folder)


@pytest.mark.parametrize("spoil", ["empty", "alone", "no number"])
def test_damaged_arrays_are_refused(tmp_path: Path, spoil: str) -> None:
    name = "model.layers.0.self_attn.q_proj"
    first, second = drawn(2, 6), drawn(6, 2)
    if spoil == "no number":
        second[3, 1] = np.inf
    arrays = {f"{name}.lora_A.weight": first, f"{name}.lora_B.weight": second}
    if spoil == "alone":
        del arrays[f"{name}.lora_B.weight"]
    folder = written(tmp_path, {} if spoil == "empty" else arrays)
    says = {"empty": "is empty", "alone": "without its pair", "no number": "holds no numbers"}
    with pytest.raises(UnavailableError, match=says[spoil]):
        read_adapter(folder)
