"""What a plugged graph may take: a loop without end, memory without end, a broken process."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from knowledge.errors import ContractError, UnavailableError, UnreadableError
from tests.tools.models.builders import classifier, f32, film, graph, mean_logits
from tools.models.graph_check import check_graph
from tools.models.isolated import IsolatedRunner, Limits
from tools.models.loaded import load_model
from tools.models.run import ask

ROOMY = Limits(seconds=60, memory_mib=2048)


def _endless() -> bytes:
    """A loop that goes on for as long as its condition, which is always true."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["still"]),
            helper.make_node("MatMul", ["state", "state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [8, 8]),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [8, 8]),
        ],
    )
    made = helper.make_graph(
        [helper.make_node("Loop", ["", "yes", "x"], ["y"], body=body)],
        "endless",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 8])],
        [numpy_helper.from_array(np.array(True), "yes")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    content: bytes = model.SerializeToString()
    onnx.checker.check_model(model)
    return content


def _huge(mib: int) -> bytes:
    """A graph whose answer to a few numbers takes so much memory."""
    size = np.array([mib, 1 << 18], np.int64)
    return graph(
        [helper.make_node("Expand", ["x", "size"], ["y"])],
        input_shape=[1, 1],
        outputs={"y": [mib, 1 << 18]},
        constants={"size": size},
    )


def test_the_same_numbers_as_in_this_process(tmp_path: Path) -> None:
    folder = classifier(tmp_path, labels=2)
    here, apart = load_model(folder), load_model(folder, limits=ROOMY)
    first, second = ask(here, film()), ask(apart, film())
    assert [s.score for s in first.result.scores] == [s.score for s in second.result.scores]
    assert apart.runner.where.endswith("a process of its own")


def test_a_loop_without_end_is_stopped_and_the_next_input_gets_a_new_process() -> None:
    content = _endless()
    check_graph(content)  # nothing in the file shows it
    runner = IsolatedRunner(content, item="model x", limits=Limits(seconds=8, memory_mib=1024))
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(UnavailableError, match="no answer within 8 s: stopped"):
            runner.run({"x": np.eye(8, dtype=np.float32)}, ("y",))
    assert time.monotonic() - start < 60
    runner.close()


def test_memory_without_end_is_stopped_here_and_not_in_this_process() -> None:
    runner = IsolatedRunner(_huge(600), item="model x", limits=Limits(seconds=60, memory_mib=300))
    with pytest.raises(UnavailableError, match=r"300 MiB"):
        runner.run({"x": f32([[1]])}, ("y",))
    runner.close()
    enough = IsolatedRunner(_huge(20), item="model x", limits=ROOMY)
    assert enough.run({"x": f32([[1]])}, ("y",))["y"].shape == (20, 1 << 18)
    enough.close()


def test_a_process_that_is_killed_is_said_and_replaced() -> None:
    runner = IsolatedRunner(mean_logits(), item="model x", limits=ROOMY)
    process = runner._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    x = np.ones((1, 1, 8, 8), np.float32)
    with pytest.raises(UnavailableError, match="ended without an answer"):
        runner.run({"x": x}, ("y",))
    assert runner.run({"x": x}, ("y",))["y"] == pytest.approx(2.0)
    runner.close()


def test_a_wrong_tensor_and_a_broken_graph_are_named_as_in_this_process() -> None:
    runner = IsolatedRunner(mean_logits(), item="model x", limits=ROOMY)
    with pytest.raises(ContractError, match="does not take this input"):
        runner.run({"x": np.ones((1, 1, 4, 4), np.float32)}, ("y",))
    assert runner.run({"x": np.ones((1, 1, 8, 8), np.float32)}, ("y",))["y"].shape == (1, 1)
    runner.close()
    with pytest.raises(UnreadableError, match="cannot use its graph"):
        IsolatedRunner(b"no graph", item="model x", limits=ROOMY)
