"""A model is loaded only if every file is what its description says; else it is said why not."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from knowledge.errors import ContractError, InputError, TooLargeError, UnreadableError
from tests.tools.models.builders import (
    classifier,
    contract,
    f32,
    graph,
    image_input,
    output,
    write_model,
)
from tools.models.contract import MAX_JSON_BYTES, read_contract
from tools.models.folder import read_folder
from tools.models.graph_check import check_graph
from tools.models.loaded import load_model

Json = dict[str, Any]


def test_a_whole_folder_is_loaded_and_its_golden_vector_comes_out(tmp_path: Path) -> None:
    model = load_model(classifier(tmp_path))
    assert model.contract.id == "test-model"
    assert model.golden_difference < 1
    assert model.runner.where.startswith("onnxruntime ")
    assert set(model.folder.sha256) == {
        "model.json", "model.onnx", "LICENSE", "MODEL_CARD.md", "golden/in.npy", "golden/out.npy",
    }  # fmt: skip


def change(path: Path, edit: Callable[[Json], Any]) -> None:
    described = json.loads(path.read_text("utf-8"))
    edit(described)
    path.write_text(json.dumps(described), "utf-8")


EDITS: dict[str, tuple[Callable[[Json], Any], str]] = {
    "wrong hash": (lambda j: j.update(onnx_sha256="0" * 64), "SHA-256"),
    "unknown key": (lambda j: j.update(preprocess="import os"), "preprocess"),
    "unknown key of an input": (lambda j: j["inputs"][0].update(script="x.py"), "script"),
    "no measured performance": (lambda j: j.update(performance=[]), "performance"),
    "performance not stated": (lambda j: j.pop("performance"), "performance"),
    "no licence": (lambda j: j.pop("licence"), "licence"),
    "nobody knows the licence": (lambda j: j.update(licence="Unknown."), "no licence is stated"),
    "no licence (SPDX)": (lambda j: j.update(licence="NOASSERTION"), "no licence is stated"),
    "a blank licence": (lambda j: j.update(licence=" - "), "licence"),
    "no contraindication": (lambda j: j.update(contraindications=[]), "contraindications"),
    "no golden vector": (lambda j: j.update(golden=[]), "golden"),
    "age left out": (lambda j: j["inputs"][0].pop("age_years"), "age_years"),
    "number as text": (lambda j: j["performance"][0].update(n="1"), "performance.0.n"),
    "golden tolerance as wide as the world": (lambda j: j["golden"][0].update(atol=10), "atol"),
    "golden file outside": (
        lambda j: j["golden"][0]["inputs"].update(x="../../secret.npy"), "golden.0.inputs.x"
    ),
    "label twice": (
        lambda j: j["outputs"][0].update(labels=["a", "a"], codes=[None, None]), "twice"
    ),
    "labels without codes": (lambda j: j["outputs"][0].update(codes=[]), "as many codes"),
    "axes of another kind": (lambda j: j["inputs"][0].update(axes="NCDHW"), "axes"),
    "volume without spacing": (
        lambda j: j["inputs"][0].update(
            kind="volume3d", axes="NCDHW", shape=[1, 1, 8, 8, 8], orientation="LPS"
        ),
        "spacing_mm",
    ),
    "orientation LLL": (lambda j: j["inputs"][0].update(orientation="LLL"), "orientation"),
    "interval that misses its value": (
        lambda j: j["performance"][0].update(value=0.9, ci=[0.1, 0.2]), "outside of its interval"
    ),
    "AUROC of 7.5": (
        lambda j: j["performance"][0].update(metric="AUROC opacity", value=7.5), "is from 0 to 1"
    ),
    "sensitivity of 101 %": (
        lambda j: j["performance"][0].update(metric="sensitivity, %", value=101), "is from 0 to 1"
    ),
    "interval of a share above 1": (
        lambda j: j["performance"][0].update(metric="Dice", value=0.9, ci=[0.8, 1.2]),
        "is from 0 to 1",
    ),
    "dataset of a dash": (lambda j: j["performance"][0].update(dataset="-"), "says nothing"),
    "population of a dash": (
        lambda j: j["performance"][0].update(population=" - "), "says nothing"
    ),
    "contraindication of a space": (lambda j: j.update(contraindications=[" "]), "says nothing"),
    "title with an escape": (
        lambda j: j.update(title="good" + chr(27) + "[2Jmodel"), "control characters"
    ),
    "licence elsewhere": (lambda j: j.update(licence="See website."), "no licence is stated"),
    "platt that lacks a label": (
        lambda j: j["outputs"][0].update(
            calibration={
                "method": "platt", "fitted_on": "t", "n": 9,
                "parts": [{"label": "other", "slope": 1, "intercept": 0}],
            }
        ),
        "one part for each label",
    ),
    "input of another name": (
        lambda j: (j["inputs"][0].update(name="z"), j["golden"][0].update(inputs={"z": "g.npy"})),
        "g.npy",
    ),
    "shape of another size": (
        lambda j: j["inputs"][0].update(shape=[1, 1, 9, 9]), "has shape"
    ),
    "type of another kind": (
        lambda j: j["inputs"][0].update(dtype="uint8", normalise={"kind": "none"}), "not uint8"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_description_that_does_not_fit_is_refused_by_name(tmp_path: Path, name: str) -> None:
    edit, said = EDITS[name]
    folder = classifier(tmp_path)
    change(folder / "model.json", edit)
    with pytest.raises(InputError) as raised:
        load_model(folder)
    assert said in str(raised.value)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    text = (folder / "model.json").read_text("utf-8")
    (folder / "model.json").write_text('{"id": "other", ' + text[1:], "utf-8")
    with pytest.raises(UnreadableError, match="twice"):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"NaN"])
def test_what_is_no_description_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        read_contract(content)


def test_a_huge_description_is_refused() -> None:
    with pytest.raises(TooLargeError):
        read_contract(b" " * (MAX_JSON_BYTES + 1))


def test_a_huge_graph_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(10_000_000)  # a hole: it takes no room on the disk
    with pytest.raises(TooLargeError, match=r"model\.onnx"):
        read_folder(folder, max_graph_bytes=9_999_999)


@pytest.mark.parametrize("name", ["LICENSE", "MODEL_CARD.md", "model.onnx", "golden/out.npy"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = classifier(tmp_path)
    (folder / name).unlink()
    with pytest.raises(UnreadableError, match=name.replace(".", r"\.")):
        load_model(folder)


@pytest.mark.parametrize("name", ["LICENSE", "MODEL_CARD.md"])
def test_an_empty_card_or_licence_is_none(tmp_path: Path, name: str) -> None:
    folder = classifier(tmp_path)
    (folder / name).write_text("  tbd\n", "utf-8")
    with pytest.raises(ContractError, match="says nothing"):
        load_model(folder)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model")
    (tmp_path / "elsewhere").write_text("A licence of somebody else, long enough to be one.")
    (folder / "LICENSE").unlink()
    (folder / "LICENSE").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ContractError, match="link"):
        load_model(folder)


def test_another_answer_than_the_golden_one_is_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    np.save(folder / "golden" / "out.npy", f32([[2.01]]))  # it gives 2: off by 0.01
    with pytest.raises(ContractError, match=r"golden golden/out\.npy: differs by up to 0\.01"):
        load_model(folder)


def test_a_golden_answer_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    np.save(folder / "golden" / "out.npy", f32([2.0]))
    with pytest.raises(ContractError, match="shape"):
        load_model(folder)


def test_a_golden_file_is_never_unpickled(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    for content in (pickle.dumps([1]), b"\x93NUMPY", b""):
        (folder / "golden" / "in.npy").write_bytes(content)
        with pytest.raises(UnreadableError, match="npy"):
            load_model(folder)
    np.save(folder / "golden" / "in.npy", np.array([np.nan]))
    with pytest.raises(UnreadableError, match="NaN"):
        load_model(folder)


def identity(node: onnx.NodeProto) -> bytes:
    return graph([node], input_shape=[1], outputs={"y": [1]})


def test_a_graph_with_weights_in_other_files_is_refused() -> None:
    model = onnx.load_model_from_string(
        graph(
            [helper.make_node("Add", ["x", "w"], ["y"])],
            input_shape=[1],
            outputs={"y": [1]},
            constants={"w": np.ones(1, np.float32)},
        )
    )
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    with pytest.raises(ContractError, match="other files"):
        check_graph(model.SerializeToString())


def test_external_data_is_found_inside_of_a_branch_too() -> None:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["b"], value=weight)],
        "branch",
        [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [1])],
    )
    made = identity(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))
    with pytest.raises(ContractError, match="other files"):
        check_graph(made)


@pytest.mark.parametrize(
    ("domain", "name"), [("custom", "Secret"), ("com.microsoft", "Gelu"), ("", "NoSuchOperator")]
)
def test_an_operator_outside_of_the_standard_is_refused_by_name(domain: str, name: str) -> None:
    with pytest.raises(ContractError, match=name):
        check_graph(identity(helper.make_node(name, ["x"], ["y"], domain=domain)))


def test_a_graph_that_gives_another_answer_each_time_is_refused() -> None:
    node = helper.make_node("RandomNormalLike", ["x"], ["y"])
    with pytest.raises(ContractError, match="another answer each time"):
        check_graph(identity(node))


def _dropout(**mode: Any) -> bytes:
    """Return a graph of a Dropout of half, with a third input where one is given."""
    constants: dict[str, Any] = {"r": np.array(0.5, np.float32)}
    if "initializer" in mode:
        constants["t"] = np.array(mode["initializer"])
    nodes = [helper.make_node("Dropout", ["x", "r", "t"] if mode else ["x", "r"], ["d"])]
    if "node" in mode:
        value = helper.make_tensor("v", TensorProto.BOOL, [], [mode["node"]])
        nodes.insert(0, helper.make_node("Constant", [], ["t"], value=value))
    nodes.append(helper.make_node("ReduceMean", ["d"], ["y"], axes=[2, 3], keepdims=0))
    return graph(nodes, input_shape=[1, 1, 8, 8], outputs={"y": [1, 1]}, constants=constants)


@pytest.mark.parametrize("mode", [{"initializer": True}, {"node": True}])
def test_dropout_that_runs_as_in_training_is_refused(mode: dict[str, bool]) -> None:
    """ONNX, Dropout-12: with training_mode true the output is drawn by chance."""
    with pytest.raises(ContractError, match="'Dropout' runs as in training"):
        check_graph(_dropout(**mode))


@pytest.mark.parametrize("mode", [{}, {"initializer": False}, {"node": False}])
def test_dropout_that_is_switched_off_is_taken(mode: dict[str, bool]) -> None:
    check_graph(_dropout(**mode))


@pytest.mark.parametrize("training", [0, 1])
def test_batch_normalisation_as_in_training_is_refused(training: int) -> None:
    outputs = ["y", "m2", "v2"] if training else ["y"]
    names = ["x", "one", "one", "one", "one"]
    node = helper.make_node("BatchNormalization", names, outputs, training_mode=training)
    made = graph([node], input_shape=[1, 1, 8, 8], outputs={"y": [1, 1, 8, 8]},
                 constants={"one": np.ones(1, np.float32)})  # fmt: skip
    if training:
        with pytest.raises(ContractError, match="'BatchNormalization' runs as in training"):
            check_graph(made)
    else:
        check_graph(made)


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"not onnx", b"PK\x03\x04" + b"a" * 90])
def test_what_is_no_onnx_file_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        check_graph(content)


def test_a_graph_that_is_valid_but_impossible_is_refused(tmp_path: Path) -> None:
    made = graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        input_shape=[1, 1, 8, 8],
        outputs={"y": [1, 1]},
        constants={"w": np.ones((3, 3), np.float32)},
    )
    ones = np.ones((1, 1, 8, 8), np.float32)
    folder = write_model(tmp_path, made, contract(made), ones, {"y": np.ones((1, 1), np.float32)})
    with pytest.raises(InputError):
        load_model(folder)


def test_every_required_field_is_required(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    whole = json.loads((folder / "model.json").read_text("utf-8"))
    for field in whole:
        less = {key: value for key, value in whole.items() if key != field}
        with pytest.raises(ContractError, match=field):
            read_contract(json.dumps(less).encode())
    for place, made, optional in (
        ("inputs", image_input(), set()),
        ("outputs", output(), {"aggregate_share"}),
    ):
        for field in set(made) - optional:
            less = {key: value for key, value in made.items() if key != field}
            with pytest.raises(ContractError, match=field):
                read_contract(json.dumps({**whole, place: [less]}).encode())
