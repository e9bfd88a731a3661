"""The mixtures made of SmolLM2-135M: sizes, outputs, and which experts work in a real run."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from knowledge.settings import Settings
from serving.llm.routing.measure import measure
from serving.llm.routing.prompts import project_prompts
from serving.llm.routing.text import label, report_lines
from serving.llm.upcycle.plan import Form
from serving.llm.upcycle.record import Record
from tests.vllm.conftest import EXPERTS, FORMS, MEASURED, TOP_K

# config.json of HuggingFaceTB/SmolLM2-135M-Instruct
LAYERS, HIDDEN, INNER, VOCABULARY, HEADS, KV_HEADS = 30, 576, 1536, 49152, 9, 3
Checkpoints = dict[Form, tuple[Path, Record]]


@pytest.mark.parametrize("form", FORMS)
def test_sizes_are_those_of_the_arithmetic(checkpoints: Checkpoints, form: Form) -> None:
    sizes = checkpoints[form][1].parameters
    attention = HIDDEN * HIDDEN * 2 + 2 * HIDDEN * KV_HEADS * 64
    dense = VOCABULARY * HIDDEN + HIDDEN
    dense += LAYERS * (attention + 3 * HIDDEN * INNER + 2 * HIDDEN)
    assert dense == 134_515_008  # as the publisher's safetensors file counts
    assert sizes.dense == dense
    routed = 3 * HIDDEN * (INNER if form == "mixtral" else INNER * 2 // 3)
    added = (EXPERTS - 1) * routed + EXPERTS * HIDDEN
    if form == "qwen-moe":  # gate of the shared expert; biases of queries, keys and values
        added += HIDDEN + (HEADS + 2 * KV_HEADS) * 64
    assert sizes.total == dense + LAYERS * added
    assert sizes.total - sizes.active == LAYERS * (EXPERTS - TOP_K) * routed


@pytest.mark.parametrize("form", FORMS)
def test_outputs_are_those_of_the_dense_model(checkpoints: Checkpoints, form: Form) -> None:
    found = checkpoints[form][1].differences
    assert {(d.dtype, d.top_k) for d in found} == {
        (dtype, k) for dtype in ("float32", "bfloat16") for k in (1, TOP_K, EXPERTS)
    }
    for one in found:
        assert one.equal
        if one.dtype == "float32":
            assert one.tolerance <= 1e-3
            assert one.same_first == one.tokens


def test_which_experts_work_is_counted_on_the_projects_prompts(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    folder, record = checkpoints["mixtral"]
    every = project_prompts(Settings(data_dir=tmp_path))
    prompts = {name: said for name, said in every.items() if name.startswith("early_presenter/en")}
    found = measure(folder, prompts)
    assert label(found, record)[0] == "instrument check"
    assert len(found.routing.layers) == LAYERS
    assert found.routing.tokens > 1000
    assert found.active / found.total == pytest.approx(record.parameters.active_share, abs=1e-6)
    assert sum(found.routing.layers[0].load) == pytest.approx(1)
    MEASURED.extend(list(report_lines(found, record))[:3])


def test_torchvision_is_not_here() -> None:
    assert find_spec("torchvision") is None
