"""The tuning itself: low-rank adapters on attention, gates and every expert, by torch and peft.

It may be stopped at any time, by force too: the last checkpoint is whole, and a resumed training
goes on as if it had not been stopped. The heavy packages are imported here alone.
"""

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.model import Frozen
from serving.llm.train_router.adapter import WEIGHTS
from serving.llm.train_router.examples import Example, batches
from serving.llm.train_router.extra import package
from serving.llm.train_router.recipe import Recipe

CHECKPOINT = "checkpoint.pt"
_KEPT = {"recipe", "trained", "optimiser", "step", "tokens", "seconds", "loss"}
_SAVE_S = 60.0
"""Seconds between two checkpoints: so much work is lost at most."""

_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_PARAMETERS = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj", "mlp.gate.weight")
_IGNORED = -100

Tell = Callable[["Progress"], None]


class Progress(Frozen):
    """How far a training is.

    Args:
        step, steps: Done, of so many.
        loss: Mean over the last steps, nats per token of the reply.
        tokens: Seen since the beginning, prompts included.
        seconds: Of training since the beginning, over all parts.
        device: Where it runs.
    """

    step: int
    steps: int
    loss: float
    tokens: int
    seconds: float
    device: str

    @property
    def done(self) -> bool:
        """Whether every step was made."""
        return self.step >= self.steps


def require_training() -> None:
    """Raise if a package of the training is not installed.

    Raises:
        MissingExtraError: One is not.
    """
    for name in ("torch", "transformers", "peft"):
        package(name)


def device_here() -> str:
    """Return ``cuda`` where torch has an accelerator, else ``cpu``."""
    return "cuda" if package("torch").cuda.is_available() else "cpu"


def tune(
    recipe: Recipe,
    examples: Sequence[Example],
    sparse: Path,
    out: Path,
    *,
    minutes: float | None = None,
    resume: bool = False,
    tell: Tell | None = None,
    save_s: float = _SAVE_S,
) -> Progress:
    """Train until the last step or until the time is over; write adapter or checkpoint.

    Args:
        recipe: The numbers.
        examples: The traces in tokens.
        sparse: Checkpoint of the untrained sparse model.
        out: Folder of checkpoint and adapter.
        minutes: Most minutes of this part; None for all steps.
        resume: Go on from the checkpoint of `out`; from the beginning where there is none.
        tell: Told about every step.
        save_s: Seconds between checkpoints.

    Returns:
        How far it came; where all steps are made the adapter is written.

    Raises:
        InvalidValueError: The checkpoint is of another recipe.
        MissingExtraError: A package is missing.
    """
    require_training()
    torch = package("torch")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    run = _Run.begin(recipe, sparse, device_here())
    if resume and (out / CHECKPOINT).is_file():
        run.restore(out / CHECKPOINT)
    order = batches(examples, recipe)
    begun = last = time.monotonic()
    before = run.seconds
    while run.step < recipe.steps:
        run.learn([examples[i] for i in order[run.step]])
        now = time.monotonic()
        run.seconds = before + now - begun
        if tell is not None:
            tell(run.progress())
        over = minutes is not None and now - begun >= 60 * minutes
        if now - last >= save_s or over or run.step == recipe.steps:
            run.save(out / CHECKPOINT)
            last = time.monotonic()
        if over:
            break
    if run.step >= recipe.steps:
        run.write_adapter(out)
    return run.progress()


@dataclass
class _Run:
    """Model, optimiser and how far they are."""

    recipe: Recipe
    model: Any
    optimiser: Any
    device: str
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0

    @classmethod
    def begin(cls, recipe: Recipe, sparse: Path, device: str) -> "_Run":
        """Return an untrained run."""
        torch = package("torch")
        model = adapted(recipe, sparse, dtype=torch.bfloat16).to(device)
        model.train()
        trained = [p for p in model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=0.0)
        return cls(recipe=recipe, model=model, optimiser=optimiser, device=device)

    def progress(self) -> Progress:
        return Progress(
            step=self.step,
            steps=self.recipe.steps,
            loss=round(self.loss, 4),
            tokens=self.tokens,
            seconds=round(self.seconds, 1),
            device=self.device,
        )

    def learn(self, examples: Sequence[Example]) -> None:
        """Make one step."""
        torch = package("torch")
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        loss, balance, tokens = losses(self.model, examples, self.recipe, self.device)
        self.optimiser.zero_grad(set_to_none=True)
        (loss + self.recipe.balance * balance).backward()
        trained = [p for p in self.model.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(trained, self.recipe.clip)
        self.optimiser.step()
        self.step += 1
        self.tokens += tokens
        value = float(loss.detach())
        self.loss = value if self.step == 1 else 0.9 * self.loss + 0.1 * value

    def save(self, path: Path) -> None:
        """Write the checkpoint in place of the last one, whole or not at all."""
        torch = package("torch")
        trained = {n: p.detach().cpu() for n, p in self.model.named_parameters() if p.requires_grad}
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "recipe": self.recipe.sha256,
                "trained": trained,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "tokens": self.tokens,
                "seconds": self.seconds,
                "loss": self.loss,
            },
            partial,
        )
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            InvalidValueError: It is of another recipe.
            UnavailableError: It is damaged.
        """
        kept = _checkpoint(path, self.device)
        torch = package("torch")
        if kept["recipe"] != self.recipe.sha256:
            raise InvalidValueError(
                f"checkpoint {path}",
                "is of a training with other numbers",
                "give the same options, or train without --resume",
            )
        own = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, values in kept["trained"].items():
                own[name].copy_(values)
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.tokens = kept["step"], kept["tokens"]
        self.seconds, self.loss = kept["seconds"], kept["loss"]

    def write_adapter(self, folder: Path) -> None:
        """Write the adapter in float16: half the size, finer than the weights it is added to."""
        torch, files = package("torch"), package("safetensors.torch")
        self.model.save_pretrained(folder)
        values = files.load_file(folder / WEIGHTS)
        half = {name: value.to(torch.float16).contiguous() for name, value in values.items()}
        files.save_file(half, folder / WEIGHTS, metadata={"format": "pt"})
        (folder / "README.md").unlink(missing_ok=True)  # a blank form of peft


def _checkpoint(path: Path, device: str) -> dict[str, Any]:
    try:
        kept = package("torch").load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise _damaged(path) from error
    if not isinstance(kept, dict) or set(kept) != _KEPT:
        raise _damaged(path)
    return kept


def _damaged(path: Path) -> UnavailableError:
    return UnavailableError(
        f"checkpoint {path}", "is damaged", "remove it, or train without --resume"
    )


def adapted(recipe: Recipe, sparse: Path, *, dtype: Any) -> Any:
    """Return the sparse model with new adapters on attention, gates and experts."""
    peft = package("peft")
    model = load_sparse(sparse, dtype=dtype)
    return peft.get_peft_model(
        model,
        peft.LoraConfig(
            r=recipe.rank,
            lora_alpha=round(recipe.rank * recipe.alpha_over_rank),
            target_modules=list(_ATTENTION),
            target_parameters=list(_PARAMETERS),
            task_type="CAUSAL_LM",
        ),
    )


def load_sparse(folder: Path, *, dtype: Any) -> Any:
    """Return a sparse checkpoint as a transformers model; nothing is fetched."""
    return package("transformers").AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, experts_implementation="eager"
    )


def losses(
    model: Any, examples: Sequence[Example], recipe: Recipe, device: str
) -> tuple[Any, Any, int]:
    """Return the loss of the replies, the balance of the experts, and the tokens seen.

    Logits are computed where a reply is learnt and nowhere else: the vocabulary is a fifth of the
    work of a model of this size.
    """
    torch = package("torch")
    mixtral = package("transformers.models.mixtral.modeling_mixtral")
    ids, mask, labels = _padded(examples, device)
    causal = model.get_base_model()
    gates: list[Any] = []
    hooks = [
        module.register_forward_hook(lambda _m, _i, out: gates.append(out[0]))
        for module in causal.modules()
        if type(module).__name__ == "MixtralTopKRouter"
    ]
    try:
        hidden = causal.model(input_ids=ids, attention_mask=mask, use_cache=False)[0]
    finally:
        for hook in hooks:
            hook.remove()
    learnt = labels[:, 1:] != _IGNORED
    logits = causal.lm_head(hidden[:, :-1][learnt]).float()
    loss = torch.nn.functional.cross_entropy(logits, labels[:, 1:][learnt])
    balance = mixtral.load_balancing_loss_func(
        tuple(gates), recipe.experts, recipe.experts_per_token, attention_mask=mask
    )
    return loss, balance, int(mask.sum())


def _padded(examples: Sequence[Example], device: str) -> tuple[Any, Any, Any]:
    torch = package("torch")
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), 2, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, _IGNORED)
    for row, example in enumerate(examples):
        count = len(example.ids)
        tokens = torch.tensor(example.ids)
        ids[row, :count] = tokens
        mask[row, :count] = 1
        labels[row, example.start : count] = tokens[example.start :]
    return ids.to(device), mask.to(device), labels.to(device)
