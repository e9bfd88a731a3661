"""Folders of weights: missing, incomplete, of another model, or changed."""

import hashlib
import json
from pathlib import Path

import pytest

from serving.llm.launch.errors import MissingWeightsError, WrongHashError, WrongWeightsError
from serving.llm.launch.weights import check_weights, verify_weights
from serving.llm.profiles.load import profile

MODEL = profile("smollm2-135m-moe4")
CONFIG = {
    "hidden_size": 576, "num_hidden_layers": 30, "vocab_size": 49152,
    "num_local_experts": 4, "num_experts_per_tok": 2,
}  # fmt: skip


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def _manifest(folder: Path, **named: str) -> None:
    lines = [f"{value} *{name}" for name, value in named.items()]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_whole_folder_is_taken(tmp_path: Path) -> None:
    check_weights(_folder(tmp_path), MODEL, template=None)


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        ("folder", MissingWeightsError, "no such folder"),
        ("config", MissingWeightsError, "no config.json"),
        ("weights", MissingWeightsError, "lacks any"),
        ("part", MissingWeightsError, "lacks model-00002.safetensors"),
        ("template", MissingWeightsError, "no such chat template"),
        ("model", WrongWeightsError, "hidden_size is 2048, that of SmolLM2"),
        ("nested", WrongWeightsError, "hidden_size is 2048"),
        ("json", WrongWeightsError, "is not JSON"),
    ],
)
def test_what_cannot_be_served_is_refused(
    tmp_path: Path, spoil: str, error: type[Exception], says: str
) -> None:
    folder, template = _folder(tmp_path), None
    other = CONFIG | {"hidden_size": 2048}
    if spoil == "folder":
        folder = tmp_path / "nothing"
    elif spoil == "config":
        (folder / "config.json").unlink()
    elif spoil == "weights":
        (folder / "model.safetensors").unlink()
    elif spoil == "part":
        index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    elif spoil == "template":
        template = folder / "hermes.jinja"
    else:
        text = {"model": json.dumps(other), "nested": json.dumps({"text_config": other})}
        (folder / "config.json").write_text(text.get(spoil, "{"))
    with pytest.raises(error, match=says):
        check_weights(folder, MODEL, template=template)


def test_hashes_are_those_of_the_manifest(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "SHA256SUMS").write_text(f"{_sum(b'weights')}  ./model.safetensors\n")
    assert verify_weights(folder) == 1


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    _manifest(folder, **{"model.safetensors": _sum(b"weights")})
    (folder / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(WrongHashError, match="the manifest says"):
        verify_weights(folder)


def test_a_file_that_nobody_named_is_found(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    _manifest(folder, **{"config.json": _sum((folder / "config.json").read_bytes())})
    with pytest.raises(WrongHashError, match="is not named"):
        verify_weights(folder)


def test_without_a_manifest_nothing_counts_as_verified(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match="no manifest"):
        verify_weights(_folder(tmp_path))


def test_a_named_file_that_is_missing_is_found(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    _manifest(folder, **{"model.safetensors": _sum(b"weights"), "tokenizer.json": _sum(b"")})
    with pytest.raises(MissingWeightsError, match="named in SHA256SUMS but not there"):
        verify_weights(folder)


@pytest.mark.parametrize(
    "line", ["no hash here", f"{'0' * 64}  ../outside", f"{'0' * 64}  /etc/passwd"]
)
def test_a_manifest_names_files_of_the_folder_only(tmp_path: Path, line: str) -> None:
    folder = _folder(tmp_path)
    (folder / "SHA256SUMS").write_text(line + "\n")
    with pytest.raises(WrongHashError, match="line 1"):
        verify_weights(folder)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "hidden_size is not given, that of SmolLM2"),
        (CONFIG | {"num_local_experts": 8}, "num_local_experts is 8"),
        (CONFIG | {"num_experts_per_tok": 1}, "num_experts_per_tok is 1"),
        ({k: v for k, v in CONFIG.items() if "expert" not in k}, "num_local_experts is not given"),
        (CONFIG | {"text_config": {"num_hidden_layers": 12}}, "num_hidden_layers is 12"),
    ],
)
def test_another_model_is_known_by_its_configuration(
    tmp_path: Path, config: dict[str, object], says: str
) -> None:
    folder = _folder(tmp_path)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(WrongWeightsError, match=says):
        check_weights(folder, MODEL, template=None)


def test_a_part_for_texts_that_is_empty_is_none(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"text_config": None}))
    check_weights(folder, MODEL, template=None)


def test_a_dense_folder_is_no_mixture(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    with pytest.raises(WrongWeightsError, match="num_local_experts is 4, that of SmolLM2-135M is"):
        check_weights(folder, profile("smollm2-135m"), template=None)


@pytest.mark.parametrize("parts", [None, {}, [1, 2], {"a": ["x"]}, {"a": 7}])
def test_an_index_that_names_no_files_is_refused(tmp_path: Path, parts: object) -> None:
    folder = _folder(tmp_path)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    with pytest.raises(WrongWeightsError, match="names no file of weights"):
        check_weights(folder, MODEL, template=None)


def test_an_empty_file_is_missing(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(MissingWeightsError, match="which is empty"):
        check_weights(folder, MODEL, template=None)


def test_a_manifest_that_was_written_twice_names_itself(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    lines = [f"{_sum(b'weights')} *model.safetensors", f"{_sum(b'')} *SHA256SUMS"]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")
    assert verify_weights(folder) == 1
