"""The card that an adapter ships with: what it was trained on, and what was measured of it.

No adapter ships without figures: the card is made of the training's own report and of the lines of
``bench/router_moe.py`` over the same weights.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import orjson

from knowledge.errors import InvalidValueError, UnavailableError
from serving.llm.train_router.adapter import CONFIG, WEIGHTS
from serving.llm.train_router.assemble import ADAPTER, RECIPE, write_sums
from serving.llm.train_router.base import MODEL
from serving.llm.train_router.specialise import Specialisation
from serving.llm.train_router.train import REPORT, Trained

CARD = "CARD.md"
_SURE = 0.01
"""Largest p at which experts are said to be told apart by modality."""
_WORTH = 0.05
"""Fewest bits beyond chance that are worth a word; four experts could tell two. A choice."""


def ship(trained: Path, figures: Sequence[str], target: Path) -> Path:
    """Copy an adapter that was trained and measured, with its card, to where it ships from.

    Args:
        trained: Folder of a finished training.
        figures: Lines of the bench over its weights.
        target: Folder in the package.

    Raises:
        InvalidValueError: There are no figures.
        UnavailableError: The folder holds no finished training.
    """
    if not figures:
        raise InvalidValueError("figures", "there are none", "measure the router first")
    try:
        report = Trained.model_validate_json((trained / REPORT).read_bytes())
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"training in {trained.name}", f"has no {REPORT}", "train to the last step"
        ) from error
    target.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, RECIPE):
        shutil.copyfile(trained / ADAPTER / name, target / name)
    about = orjson.loads((trained / ADAPTER / CONFIG).read_bytes())
    about["base_model_name_or_path"] = MODEL
    (target / CONFIG).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2))
    write_sums(target)
    (target / CARD).write_text(card(report, figures), "utf-8")
    return target


def card(report: Trained, figures: Sequence[str]) -> str:
    """Return the card as Markdown."""
    recipe, progress = report.recipe, report.progress
    return "\n".join(
        (
            "# Adapter of the router",
            "",
            "Demonstration, not validated. Research use. It names tools; what the pathway requires",
            "runs whatever it says, and every call passes guards in code (docs/router.md).",
            "",
            f"**Base.** SmolLM2-135M-Instruct ({MODEL}, Apache-2.0), {recipe.experts} experts, "
            f"{recipe.experts_per_token} to a token.",
            "**Licence.** Apache-2.0.",
            f"**Trained on** {recipe.traces} made-up traces from the cards of the tools, "
            f"{progress.tokens} tokens in {progress.step} steps, {progress.seconds / 60:.0f} "
            f"minutes on {progress.device}, seed {recipe.seed}, rank {recipe.rank}. No patient, no "
            "text of others. Most requests in them were drafted by a language model that was shown "
            "names and titles of the tools, and not the requests it is measured on.",
            f"**Loss** at the end {progress.loss:.3f} nats per token of the reply, on traces of "
            "the same templates.",
            *_checked(report),
            "",
            "**Experts by modality.** " + _experts(report.before, report.after),
            "",
            "**Measured** on requests written apart from the templates (`tool_routing`), shares",
            "with 95 % intervals; *_model* is before the guards:",
            "",
            *(f"    {line}" for line in figures),
            "",
        )
    )


def _checked(report: Trained) -> tuple[str, ...]:
    if report.check is None:
        return ()
    found = report.check
    return (
        f"**Merged as trained.** The same next token at {found.same} of {found.places} places of "
        f"unseen replies; right at {found.right_merged} merged, {found.right_adapter} unmerged.",
    )


def _experts(before: Specialisation | None, after: Specialisation | None) -> str:
    """Return in words whether experts specialise, beyond chance and beyond untrained gates."""
    if before is None or after is None:
        return "Not looked at."
    numbers = (
        f"The expert tells {after.beyond_chance:.4f} bits of the modality beyond chance "
        f"(p = {after.p:.3f}, {after.traces} unseen traces), with the gates as they began "
        f"{before.beyond_chance:.4f} (p = {before.p:.3f})."
    )
    if after.p > _SURE:
        return f"They do not specialise. {numbers}"
    if after.beyond_chance < _WORTH:
        return f"A difference between modalities is there, too small to mean anything. {numbers}"
    if after.beyond_chance <= before.beyond_chance:
        return f"They differ by modality no more than untrained gates do. {numbers}"
    return f"They differ by modality, more than untrained gates do. {numbers}"
