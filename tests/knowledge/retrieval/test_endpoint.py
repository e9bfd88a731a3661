"""An embeddings or rerank endpoint gives usable numbers, or an error that says what it did."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from knowledge.retrieval.endpoint import Endpoint, EndpointEncoder, EndpointReranker
from knowledge.retrieval.errors import EncoderUnavailableError, RerankerUnavailableError

Answer = Callable[[httpx.Request], httpx.Response]


def _endpoint(answer: Answer) -> Endpoint:
    return Endpoint(
        "http://127.0.0.1:9/v1/",
        key=SecretStr("secret"),
        timeout_s=1,
        transport=httpx.MockTransport(answer),
    )


def _encoder(answer: Answer) -> EndpointEncoder:
    return EndpointEncoder(_endpoint(answer), model="m", languages=("en", "zh"))


def _reply(body: Any, status: int = 200) -> Answer:
    return lambda request: httpx.Response(status, json=body)


def _lengths(request: httpx.Request) -> httpx.Response:
    """Answer with (length of the text, 1), in reverse order as the API allows."""
    texts = json.loads(request.content)["input"]
    data = [{"index": i, "embedding": [len(t), 1.0]} for i, t in enumerate(texts)]
    return httpx.Response(200, json={"data": data[::-1]})


def test_vectors_are_of_unit_length_in_the_order_of_the_texts_over_several_requests() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _lengths(request)

    texts = ["x" * n for n in range(1, 101)]
    vectors = _encoder(answer).embed(texts)
    expected = np.array([[n, 1.0] for n in range(1, 101)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)
    assert [len(json.loads(r.content)["input"]) for r in seen] == [64, 36]
    assert str(seen[0].url) == "http://127.0.0.1:9/v1/embeddings"
    assert seen[0].headers["Authorization"] == "Bearer secret"
    assert json.loads(seen[0].content)["model"] == "m"


def test_the_dimension_is_asked_where_nothing_was_embedded_yet() -> None:
    assert _encoder(_lengths).dimension == 2
    assert _encoder(_lengths).embed([]).shape == (0, 2)


def _refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def _slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def _growing(request: httpx.Request) -> httpx.Response:
    texts = json.loads(request.content)["input"]
    size = 2 if len(texts) == 64 else 3
    data = [{"index": i, "embedding": [1.0] * size} for i in range(len(texts))]
    return httpx.Response(200, json={"data": data})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (_refused, "not reached: ConnectError"),
        (_slow, "no answer within 1 s"),
        (_reply({"error": "x"}, 500), "status 500"),
        (_reply({}, 302), "status 302"),
        (lambda request: httpx.Response(200, text="<html>"), "something else than JSON"),
        (_reply({"data": []}), "one vector for each text"),
        (_reply({"data": [{"index": 1, "embedding": [1]}]}), "one vector for each text"),
        (_reply({"data": [{"index": 0, "embedding": ["a"]}]}), "without vectors"),
        (_reply({"data": [{"embedding": [1]}]}), "without vectors"),
        (_reply({"data": None}), "without vectors"),
        (_reply([1]), "without vectors"),
        (_reply({"data": [{"index": 0, "embedding": [0, 0]}]}), "without direction"),
        (_reply({"data": [{"index": 0, "embedding": 1.0}]}), "changing length"),
    ],
)
def test_anything_but_vectors_is_an_error_without_the_text_that_was_sent(
    answer: Answer, message: str
) -> None:
    with pytest.raises(EncoderUnavailableError, match=message) as raised:
        _encoder(answer).embed(["private words"])
    assert "private" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_vectors_that_change_their_length_are_an_error() -> None:
    with pytest.raises(EncoderUnavailableError, match="changing length"):
        _encoder(_growing).embed(["x"] * 65)


def test_scores_are_given_back_in_the_order_of_the_texts() -> None:
    results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": -1}]
    reranker = EndpointReranker(_endpoint(_reply({"results": results})), model="r")
    assert reranker.scores("q", ["a", "b"]) == [-1.0, 0.9]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (_refused, "not reached"),
        (_reply({"results": [{"index": 0, "relevance_score": 1}]}), "every passage"),
        (_reply({"results": [{"index": 0}]}), "without scores"),
        (_reply({"data": []}), "without scores"),
        (
            _reply({"results": [{"index": i, "relevance_score": "nan"} for i in (0, 1)]}),
            "every passage",
        ),
    ],
)
def test_anything_but_scores_for_all_is_an_error(answer: Answer, message: str) -> None:
    reranker = EndpointReranker(_endpoint(answer), model="r")
    with pytest.raises(RerankerUnavailableError, match=message):
        reranker.scores("q", ["a", "b"])
