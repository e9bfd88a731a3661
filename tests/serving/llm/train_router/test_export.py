"""What is written for the two servers, held against other people's readers of the same files."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
from tokenizers import Tokenizer

from agent.router_planner.compact import FORM
from agent.router_planner.shortlist import ToolIndex
from agent.router_planner.weights import CARD, GGUF, RouterCard
from knowledge.errors import ContractError, UnavailableError
from serving.llm.train_router import assemble, train
from serving.llm.train_router.adapter import WEIGHTS
from serving.llm.train_router.assemble import (
    MERGED,
    RECIPE,
    UNCHECKED,
    put_to_use,
    shipped_adapter,
    take_over,
)
from serving.llm.train_router.base import Base, dense_state, open_base
from serving.llm.train_router.check import Check
from serving.llm.train_router.export import write_checkpoint, write_gguf
from serving.llm.train_router.moe import moe_state
from serving.llm.train_router.recipe import Recipe
from serving.llm.train_router.tuning import Progress
from tests.serving.llm.train_router.test_adapter import written
from tests.serving.llm.train_router.tiny_base import HEADS, HIDDEN, INNER, KV, LAYERS, tiny_base

gguf = pytest.importorskip("gguf")
pytestmark = pytest.mark.filterwarnings("ignore")
EXPERTS = 3


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return open_base(tiny_base(tmp_path_factory.mktemp("base") / "tiny.gguf"))


@pytest.fixture(scope="module")
def checkpoint(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = moe_state(dense_state(base), base.shape, experts=EXPERTS, seed=1)
    folder = tmp_path_factory.mktemp("moe")
    return write_checkpoint(state, base, folder, experts=EXPERTS, experts_per_token=2)


def test_the_sizes_are_read_from_the_file(base: Base) -> None:
    shape = base.shape
    assert (shape.layers, shape.hidden, shape.inner) == (LAYERS, HIDDEN, INNER)
    assert (shape.heads, shape.kv_heads, shape.vocabulary) == (HEADS, KV, 261)


def test_the_mixture_says_what_transformers_says_of_the_dense_file(
    base: Base, checkpoint: Path
) -> None:
    """The dense model is read from the GGUF file by transformers, the mixture from our checkpoint:
    names, order of rotations, experts and gates are all right or the logits differ."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    dense = transformers.AutoModelForCausalLM.from_pretrained(
        base.path.parent, gguf_file=base.path.name, dtype=torch.float32
    ).eval()
    sparse = transformers.AutoModelForCausalLM.from_pretrained(
        checkpoint, dtype=torch.float32, experts_implementation="eager"
    ).eval()
    assert type(sparse).__name__ == "MixtralForCausalLM"
    ids = torch.arange(3, 40)[None]
    with torch.inference_mode():
        one, other = dense(input_ids=ids).logits, sparse(input_ids=ids).logits
    # Weights are rounded to bfloat16 (relative step 2**-8) on the way; logits here are about 3.
    assert float((one - other).abs().max()) < 0.2
    assert float((one.argmax(-1) == other.argmax(-1)).float().mean()) > 0.9


def test_the_tokenizer_cuts_digits_one_by_one_and_marks_as_wholes(checkpoint: Path) -> None:
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    assert tokenizer.encode("lab-12<|im_end|>").tokens == ["lab", "-", "1", "2", "<|im_end|>"]
    assert tokenizer.decode(tokenizer.encode("肌钙蛋白 lab-1").ids) == "肌钙蛋白 lab-1"


def test_the_checkpoint_has_the_names_of_the_published_form(checkpoint: Path) -> None:
    from safetensors import safe_open

    with safe_open(checkpoint / "model.safetensors", framework="np") as file:
        names = set(file.keys())
    block = "model.layers.1.block_sparse_moe"
    assert {f"{block}.gate.weight", *(f"{block}.experts.2.w{n}.weight" for n in (1, 2, 3))} <= names
    config = orjson.loads((checkpoint / "config.json").read_bytes())
    assert (config["num_local_experts"], config["num_experts_per_tok"]) == (EXPERTS, 2)


def test_the_file_for_llama_cpp_holds_the_same_numbers(base: Base, tmp_path: Path) -> None:
    state = moe_state(dense_state(base), base.shape, experts=EXPERTS, seed=1)
    path = write_gguf(
        state, base, tmp_path / "m.gguf", experts=EXPERTS, experts_per_token=2, name="m"
    )
    reader = gguf.GGUFReader(path)
    assert reader.fields["llama.expert_count"].contents() == EXPERTS
    assert reader.fields["llama.expert_used_count"].contents() == 2
    assert reader.fields["tokenizer.ggml.pre"].contents() == "smollm"
    held = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in reader.tensors}
    source = {
        t.name: gguf.quants.dequantize(t.data, t.tensor_type)
        for t in gguf.GGUFReader(base.path).tensors
    }
    # Rows of queries and keys are as in the file they came from; Q8_0 has steps of 1/127.
    for name in ("blk.0.attn_q.weight", "blk.1.attn_k.weight", "token_embd.weight"):
        np.testing.assert_allclose(held[name], source[name], atol=0.01)
    for expert in held["blk.0.ffn_up_exps.weight"]:
        np.testing.assert_allclose(expert, source["blk.0.ffn_up.weight"], atol=0.01)
    assert held["blk.0.ffn_gate_inp.weight"].shape == (EXPERTS, HIDDEN)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    chance = np.random.default_rng(2)
    name = "model.layers.0.self_attn.q_proj"
    made = written(
        tmp_path / "adapter",
        {
            f"{name}.lora_A.weight": chance.normal(size=(2, HIDDEN)).astype(np.float32),
            f"{name}.lora_B.weight": chance.normal(size=(HIDDEN, 2)).astype(np.float32),
        },
    )
    recipe = Recipe(experts=EXPERTS, seed=1)
    (made / RECIPE).write_bytes(orjson.dumps(recipe.model_dump(mode="json")))
    return made


def test_an_adapter_is_put_together_with_its_card(
    base: Base, adapter: Path, checkpoint: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    out = tmp_path / "out"
    card = put_to_use(base, adapter, out, checkpoint=True, tell=said.append)
    assert RouterCard.model_validate_json((out / CARD).read_bytes()) == card
    assert (card.form, card.experts, card.base_sha256) == (FORM, EXPERTS, base.sha256)
    assert (out / GGUF).is_file()
    assert said
    path = out / MERGED / "model.safetensors"
    assert card.checkpoint_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {one.name for one in (out / MERGED).iterdir()} == {
        one.name for one in checkpoint.iterdir()
    }
    assert path.read_bytes() != (checkpoint / "model.safetensors").read_bytes()
    again = put_to_use(base, adapter, out, checkpoint=False, tell=said.append)
    assert again.checkpoint_sha256 == ""
    assert not (out / MERGED).exists()  # it would be another router than the one in use
    assert not (out / UNCHECKED).exists()


@pytest.mark.parametrize("full", ["write_checkpoint", "write_gguf"])
def test_a_full_disk_leaves_the_router_before_as_it_was(
    base: Base, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    out = tmp_path / "out"
    card = put_to_use(base, adapter, out, checkpoint=True, tell=lambda _: None)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def fails(*given: object, **sizes: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(assemble, full, fails)
    with pytest.raises(UnavailableError, match="No space left on device"):
        put_to_use(base, adapter, out, checkpoint=True, tell=lambda _: None)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert card.gguf_sha256 == hashlib.sha256((out / GGUF).read_bytes()).hexdigest()


def test_a_checked_router_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    side = tmp_path / UNCHECKED
    (side / MERGED).mkdir(parents=True)
    (tmp_path / MERGED).mkdir()
    for folder, text in ((tmp_path, "old"), (side, "new")):
        for name in (GGUF, CARD, f"{MERGED}/model.safetensors"):
            (folder / name).write_text(text)
    take_over(side, tmp_path)
    names = (GGUF, CARD, f"{MERGED}/model.safetensors")
    assert {(tmp_path / name).read_text() for name in names} == {"new"}
    assert not side.exists()


def test_the_shipped_adapter_is_as_it_was_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(shipped_adapter(), tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(assemble, "SHIPPED", tmp_path)
    assert shipped_adapter() == tmp_path
    content = bytearray((tmp_path / WEIGHTS).read_bytes())
    content[-7] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(UnavailableError, match="is not as it was shipped"):
        shipped_adapter()
    for sums in (b"", b"\xff", None):
        (tmp_path / "SHA256SUMS").unlink(missing_ok=True)
        if sums is not None:
            (tmp_path / "SHA256SUMS").write_bytes(sums)
        with pytest.raises(UnavailableError, match="is not as it was shipped"):
            shipped_adapter()


def test_a_merge_that_fails_its_check_is_not_put_to_use(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_base: Base, _adapter: Path, out: Path, **_: object) -> None:
        out.mkdir(parents=True)
        for name in (GGUF, CARD):
            (out / name).write_text("new")

    bad = Check(places=100, same=90, apart=0.0, right_merged=0, right_adapter=0)
    for name, stands_in in {
        "put_together": write,
        "held_out": lambda *_: (),
        "with_offers": lambda *_, **__: (),
        "tokens_of": lambda *_: (),
        "compare": lambda *_: bad,
    }.items():
        monkeypatch.setattr(train, name, stands_in)
    for name in (GGUF, CARD):
        (tmp_path / name).write_text("old")
    progress = Progress(step=1, steps=1, loss=1.0, tokens=1, seconds=1.0, device="cpu")
    with pytest.raises(ContractError, match="90 of 100 places"):
        train._finished(
            Recipe(), base, tmp_path, tmp_path, progress, ToolIndex(None), lambda _: None
        )
    assert {(tmp_path / name).read_text() for name in (GGUF, CARD)} == {"old"}
