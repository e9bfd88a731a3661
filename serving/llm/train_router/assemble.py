"""From base model and adapter to a router that can be served; numpy alone, no training stack."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from safetensors import SafetensorError

from agent.router_planner.compact import FORM
from agent.router_planner.weights import CARD, GGUF, MODEL, RouterCard
from knowledge.errors import UnavailableError
from knowledge.weights_cache import require_space, sha256_of
from serving.llm.train_router.adapter import CONFIG, WEIGHTS, merged, read_adapter
from serving.llm.train_router.base import Base, dense_state
from serving.llm.train_router.export import CHECKPOINT, PARTIAL, write_checkpoint, write_gguf
from serving.llm.train_router.moe import moe_state
from serving.llm.train_router.recipe import Recipe

SPARSE, MERGED, ADAPTER, RECIPE = "sparse", "merged", "adapter", "recipe.json"
UNCHECKED = "unchecked"
"""Folder of a merged router that is not yet in use: not whole, or not yet checked."""

_SUMS = "SHA256SUMS"
SHIPPED = Path(__file__).parent / "shipped"
"""The adapter that comes with this installation, if one does; see its ``CARD.md``."""

_CHECKPOINT_BYTES = 800_000_000
_GGUF_BYTES = 420_000_000

Tell = Callable[[str], None]


def write_sparse(base: Base, recipe: Recipe, out: Path) -> Path:
    """Write the untrained sparse checkpoint that a training starts from, once.

    Returns:
        Its folder.
    """
    folder, mark = out / SPARSE, out / SPARSE / "recipe.sha256"
    wanted = f"{base.sha256} {recipe.experts} {recipe.experts_per_token} {recipe.seed}"
    if mark.is_file() and mark.read_text("ascii") == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    require_space(out, _CHECKPOINT_BYTES, beside=0)
    state = moe_state(dense_state(base), base.shape, experts=recipe.experts, seed=recipe.seed)
    write_checkpoint(
        state,
        base,
        folder,
        experts=recipe.experts,
        experts_per_token=recipe.experts_per_token,
    )
    mark.write_text(wanted, "ascii")
    return folder


def put_together(
    base: Base,
    adapter: Path,
    out: Path,
    *,
    checkpoint: bool,
    tell: Tell,
    trained: dict[str, Any] | None = None,
) -> RouterCard:
    """Merge an adapter and write what the servers read.

    Args:
        base: The dense model.
        adapter: Folder with the adapter and its ``recipe.json``.
        out: Folder to write ``router.gguf`` and ``router.json`` to.
        checkpoint: Whether the checkpoint for vLLM is written too, 750 MB.
        tell: Told what is done.
        trained: For people, kept in ``router.json``.

    Raises:
        UnavailableError: There is no adapter, it is of another model, or too little space.
    """
    recipe = read_recipe(adapter)
    pairs, scale = read_adapter(adapter)
    _clear(out)
    require_space(out, _GGUF_BYTES + checkpoint * _CHECKPOINT_BYTES, beside=0)
    tell("reading the dense model")
    sparse = moe_state(dense_state(base), base.shape, experts=recipe.experts, seed=recipe.seed)
    tell("adding the adapter")
    state = merged(sparse, pairs, scale)
    sizes = {"experts": recipe.experts, "experts_per_token": recipe.experts_per_token}
    checkpoint_sha256 = ""
    try:
        if checkpoint:
            tell("writing the checkpoint")
            folder = write_checkpoint(state, base, out / MERGED, **sizes)
            checkpoint_sha256 = sha256_of(folder / CHECKPOINT)
        tell("writing the file for llama.cpp")
        path = write_gguf(state, base, out / GGUF, name=MODEL, **sizes)
    except (OSError, SafetensorError) as error:
        _clear(out)
        raise UnavailableError(
            "router", f"cannot be written: {error}", "free some space on its disk"
        ) from error
    card = RouterCard(
        form=FORM,
        gguf_sha256=sha256_of(path),
        adapter_sha256=sha256_of(adapter / WEIGHTS),
        base_sha256=base.sha256,
        trained=trained or {},
        checkpoint_sha256=checkpoint_sha256,
        experts=recipe.experts,
        experts_per_token=recipe.experts_per_token,
    )
    (out / CARD).write_bytes(orjson.dumps(card.model_dump(), option=orjson.OPT_INDENT_2))
    return card


def put_to_use(base: Base, adapter: Path, out: Path, *, checkpoint: bool, tell: Tell) -> RouterCard:
    """Merge an adapter beside the router that is in use, then put it in its place.

    Args and errors as `put_together`; where it fails the router before is as it was.
    """
    side = out / UNCHECKED
    card = put_together(base, adapter, side, checkpoint=checkpoint, tell=tell)
    take_over(side, out)
    return card


def _clear(out: Path) -> None:
    """Take away what was written before, whole or in part: it is neither used nor counted."""
    shutil.rmtree(out / MERGED, ignore_errors=True)
    for name in (CARD, GGUF, Path(GGUF).with_suffix(PARTIAL).name):
        (out / name).unlink(missing_ok=True)


def take_over(unchecked: Path, out: Path) -> None:
    """Put a merged router that was checked in the place of the one before.

    ``router.json`` goes first and comes last: a router that is cut off half-way is none. The
    checkpoint for vLLM goes too, also where there is no new one: it is of the router before.

    Args:
        unchecked: Where it was written.
        out: Where it is used.
    """
    (out / CARD).unlink(missing_ok=True)
    shutil.rmtree(out / MERGED, ignore_errors=True)
    if (unchecked / MERGED).is_dir():
        (unchecked / MERGED).replace(out / MERGED)
    for name in (GGUF, CARD):
        (unchecked / name).replace(out / name)
    shutil.rmtree(unchecked, ignore_errors=True)


def read_recipe(adapter: Path) -> Recipe:
    """Return the recipe that an adapter was trained by.

    Raises:
        UnavailableError: There is none, or it is of another form of prompt.
    """
    item = f"adapter {adapter.name}"
    try:
        recipe = Recipe.model_validate_json((adapter / RECIPE).read_bytes())
    except (OSError, ValueError) as error:
        raise UnavailableError(
            item, f"has no {RECIPE} that can be read", "run `epicrisis llm train-router`"
        ) from error
    if recipe.form != FORM:
        raise UnavailableError(item, f"is of the form {recipe.form}, not {FORM}", "train again")
    return recipe


def write_sums(folder: Path) -> None:
    """Write the hashes of an adapter's files beside them, in the form of ``sha256sum``."""
    lines = (f"{sha256_of(folder / name)}  {name}\n" for name in (CONFIG, WEIGHTS, RECIPE))
    (folder / _SUMS).write_text("".join(lines), "ascii")


def shipped_adapter() -> Path:
    """Return the folder of the adapter that comes with this installation.

    Raises:
        UnavailableError: None does, or it is not as it was shipped.
    """
    if not all((SHIPPED / name).is_file() for name in (WEIGHTS, CONFIG, RECIPE)):
        raise UnavailableError(
            "adapter of the router",
            "does not come with this installation",
            "run `epicrisis llm train-router`",
        )
    for name, expected in _sums().items():
        if sha256_of(SHIPPED / name) != expected:
            raise UnavailableError(
                f"adapter of the router: {name}",
                "is not as it was shipped: the hash differs",
                "install this product again",
            )
    return SHIPPED


def _sums() -> dict[str, str]:
    """Return the hash of each file of the shipped adapter; empty where none is known."""
    try:
        lines = (SHIPPED / _SUMS).read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    found = {name: expected for expected, _, name in (line.partition("  ") for line in lines)}
    return {name: found.get(name, "") for name in (CONFIG, WEIGHTS, RECIPE)}
