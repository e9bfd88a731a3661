"""The encoder built from its weights gives the vectors of its framework."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.packaged_weights import present, weights
from knowledge.retrieval import minilm
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.minilm import MODEL, MiniLm, open_minilm
from knowledge.retrieval.minilm_graph import DIMENSION, HEADS, LAYERS, sentence_encoder
from knowledge.retrieval.opening import weights_folder
from knowledge.settings import load_settings

# Made by sentence-transformers 6.2.0 with torch 2.13.0 (CPU, float32) from the same weights,
# `encode(texts, normalize_embeddings=True)`: the first eight components of each vector, and the
# inner products of the first vector with all.
TEXTS = (
    "High-sensitivity troponin rises in acute myocardial infarction.",
    "Primary PCI is preferred when it can be done within 120 minutes of the diagnosis of STEMI.",
    "Chest pain",
    "A widened mediastinum on the chest film suggests aortic dissection; order CT angiography.",
    "The patient was discharged home. " * 80,
)
FIRST_EIGHT = (
    (-0.031545, -0.075017, -0.035255, 0.064392, 0.015193, -0.082358, 0.010739, 0.154876),
    (-0.022376, 0.028728, -0.000666, -0.059671, -0.00973, -0.049877, -0.126272, 0.09132),
    (0.039125, 0.09008, -0.003451, 0.083646, 0.047148, -0.023877, -0.03144, 0.03003),
    (0.036583, 0.063114, 0.040309, -0.018817, -0.015367, -0.057637, -0.030592, -0.014746),
    (-0.018411, 0.049381, -0.015175, -0.035257, -0.054807, 0.03131, 0.005459, 0.017796),
)
PRODUCTS = (1.0, 0.13968, 0.21153, 0.15207, -0.00605)


@pytest.fixture(scope="module")
def encoder() -> MiniLm:
    cache = weights_folder(load_settings())
    if present(weights(MODEL), cache=cache) is None:
        pytest.skip("the encoder's weights are not here: `epicrisis knowledge build` fetches them")
    return open_minilm(cache)


def test_vectors_are_those_of_the_framework_the_model_was_published_with(encoder: MiniLm) -> None:
    vectors = encoder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSION)
    np.testing.assert_allclose(vectors[:, :8], FIRST_EIGHT, atol=2e-6)
    np.testing.assert_allclose(vectors @ vectors[0], PRODUCTS, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_vector_does_not_depend_on_the_texts_beside_it(encoder: MiniLm) -> None:
    together = encoder.embed(TEXTS)
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_the_kept_graph_is_made_again_where_it_was_changed(
    encoder: MiniLm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = present(weights(MODEL), cache=weights_folder(load_settings()))
    monkeypatch.setattr(minilm, "present", lambda manifest, cache: folder)
    open_minilm(tmp_path)
    (graph,) = tmp_path.glob("*.onnx")
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1])
    found = open_minilm(tmp_path)
    assert graph.read_bytes() == whole
    assert found.id == encoder.id


def test_without_weights_the_error_says_what_fetches_them(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailableError, match="epicrisis knowledge build"):
        open_minilm(tmp_path)


def test_the_graph_computes_what_the_paper_writes(tmp_path: Path) -> None:
    """Random weights, and the formulas of BERT written out in numpy, float64."""
    import onnxruntime  # type: ignore[import-untyped]

    made = _random_weights(vocabulary=50)
    session = onnxruntime.InferenceSession(
        sentence_encoder(made), providers=["CPUExecutionProvider"]
    )
    ids = np.array([[1, 7, 9, 2, 0], [1, 4, 2, 0, 0]], np.int64)
    mask = (ids > 0).astype(np.int64)
    (found,) = session.run(["vectors"], {"input_ids": ids, "attention_mask": mask})
    for row, length in ((0, 4), (1, 3)):
        np.testing.assert_allclose(found[row], _bert(made, ids[row, :length]), atol=2e-5)


def _random_weights(vocabulary: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(3)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, DIMENSION),
        "embeddings.position_embeddings.weight": (12, DIMENSION),
        "embeddings.token_type_embeddings.weight": (2, DIMENSION),
        "embeddings.LayerNorm.weight": (DIMENSION,),
        "embeddings.LayerNorm.bias": (DIMENSION,),
    }
    wide = 4 * DIMENSION
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}"
        for name, out, inside in (
            *(
                (f"attention.self.{part}", DIMENSION, DIMENSION)
                for part in ("query", "key", "value")
            ),
            ("attention.output.dense", DIMENSION, DIMENSION),
            ("intermediate.dense", wide, DIMENSION),
            ("output.dense", DIMENSION, wide),
        ):
            shapes[f"{layer}.{name}.weight"] = (out, inside)
            shapes[f"{layer}.{name}.bias"] = (out,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{layer}.{name}.weight"] = (DIMENSION,)
            shapes[f"{layer}.{name}.bias"] = (DIMENSION,)
    return {
        name: (0.1 * random.standard_normal(shape) + ("Norm.weight" in name)).astype(np.float32)
        for name, shape in shapes.items()
    }


def _bert(w: dict[str, Any], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import erf, softmax

    def linear(x: Any, name: str) -> Any:
        return x @ w[f"{name}.weight"].T.astype(float) + w[f"{name}.bias"]

    def norm(x: Any, name: str) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / deviation * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids].astype(float)
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}"
        q, k, v = (
            linear(x, f"{layer}.attention.self.{p}").reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for p in ("query", "key", "value")
        )
        share = softmax(q @ k.swapaxes(1, 2) / np.sqrt(DIMENSION / HEADS), axis=-1)
        mixed = (share @ v).swapaxes(0, 1).reshape(len(ids), DIMENSION)
        x = norm(
            x + linear(mixed, f"{layer}.attention.output.dense"),
            f"{layer}.attention.output.LayerNorm",
        )
        inner = linear(x, f"{layer}.intermediate.dense")
        inner = 0.5 * inner * (1 + erf(inner / np.sqrt(2)))
        x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean = x.mean(axis=0)
    unit: NDArray[np.float64] = mean / np.linalg.norm(mean)
    return unit
