"""``epicrisis llm train-router``: the small model that names tools, trained or put together."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from knowledge.errors import EpicrisisError, InvalidValueError, UnavailableError
from knowledge.settings import load_settings
from serving.cli import fail

_NOT_AVAILABLE = 5
_EXPERTS, _SEED = 4, 20261123
_EVERY = 10
"""Steps between two lines of progress."""


def train_router(
    experts: Annotated[int, typer.Option(min=2, max=16, help="Experts of each layer")] = _EXPERTS,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.0, help="Stop after so many minutes of tuning; --resume goes on"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of traces, gates, adapters and order")] = _SEED,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where everything is written")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint of DIR")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option("--traces", min=32, help="Training examples; 6,000 on a CPU, 60,000 on a GPU"),
    ] = None,
    from_adapter: Annotated[
        bool,
        typer.Option("--from-adapter", help="Do not train: put the shipped adapter to use"),
    ] = False,
    checkpoint: Annotated[
        bool,
        typer.Option(
            "--checkpoint",
            help="With --from-adapter: write the checkpoint for vLLM as well, as a training does",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Train a mixture-of-experts router from the cards of the tools, merge, check and export it.

    It writes an adapter, a checkpoint for vLLM and one file for llama.cpp. 6,000 traces
    are some 763,000 tokens, of which two cores take about 200 a second; where torch finds a GPU it
    is used and ten times as many are written. --from-adapter trains nothing: it writes the file for
    llama.cpp of the adapter that ships, with --checkpoint the one for vLLM too. The router that was
    in DIR is replaced, with its checkpoint, once all of the new one is written.
    Needs torch, transformers and peft; --from-adapter needs none of them. Research use: a
    demonstration, not validated.
    Exit codes: 0 done or stopped as asked; 1 what is there cannot be used; 2 an option that is
    unknown or not of its type or range; 4 values that do not go together; 5 not available.
    """
    from agent.router_planner.weights import router_folder

    settings = load_settings()
    folder = out or router_folder(settings)
    of_training = (experts, seed, count, minutes, resume) != (_EXPERTS, _SEED, None, None, False)
    _require_together(from_adapter, of_training=of_training, checkpoint=checkpoint)
    try:
        if from_adapter:
            told = _assembled(folder, checkpoint=checkpoint)
        else:
            told = _trained(
                folder, experts=experts, seed=seed, count=count, minutes=minutes, resume=resume
            )
    except InvalidValueError:
        raise
    except UnavailableError as error:
        fail(error, _NOT_AVAILABLE)
    except EpicrisisError as error:
        fail(error, 1)
    if as_json:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())


def _require_together(from_adapter: bool, *, of_training: bool, checkpoint: bool) -> None:
    if from_adapter and of_training:
        raise InvalidValueError(
            "--from-adapter", "trains nothing, so that options of a training mean nothing",
            "leave out --experts, --seed, --traces, --minutes and --resume",
        )  # fmt: skip
    if checkpoint and not from_adapter:
        raise InvalidValueError(
            "--checkpoint", "is for --from-adapter: a training writes the checkpoint in any case",
            "leave it out, or give --from-adapter",
        )  # fmt: skip


def _trained(
    folder: Path,
    *,
    experts: int,
    seed: int,
    count: int | None,
    minutes: float | None,
    resume: bool,
) -> dict[str, object]:
    from serving.llm.train_router.base import open_base, packaged_base
    from serving.llm.train_router.recipe import ON_CPU, ON_GPU, Recipe
    from serving.llm.train_router.train import train
    from serving.llm.train_router.tuning import Progress, device_here, require_training

    require_training()
    wanted = count or (ON_GPU if device_here() == "cuda" else ON_CPU)
    recipe = Recipe(experts=experts, seed=seed, traces=wanted)

    def tell(progress: Progress) -> None:
        if progress.step % _EVERY == 0 or progress.done:
            rate = progress.tokens / max(progress.seconds, 1e-9)
            _say(
                f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, "
                f"{rate:.0f} tokens/s, {progress.seconds / 60:.1f} min on {progress.device}"
            )

    base = open_base(packaged_base(load_settings()))
    done = train(recipe, base, folder, minutes=minutes, resume=resume, told=_say, tell=tell)
    if done.check is None:
        _say(
            f"stopped at step {done.progress.step} of {done.progress.steps}; "
            "go on with the same options and --resume"
        )
    else:
        _say(
            f"merged as trained: the same next token at {done.check.same} of {done.check.places} "
            f"places; wrote {folder}"
        )
    return done.model_dump(mode="json")


def _assembled(folder: Path, *, checkpoint: bool) -> dict[str, object]:
    from serving.llm.train_router.assemble import put_to_use, shipped_adapter
    from serving.llm.train_router.base import open_base, packaged_base

    adapter = shipped_adapter()
    base = open_base(packaged_base(load_settings()))
    card = put_to_use(base, adapter, folder, checkpoint=checkpoint, tell=_say)
    _say(f"wrote {folder}")
    return card.model_dump(mode="json")


def _say(text: str) -> None:
    typer.echo(text, err=True)
