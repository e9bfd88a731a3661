"""A model on a server answers by the same contract; whatever goes wrong there is no score."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from tests.tools.models.builders import classifier, f32, film
from tools.models.contract import ModelContract
from tools.models.folder import read_folder
from tools.models.loaded import load_model
from tools.models.remote import RemoteRunner
from tools.models.run import ask
from tools.models.store import ModelStore

Handler = Callable[[httpx.Request], httpx.Response]


def server(folder: Path, seen: list[Any] | None = None) -> Handler:
    """A server of the Open Inference Protocol that runs the model with ONNX Runtime."""
    model = load_model(folder)

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v2/models/test-model/versions/1.0":
            return httpx.Response(
                200,
                json={
                    "name": "test-model",
                    "versions": ["1.0"],
                    "platform": "onnxruntime_onnx",
                    "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1, 8, 8]}],
                    "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 1]}],
                },
            )
        body = json.loads(request.content)
        if seen is not None:
            seen.append((path, body))
        one = body["inputs"][0]
        tensor = np.array(one["data"], np.float32).reshape(one["shape"])
        y = model.runner.run({"x": tensor}, ("y",))["y"]
        output = {
            "name": "y", "datatype": "FP32", "shape": list(y.shape), "data": y.ravel().tolist(),
        }  # fmt: skip
        return httpx.Response(200, json={"model_name": "test-model", "outputs": [output]})

    return answer


def runner(contract: ModelContract, handler: Handler, base: str = "https://m.test") -> RemoteRunner:
    client = httpx.Client(transport=httpx.MockTransport(handler))
    return RemoteRunner(base, contract, client=client)


def test_a_server_and_this_process_give_one_score(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m")
    seen: list[Any] = []
    handler = server(folder, seen)
    (folder / "model.onnx").rename(tmp_path / "elsewhere.onnx")  # it lies on the server alone
    store = ModelStore(tmp_path / "s", connect=lambda base, c: runner(c, handler, base))
    store.add(folder, server="https://m.test")
    model = store.open("test-model")
    found = ask(model, film()).result
    assert found.scores[0].score == pytest.approx(0.5)
    assert found.model.where == "KServe v2 at m.test"
    assert store.list()[0].server == "https://m.test"
    path, body = seen[-1]
    assert path == "/v2/models/test-model/versions/1.0/infer"
    assert body["inputs"][0]["datatype"] == "FP32"
    assert body["outputs"] == [{"name": "y"}]
    assert "film.dcm" not in json.dumps(body)


def test_a_server_that_answers_the_golden_vector_wrongly_is_not_used(tmp_path: Path) -> None:
    other = classifier(tmp_path / "other")
    np.save(other / "golden" / "out.npy", f32([[7.0]]))
    good = classifier(tmp_path / "m")
    store = ModelStore(tmp_path / "s", connect=lambda base, c: runner(c, server(good), base))
    with pytest.raises(ContractError, match="golden"):
        store.add(other, server="https://m.test")


META = {"inputs": [{"name": "x"}], "outputs": [{"name": "y"}]}


def broken(answer: httpx.Response | Exception) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=META)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle


def outputs(*rows: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"outputs": list(rows)})


ROW = {"name": "y", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"error": "no memory"}),
        httpx.Response(302, headers={"location": "https://elsewhere.test"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        outputs(),
        outputs({**ROW, "name": "z"}),
        outputs({**ROW, "datatype": "BYTES"}),
        outputs({**ROW, "shape": [2, 2]}),
        outputs({**ROW, "shape": None}),
        outputs({**ROW, "data": ["a"]}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_whatever_goes_wrong_on_the_server_is_no_score(
    tmp_path: Path, answer: httpx.Response | Exception
) -> None:
    contract = read_folder(classifier(tmp_path)).contract
    one = runner(contract, broken(answer))
    with pytest.raises(UnavailableError):
        one.run({"x": np.zeros((1, 1, 8, 8), np.float32)}, ("y",))


def test_a_server_with_another_model_is_refused(tmp_path: Path) -> None:
    contract = read_folder(classifier(tmp_path)).contract
    other = httpx.Response(200, json={"inputs": [{"name": "image"}], "outputs": []})
    with pytest.raises(ContractError, match="has no inputs"):
        runner(contract, lambda _: other)


@pytest.mark.parametrize(
    "base", ["http://model.hospital", "ftp://m", "m.test", "https://user:secret@m.test", ""]
)
def test_pixels_travel_encrypted_or_stay_here(tmp_path: Path, base: str) -> None:
    contract = read_folder(classifier(tmp_path)).contract
    with pytest.raises(InvalidValueError, match="https"):
        runner(contract, broken(outputs(ROW)), base)
    runner(contract, broken(outputs(ROW)), "http://127.0.0.1:8000/")
