"""A model on a server answers by the same contract; whatever goes wrong there is no score."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from tests.tools.models.builders import classifier, f32, film
from tools.models.contract import ModelContract
from tools.models.folder import read_folder
from tools.models.isolated import Limits
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
        outputs({**ROW, "data": ["1.5"]}),
        outputs({**ROW, "data": [True]}),
        outputs({**ROW, "data": [[0.5], 0.5]}),
        outputs({**ROW, "datatype": "BOOL", "data": [1]}),
        outputs({**ROW, "datatype": "UINT8", "data": [-3.7]}),
        outputs({**ROW, "datatype": "UINT8", "data": [-3]}),
        outputs({**ROW, "datatype": "INT8", "data": [300]}),
        outputs({**ROW, "shape": [2**70, 0], "data": []}),
        outputs({**ROW, "shape": [1] * 40}),
        outputs({**ROW, "shape": [True, 1]}),
        outputs(ROW, {**ROW, "data": [9.0]}),
        httpx.Response(200, json={"model_name": "another", "outputs": [ROW]}),
        httpx.Response(200, json={"model_version": "9", "outputs": [ROW]}),
        httpx.Response(
            200,
            content=b'{"outputs": [{"name": "y", "datatype": "FP32", "shape": '
            b'[1, 1], "data": [1' + b"0" * 400 + b"]}]}",
        ),
        httpx.Response(200, content=b"[" * 200_000),
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


@pytest.mark.parametrize(
    "later",
    [{"shape": [1], "data": [0.5]}, {"datatype": "FP64"}],
    ids=["other axes", "other type"],
)
def test_an_answer_of_another_form_than_that_of_the_golden_vector_is_no_score(
    tmp_path: Path, later: dict[str, Any]
) -> None:
    contract = read_folder(classifier(tmp_path)).contract
    given = iter([ROW, {**ROW, **later}])

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=META) if request.method == "GET" else outputs(next(given))

    one = runner(contract, handle)
    asked = {"x": np.zeros((1, 1, 8, 8), np.float32)}
    assert one.run(asked, ("y",))["y"].tolist() == [[0.5]]
    with pytest.raises(UnavailableError, match="than before"):
        one.run(asked, ("y",))


class _Endless(httpx.SyncByteStream):
    """Spaces without end, which JSON may begin with; or nothing for a while, then the end."""

    def __init__(self, piece: bytes, pause_s: float) -> None:
        self._piece, self._pause_s = piece, pause_s

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(self._pause_s)
            yield self._piece


@pytest.mark.parametrize(
    ("piece", "pause_s", "reason"),
    [
        (b" ", 0.01, r"no whole answer of its server within 0\.3 s"),
        (b"", 5.0, r"no whole answer of its server within 0\.3 s"),
        (b" " * 2**20, 0.0, "more than it may"),
    ],
    ids=["trickles", "is silent", "is too much"],
)
def test_an_answer_without_end_is_waited_for_within_its_limits(
    tmp_path: Path, piece: bytes, pause_s: float, reason: str
) -> None:
    contract = read_folder(classifier(tmp_path)).contract
    handler = broken(httpx.Response(200, stream=_Endless(piece, pause_s)))
    limits = Limits(seconds=0.3 if pause_s else 60, memory_mib=4)
    client = httpx.Client(transport=httpx.MockTransport(handler))
    one = RemoteRunner("https://m.test", contract, client=client, limits=limits)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=reason):
        one.run({"x": np.zeros((1, 1, 8, 8), np.float32)}, ("y",))
    assert time.monotonic() - began < 4


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
