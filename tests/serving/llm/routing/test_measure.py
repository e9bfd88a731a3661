"""Counted in a real run of a tiny mixture, and compared with another way to count."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from agent.llm.seam import Message
from knowledge.errors import ContractError, UnreadableError
from serving.llm.routing.measure import MOST_TOKENS, measure
from serving.llm.routing.prompts import Conversation
from serving.llm.routing.text import INSTRUMENT_CHECK, MEASUREMENT, label, report_json, report_lines
from serving.llm.upcycle import extra
from serving.llm.upcycle.make import write_upcycle
from serving.llm.upcycle.plan import Form, Plan
from serving.llm.upcycle.record import read_record
from tests.serving.llm.upcycle.tiny import needs_extra, tiny

pytestmark = needs_extra
PROMPTS: Mapping[str, Conversation] = {
    "en": (
        Message(role="system", content="You plan."),
        Message(role="user", content="Chest pain, troponin T 57 ng/L."),
    ),
    "zh": (Message(role="user", content="胸痛"),),
}


@pytest.fixture(scope="module")
def mixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One tiny mixture of each form."""
    folder = tmp_path_factory.mktemp("mixtures")
    forms: tuple[Form, ...] = ("mixtral", "qwen-moe")
    for form in forms:
        write_upcycle(tiny(), Plan(form=form, experts=4, top_k=2), folder / form)
    return folder


def _spoil(folder: Path) -> None:
    """Change one expert of one layer, as training would."""
    model = extra.transformers().AutoModelForCausalLM.from_pretrained(str(folder))
    model.model.layers[0].mlp.experts.down_proj.data[2] *= 1.25
    model.save_pretrained(folder)


@pytest.mark.parametrize("form", ["mixtral", "qwen-moe"])
def test_the_counts_are_those_of_the_models_own_router_logits(mixtures: Path, form: str) -> None:
    """transformers returns the router's logits; the largest two of each are the experts."""
    torch, folder = extra.torch(), mixtures / form
    found = measure(folder, PROMPTS)
    model = extra.transformers().AutoModelForCausalLM.from_pretrained(str(folder)).eval()
    tokenizer = extra.transformers().AutoTokenizer.from_pretrained(str(folder))
    counts = np.zeros((2, 4), dtype=int)
    tokens = 0
    for messages in PROMPTS.values():
        text = "".join(f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n" for m in messages)
        ids = tokenizer(text + "<|im_start|>assistant\n", return_tensors="pt")["input_ids"]
        tokens += ids.shape[1]
        with torch.no_grad():
            logits = model(input_ids=ids, output_router_logits=True).router_logits
        for number, of_layer in enumerate(logits):
            picked = of_layer.float().topk(2, dim=-1).indices.numpy()
            counts[number] += np.bincount(picked.ravel(), minlength=4)
    assert found.routing.tokens == tokens
    for layer, row in zip(found.routing.layers, counts, strict=True):
        assert layer.load == pytest.approx(tuple(row / row.sum()))
        assert 0.25 <= layer.confidence <= 1


def test_a_fresh_upcycle_is_an_instrument_check(mixtures: Path) -> None:
    folder = mixtures / "mixtral"
    found = measure(folder, PROMPTS)
    assert found.identical
    kind, why = label(found, read_record(folder))
    assert kind == INSTRUMENT_CHECK
    assert "same weights" in why
    assert label(found, None)[0] == INSTRUMENT_CHECK  # told by the weights, not by the file alone
    lines = list(report_lines(found, read_record(folder)))
    assert lines[0].startswith("instrument check: ")
    assert report_json(found, None)["kind"] == "instrument check"


def test_experts_that_differ_are_a_measurement_unless_nothing_was_trained(
    mixtures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "moe"
    shutil.copytree(mixtures / "mixtral", folder)
    _spoil(folder)
    found = measure(folder, PROMPTS)
    assert not found.identical
    record = read_record(folder)
    assert record is not None
    assert label(found, record)[0] == INSTRUMENT_CHECK
    assert label(found, record.model_copy(update={"tuned": True}))[0] == MEASUREMENT
    assert label(found, None)[0] == MEASUREMENT


def test_active_parameters_are_counted(mixtures: Path) -> None:
    folder = mixtures / "qwen-moe"
    record, found = read_record(folder), measure(folder, PROMPTS)
    assert record is not None
    assert (found.total, found.active) == (record.parameters.total, record.parameters.active)
    share = report_json(found, record)["parameters"]["active_share"]
    assert share == pytest.approx(found.active / found.total, abs=1e-4)


def test_a_prompt_that_is_too_long_is_cut_and_counted_as_cut(mixtures: Path) -> None:
    long = {"long": (Message(role="user", content="x" * (MOST_TOKENS + 100)),)}
    found = measure(mixtures / "mixtral", long)
    assert (found.cut, found.routing.tokens) == (1, MOST_TOKENS)


def test_a_dense_checkpoint_has_no_routing(tmp_path: Path) -> None:
    dense = tiny()
    dense.model.save_pretrained(tmp_path)
    with pytest.raises(ContractError, match="'llama'"):
        measure(tmp_path, PROMPTS)


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}"])
def test_a_folder_without_a_checkpoint_is_told(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UnreadableError, match="no configuration"):
        measure(tmp_path, PROMPTS)


def test_code_of_the_checkpoint_is_never_run(mixtures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "moe"
    shutil.copytree(mixtures / "mixtral", folder)
    config: dict[str, Any] = orjson.loads((folder / "config.json").read_bytes())
    config["auto_map"] = {"AutoModelForCausalLM": "mine.Model"}
    (folder / "config.json").write_bytes(orjson.dumps(config))
    with pytest.raises(ContractError, match="auto_map"):
        measure(folder, PROMPTS)
