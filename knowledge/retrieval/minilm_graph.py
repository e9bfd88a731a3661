"""The MiniLM sentence encoder as an ONNX graph, built from its weights without its framework.

BERT (Devlin 2019) of 6 layers, 12 heads, 384 dimensions, exact GELU, layer norm after each half;
then the mean over the tokens that are not padding, and unit length (sentence-transformers
"all-MiniLM-L6-v2", Apache-2.0). Inputs ``input_ids`` and ``attention_mask``, int64
``(texts, tokens)``; output ``vectors``, float32 ``(texts, 384)``.
"""

from collections.abc import Mapping
from typing import Any

LAYERS = 6
HEADS = 12
DIMENSION = 384
_HEAD = DIMENSION // HEADS
_EPSILON = 1e-12  # layer_norm_eps of the model's config.json
_OPSET = 20  # the first with Gelu
_IR = 10
GRAPH_VERSION = 1
"""Counted up when the graph changes: part of the encoder's id."""


def sentence_encoder(weights: Mapping[str, Any]) -> bytes:
    """Return the serialised graph with its weights inside.

    Args:
        weights: Tensors by their names in the published file, float32.

    Raises:
        KeyError: A tensor of the model is not among the weights.
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    hidden = _embeddings(graph, weights)
    bias = _attention_bias(graph)
    for layer in range(LAYERS):
        hidden = _layer(graph, weights, f"encoder.layer.{layer}", hidden, bias)
    _pooled(graph, hidden)
    tokens = ["texts", "tokens"]
    made = helper.make_graph(
        graph.nodes,
        "all-minilm-l6-v2",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, tokens)
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", DIMENSION])],
        graph.constants,
    )
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(
        made, opset_imports=[opset], ir_version=_IR, producer_name="epicrisis"
    )
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised


class _Graph:
    """Nodes and constants in the order they were added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def linear(self, weights: Mapping[str, Any], names: tuple[str, ...], x: str, name: str) -> str:
        """Add ``x @ W.T + b``, the weights of several layers side by side."""
        import numpy as np

        matrix = np.concatenate([weights[f"{n}.weight"] for n in names]).T
        bias = np.concatenate([weights[f"{n}.bias"] for n in names])
        w = self.constant(f"{name}.weight", np.ascontiguousarray(matrix))
        product = self.add("MatMul", x, w, name=f"{name}.product")
        return self.add("Add", product, self.constant(f"{name}.bias", bias), name=name)

    def norm(self, weights: Mapping[str, Any], source: str, x: str, name: str) -> str:
        scale = self.constant(f"{name}.scale", weights[f"{source}.weight"])
        shift = self.constant(f"{name}.shift", weights[f"{source}.bias"])
        return self.add("LayerNormalization", x, scale, shift, name=name, axis=-1, epsilon=_EPSILON)


def _embeddings(graph: _Graph, weights: Mapping[str, Any]) -> str:
    import numpy as np

    table = graph.constant("words", weights["embeddings.word_embeddings.weight"])
    words = graph.add("Gather", table, "input_ids", name="word_vectors", axis=0)
    # One text at a time, never a pair: the type of every token is 0.
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    places = weights["embeddings.position_embeddings.weight"] + kind
    shape = graph.add("Shape", "input_ids", name="length", start=1, end=2)
    zero, axis = (graph.constant(n, np.zeros(1, np.int64)) for n in ("zero", "axis"))
    table = graph.constant("places", places)
    place = graph.add("Slice", table, zero, shape, axis, name="place_vectors")
    total = graph.add("Add", words, place, name="embedded")
    return graph.norm(weights, "embeddings.LayerNorm", total, "embeddings")


def _attention_bias(graph: _Graph) -> str:
    """Add what makes padding unseen: 0 for a token, a large negative number for padding."""
    import numpy as np

    mask = graph.add("Cast", "attention_mask", name="mask", to=1)
    axes = graph.constant("axes_1_2", np.array([1, 2], np.int64))
    wide = graph.add("Unsqueeze", mask, axes, name="wide_mask")
    one = graph.constant("one", np.ones(1, np.float32))
    low = graph.constant("low", np.array([-1e9], np.float32))
    padding = graph.add("Sub", one, wide, name="padding")
    return graph.add("Mul", padding, low, name="attention_bias")


def _layer(graph: _Graph, weights: Mapping[str, Any], source: str, x: str, bias: str) -> str:
    attended = _attention(graph, weights, f"{source}.attention.self", x, bias)
    out = (f"{source}.attention.output.dense",)
    projected = graph.linear(weights, out, attended, f"{source}.projected")
    total = graph.add("Add", projected, x, name=f"{source}.first")
    x = graph.norm(weights, f"{source}.attention.output.LayerNorm", total, f"{source}.normed")
    inner = graph.linear(weights, (f"{source}.intermediate.dense",), x, f"{source}.inner")
    active = graph.add("Gelu", inner, name=f"{source}.gelu")
    outer = graph.linear(weights, (f"{source}.output.dense",), active, f"{source}.outer")
    total = graph.add("Add", outer, x, name=f"{source}.second")
    return graph.norm(weights, f"{source}.output.LayerNorm", total, f"{source}.out")


def _attention(graph: _Graph, weights: Mapping[str, Any], source: str, x: str, bias: str) -> str:
    import numpy as np

    names = tuple(f"{source}.{part}" for part in ("query", "key", "value"))
    joined = graph.linear(weights, names, x, f"{source}.qkv")
    shape = graph.constant(f"{source}.split_shape", np.array([0, 0, 3, HEADS, _HEAD], np.int64))
    parts = graph.add("Reshape", joined, shape, name=f"{source}.parts")
    turned = graph.add("Transpose", parts, name=f"{source}.turned", perm=[2, 0, 3, 1, 4])
    query, key, value = (
        graph.add(
            "Gather",
            turned,
            graph.constant(f"{source}.index{i}", np.array(i, np.int64)),
            name=f"{source}.part{i}",
            axis=0,
        )
        for i in range(3)
    )
    key = graph.add("Transpose", key, name=f"{source}.key_turned", perm=[0, 1, 3, 2])
    raw = graph.add("MatMul", query, key, name=f"{source}.raw")
    scale = graph.constant(f"{source}.scale", np.array([_HEAD**-0.5], np.float32))
    scaled = graph.add("Mul", raw, scale, name=f"{source}.scaled")
    masked = graph.add("Add", scaled, bias, name=f"{source}.masked")
    share = graph.add("Softmax", masked, name=f"{source}.share", axis=-1)
    mixed = graph.add("MatMul", share, value, name=f"{source}.mixed")
    back = graph.add("Transpose", mixed, name=f"{source}.back", perm=[0, 2, 1, 3])
    flat = graph.constant(f"{source}.flat_shape", np.array([0, 0, DIMENSION], np.int64))
    return graph.add("Reshape", back, flat, name=f"{source}.attended")


def _pooled(graph: _Graph, hidden: str) -> None:
    """Add the mean over tokens and the division by its length."""
    import numpy as np

    axis2 = graph.constant("axis_2", np.array([2], np.int64))
    axis1 = graph.constant("axis_1", np.array([1], np.int64))
    tokens = graph.add("Unsqueeze", "mask", axis2, name="token_mask")
    kept = graph.add("Mul", hidden, tokens, name="kept")
    total = graph.add("ReduceSum", kept, axis1, name="total", keepdims=0)
    count = graph.add("ReduceSum", tokens, axis1, name="count", keepdims=0)
    mean = graph.add("Div", total, count, name="mean")
    length = graph.add("ReduceL2", mean, axis1, name="vector_length", keepdims=1)
    tiny = graph.constant("tiny", np.array([1e-12], np.float32))
    graph.add("Div", mean, graph.add("Max", length, tiny, name="divisor"), name="vectors")
