"""Vectors and orders from an endpoint: the ``/embeddings`` of the OpenAI API, a ``/rerank``.

What is sent is the passage or query itself: configuring a remote address sends the questions of
this installation there. Redirects are not followed and no proxy is taken from the environment.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from knowledge.errors import UnavailableError
from knowledge.passages import Language
from knowledge.retrieval.errors import EncoderUnavailableError, RerankerUnavailableError

if TYPE_CHECKING:
    import httpx

_BATCH = 64  # texts in one request: below the limits of the usual servers


class Endpoint:
    """One address that answers JSON to JSON.

    Args:
        url: Base address, for example ``http://127.0.0.1:8000/v1``.
        key: Bearer token, where the server wants one.
        timeout_s: For one request.
        transport: For tests: takes the place of the network.
    """

    def __init__(
        self,
        url: str,
        *,
        key: SecretStr | None = None,
        timeout_s: float,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._timeout_s = timeout_s
        self._transport = transport

    def post(self, path: str, body: Mapping[str, Any], *, error: type[UnavailableError]) -> Any:
        """Return the answer to one request.

        Raises:
            UnavailableError: Of the type `error`; the message holds no text of the request.
        """
        import httpx

        headers = {}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        try:
            with httpx.Client(
                timeout=self._timeout_s, transport=self._transport, trust_env=False
            ) as client:
                reply = client.post(self._url + path, json=dict(body), headers=headers)
        except httpx.TimeoutException as cause:
            raise error(path, f"no answer within {self._timeout_s:g} s") from cause
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            raise error(path, f"not reached: {type(cause).__name__}") from cause
        if reply.status_code != httpx.codes.OK:
            raise error(path, f"answered with status {reply.status_code}")
        try:
            return reply.json()
        except ValueError as cause:
            raise error(path, "answered with something else than JSON") from cause


class EndpointEncoder:
    """Vectors from an endpoint; what cosine means nothing is not known of a model it may serve.

    Args:
        endpoint: Where.
        model: Its name there.
        languages: That the model was made for.
    """

    def __init__(self, endpoint: Endpoint, *, model: str, languages: Sequence[Language]) -> None:
        self.id = f"endpoint/{model}"
        self.languages = tuple(languages)
        self.min_cosine = -1.0
        self._endpoint = endpoint
        self._model = model
        self._dimension: int | None = None

    @property
    def dimension(self) -> int:
        """Length of a vector, asked once."""
        if self._dimension is None:
            self.embed(["dimension"])
        if self._dimension is None:
            raise EncoderUnavailableError(self.id, "gave no vector")
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors ``(texts, dimension)``.

        Raises:
            EncoderUnavailableError: The endpoint did not give one usable vector for each text.
        """
        parts = [
            self._batch(list(texts[start : start + _BATCH]))
            for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    def _batch(self, texts: list[str]) -> NDArray[np.float32]:
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        reply = self._endpoint.post("/embeddings", body, error=EncoderUnavailableError)
        try:
            rows = sorted(reply["data"], key=lambda row: row["index"])
            if [row["index"] for row in rows] != list(range(len(texts))):
                raise EncoderUnavailableError(self.id, "did not give one vector for each text")
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise EncoderUnavailableError(self.id, "answered without vectors") from error
        return self._unit(vectors)

    def _unit(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if vectors.ndim != 2 or self._dimension not in (None, vectors.shape[1]):
            raise EncoderUnavailableError(self.id, "gave vectors of changing length")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not bool(np.all(np.isfinite(lengths) & (lengths > 0))):
            raise EncoderUnavailableError(self.id, "gave a vector without direction")
        self._dimension = int(vectors.shape[1])
        unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return unit


class EndpointReranker:
    """Scores from a ``/rerank`` endpoint as Jina, vLLM and llama.cpp offer it.

    Args:
        endpoint: Where.
        model: Its name there.
    """

    def __init__(self, endpoint: Endpoint, *, model: str) -> None:
        self.id = f"rerank/{model}"
        self._endpoint = endpoint
        self._model = model

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score per text, higher is better.

        Raises:
            RerankerUnavailableError: The endpoint did not score every text.
        """
        body = {
            "model": self._model,
            "query": query,
            "documents": list(texts),
            "top_n": len(texts),
        }
        reply = self._endpoint.post("/rerank", body, error=RerankerUnavailableError)
        try:
            found = {int(r["index"]): float(r["relevance_score"]) for r in reply["results"]}
        except (KeyError, TypeError, ValueError) as error:
            raise RerankerUnavailableError(self.id, "answered without scores") from error
        if set(found) != set(range(len(texts))) or not np.all(np.isfinite(list(found.values()))):
            raise RerankerUnavailableError(self.id, "did not score every passage")
        return [found[place] for place in range(len(texts))]
