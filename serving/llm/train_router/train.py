"""One training from traces to a router that can be served, or a part of one."""

from collections.abc import Callable
from pathlib import Path

import orjson

from agent.router_planner.shortlist import ToolIndex
from agent.router_planner.weights import RouterCard, encoder_here
from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.settings import load_settings
from serving.llm.train_router.assemble import (
    ADAPTER,
    MERGED,
    RECIPE,
    UNCHECKED,
    put_together,
    take_over,
    write_sparse,
)
from serving.llm.train_router.base import Base
from serving.llm.train_router.check import Check, choices, compare
from serving.llm.train_router.examples import Example, encoded
from serving.llm.train_router.offers import with_offers
from serving.llm.train_router.recipe import Recipe
from serving.llm.train_router.specialise import Specialisation, specialisation
from serving.llm.train_router.traces import Trace, traces
from serving.llm.train_router.tuning import Progress, Tell, require_training, tune

HELD_OUT, COMPARED = 200, 64
"""Traces that were not trained on: who chose which expert; merged against unmerged."""

REPORT = "training.json"

Say = Callable[[str], None]


class Trained(Frozen):
    """What a training, or a part of one, came to.

    Args:
        recipe: Its numbers.
        progress: How far it is.
        check: Merged against unmerged; None until every step is made.
        before, after: How far experts are told apart by modality, with the gates as they began
            and as they were trained, over the same traces; None until then.
        card: Of the exported router; None until then.
    """

    recipe: Recipe
    progress: Progress
    check: Check | None = None
    before: Specialisation | None = None
    after: Specialisation | None = None
    card: RouterCard | None = None


def train(
    recipe: Recipe,
    base: Base,
    out: Path,
    *,
    minutes: float | None,
    resume: bool,
    told: Say,
    tell: Tell,
) -> Trained:
    """Train, and where every step is made merge, check and export.

    Args:
        recipe: The numbers.
        base: The dense model.
        out: Folder of everything that is written.
        minutes: Most minutes of tuning now; None for all.
        resume: Go on with the training of `out`.
        told: Told what is done.
        tell: Told every step.

    Raises:
        ContractError: The merged checkpoint does not say what the adapter says: not exported.
        InvalidValueError: The checkpoint of `out` is of other numbers.
        UnavailableError: A package, weights or space are missing.
    """
    require_training()
    told("writing the sparse model")
    sparse = write_sparse(base, recipe, out)
    told("writing the traces")
    index = ToolIndex(encoder_here(load_settings()), requests=False)
    recipe = recipe.model_copy(update={"retrieval": index.encoder_id})
    told(f"offering tools by {index.encoder_id}")
    learnt = with_offers(traces(recipe.traces, seed=recipe.seed), index, seed=recipe.seed)
    examples = tokens_of(learnt, sparse)
    told(f"training on {len(examples)} traces, {sum(len(e.ids) for e in examples)} tokens an epoch")
    adapter = out / ADAPTER
    progress = tune(recipe, examples, sparse, adapter, minutes=minutes, resume=resume, tell=tell)
    if not progress.done:
        return Trained(recipe=recipe, progress=progress)
    (adapter / RECIPE).write_bytes(
        orjson.dumps(recipe.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    )
    return _finished(recipe, base, out, sparse, progress, index, told)


def _finished(
    recipe: Recipe,
    base: Base,
    out: Path,
    sparse: Path,
    progress: Progress,
    index: ToolIndex,
    told: Say,
) -> Trained:
    adapter, unchecked = out / ADAPTER, out / UNCHECKED
    facts = {"recipe": recipe.model_dump(mode="json"), "progress": progress.model_dump()}
    card = put_together(base, adapter, unchecked, checkpoint=True, tell=told, trained=facts)
    told("comparing the merged model with the adapter")
    unseen = with_offers(held_out(recipe), index, seed=recipe.seed + 1)
    examples = tokens_of(unseen, sparse)
    check = compare(unchecked / MERGED, sparse, adapter, examples[:COMPARED])
    if not check.good:
        raise ContractError(
            "merged router",
            f"names the same next token as the adapter at {check.same} of {check.places} places",
            f"it lies in {UNCHECKED} and is not used; train again, and report it if it happens "
            "twice",
        )
    take_over(unchecked, out)
    told("looking at who chose which expert")
    about = [(t, e) for t, e in zip(unseen, examples, strict=True) if t.modality != "none"]
    labels = [trace.modality for trace, _ in about]
    before, after = (
        specialisation(choices(folder, [e for _, e in about]), labels, seed=recipe.seed)
        for folder in (sparse, out / MERGED)
    )
    done = Trained(
        recipe=recipe, progress=progress, check=check, before=before, after=after, card=card
    )
    (out / REPORT).write_bytes(
        orjson.dumps(done.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    )
    return done


def held_out(recipe: Recipe, count: int = HELD_OUT) -> tuple[Trace, ...]:
    """Return traces of the same templates whose prompts the training did not have."""
    known = {trace.prompt for trace in traces(recipe.traces, seed=recipe.seed)}
    drawn = traces(2 * count, seed=recipe.seed + 1)
    return tuple(trace for trace in drawn if trace.prompt not in known)[:count]


def tokens_of(found: tuple[Trace, ...], checkpoint: Path) -> tuple[Example, ...]:
    """Return traces in the tokens of a checkpoint."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    return tuple(encoded(found, tokenizer))
