"""A mixture made of a tiny dense model: equal outputs whatever the router does."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.errors import ContractError, UnavailableError
from serving.llm.upcycle import equal, extra, make
from serving.llm.upcycle.make import write_upcycle
from serving.llm.upcycle.plan import Form, Plan
from serving.llm.upcycle.record import read_record
from tests.serving.llm.upcycle.tiny import needs_extra, tiny

pytestmark = needs_extra
HIDDEN, INNER, LAYERS = 48, 96, 2


def loaded(folder: Path) -> Any:
    return extra.transformers().AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=extra.torch().float32, local_files_only=True
    )


@pytest.mark.parametrize("form", ["mixtral", "qwen-moe"])
@pytest.mark.parametrize(("experts", "top_k"), [(2, 1), (2, 2), (4, 2), (8, 3)])
def test_what_is_read_back_gives_the_outputs_of_the_dense_model(
    form: Form, experts: int, top_k: int, tmp_path: Path
) -> None:
    """Compared here by ourselves on other tokens than the product's own check."""
    torch, dense = extra.torch(), tiny()
    plan = Plan(form=form, experts=experts, top_k=top_k, dtype="float32")
    record = write_upcycle(dense, plan, tmp_path / "moe")
    assert {d.top_k for d in record.differences} == {1, top_k, experts}
    mixture = loaded(tmp_path / "moe").eval()
    ids = torch.randint(0, 256, (2, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = dense.model(input_ids=ids).logits, mixture(input_ids=ids).logits
    assert float(expected.abs().max()) > 1  # else nothing could be told
    assert torch.allclose(expected, found, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("form", "added"),
    [
        # by hand: 3 more experts of three matrices each, and a router
        ("mixtral", LAYERS * (3 * 3 * HIDDEN * INNER + 4 * HIDDEN)),
        # two thirds of the neurons 3 more times, router, gate of the shared expert, q k v biases
        (
            "qwen-moe",
            LAYERS * (3 * 3 * HIDDEN * 64 + 4 * HIDDEN + HIDDEN + (48 + 24 + 24)),
        ),
    ],
)
def test_sizes_are_those_of_the_arithmetic(form: Form, added: int, tmp_path: Path) -> None:
    record = write_upcycle(tiny(), Plan(form=form, experts=4, top_k=1), tmp_path / "moe")
    sizes = record.parameters
    assert sizes.total == sizes.dense + added
    routed = LAYERS * 3 * HIDDEN * (INNER if form == "mixtral" else 64)
    assert sizes.total - sizes.active == 3 * routed  # three of four experts rest


def test_bfloat16_is_checked_as_it_is_written(tmp_path: Path) -> None:
    record = write_upcycle(tiny(), Plan(form="mixtral", experts=2, top_k=1), tmp_path / "moe")
    assert [d.dtype for d in record.differences] == ["float32"] * 2 + ["bfloat16"] * 2
    saved = extra.torch().bfloat16
    model = extra.transformers().AutoModelForCausalLM.from_pretrained(str(tmp_path / "moe"))
    assert model.dtype == saved


def test_the_same_seed_gives_the_same_router_and_another_one_another(tmp_path: Path) -> None:
    torch = extra.torch()
    routers = []
    for number, seed in enumerate((0, 0, 1)):
        folder = tmp_path / str(number)
        write_upcycle(
            tiny(), Plan(form="mixtral", experts=4, top_k=2, dtype="float32", seed=seed), folder
        )
        routers.append(torch.stack([r.weight.data for r in equal.routers(loaded(folder))]))
    assert torch.equal(routers[0], routers[1])
    assert not torch.equal(routers[0], routers[2])
    assert 0.015 < float(routers[0].std()) < 0.025


def test_beside_the_weights_stand_the_record_the_card_and_the_template(tmp_path: Path) -> None:
    folder = tmp_path / "moe"
    record = write_upcycle(tiny(), Plan(form="qwen-moe", experts=2, top_k=1), folder)
    assert read_record(folder) == record
    assert record.tuned is False
    card = (folder / "README.md").read_text()
    assert "Nothing was trained" in card
    assert "Not for clinical decisions" in card
    body = orjson.loads((folder / "upcycle.json").read_bytes())
    assert body["parameters"]["active_share"] == pytest.approx(
        record.parameters.active / record.parameters.total, abs=1e-4
    )
    tokenizer = extra.transformers().AutoTokenizer.from_pretrained(str(folder))
    assert tokenizer.chat_template == make.template()


@pytest.mark.parametrize("what", ["an expert", "the router's weights do not add up"])
def test_a_mixture_that_differs_is_not_written(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that cannot fail would be none."""
    built = make._mixture

    def spoiled(*given: Any) -> Any:
        mixture = built(*given)
        if what == "an expert":
            mixture.model.layers[1].mlp.experts.down_proj.data[1] *= 1.5
        else:
            for router in equal.routers(mixture):
                router.norm_topk_prob = False
        return mixture

    monkeypatch.setattr(make, "_mixture", spoiled)
    with pytest.raises(UnavailableError, match="differs"):
        write_upcycle(tiny(), Plan(form="qwen-moe", experts=4, top_k=2), tmp_path / "moe")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "moe").mkdir()
    (tmp_path / "moe" / "mine.txt").write_text("mine")
    with pytest.raises(ContractError, match="exists already"):
        write_upcycle(tiny(), Plan(form="mixtral", experts=2, top_k=1), tmp_path / "moe")
    assert (tmp_path / "moe" / "mine.txt").read_text() == "mine"


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    class Full:
        free = 1000

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Full)
    with pytest.raises(UnavailableError, match="are needed"):
        write_upcycle(tiny(), Plan(form="mixtral", experts=2, top_k=1), tmp_path / "moe")
    assert list(tmp_path.iterdir()) == []
