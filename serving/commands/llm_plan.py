"""``epicrisis llm plan``: what serving a model takes, and what a published claim is worth."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console

from knowledge.errors import EpicrisisError, InvalidValueError, UnavailableError
from serving.cli import UNUSABLE_INPUT, fail

if TYPE_CHECKING:
    from serving.llm.capacity.numbers import ModelNumbers
    from serving.llm.capacity.plan import Ask
    from serving.llm.capacity.pool import Pool
    from serving.llm.capacity.workload import Slides, Workload

NOT_ENOUGH = 1
NOT_AVAILABLE = 5
EXIT = (
    "Exit code: 0 enough, or a claim was examined; 1 not enough or does not fit; 2 an option that "
    "is unknown or not of its type or range; 4 values that are too large or do not go together, or "
    "a file or name that cannot be used; 5 the sizes of the model are not known."
)

_Profile = Annotated[str | None, typer.Option("--profile", metavar="ID", help="Model")]
_Claim = Annotated[
    str | None, typer.Option("--claim", metavar="NAME|FILE", help="Examine a claim instead")
]
_Gpu = Annotated[
    list[str] | None,
    typer.Option("--gpu", metavar="NAME", help="Accelerator, or a fitted machine's file; repeat"),
]
_Gpus = Annotated[
    list[int] | None,
    typer.Option("--gpus", metavar="N", help="How many of each --gpu; the fewest if not given"),
]
_Price = Annotated[
    list[float] | None,
    typer.Option("--price-per-gpu-hour", min=0, metavar="PRICE", help="Of each --gpu, or of all"),
]
_Users = Annotated[
    int | None, typer.Option("--users", min=0, help="Who may wait at the same moment")
]
_Cases = Annotated[
    float | None, typer.Option("--cases-per-hour", min=0, help="Runs of the agent, busiest hour")
]
_Calls = Annotated[
    float | None, typer.Option("--calls", min=1, help="Requests to the model in a case")
]
_TokensIn = Annotated[
    float | None, typer.Option("--tokens-in", min=1, help="Prompt tokens of a case")
]
_TokensOut = Annotated[
    float | None, typer.Option("--tokens-out", min=1, help="Reply tokens of a case")
]
_Hit = Annotated[
    float | None, typer.Option("--cache-hit", min=0, max=0.99, help="Part of the prompt cached")
]
_Traces = Annotated[
    Path | None,
    typer.Option("--traces", metavar="PATH", help="Take tokens of a case from recorded runs"),
]
_SlidesPerHour = Annotated[
    float, typer.Option("--slides-per-hour", min=0, help="Slides read by an encoder")
]
_SlideTokens = Annotated[
    float | None, typer.Option("--slide-tokens", min=1, help="Encoder tokens of a slide")
]
_EncoderParams = Annotated[
    float | None, typer.Option("--encoder-params", min=1, help="Parameters of the encoder")
]
_Ttft = Annotated[
    float, typer.Option("--ttft-s", min=0.001, help="Most seconds to the first token")
]
_Tpot = Annotated[
    float, typer.Option("--tpot-ms", min=0.001, help="Most milliseconds from token to token")
]
_Weights = Annotated[
    str | None, typer.Option("--weights", help="Precision: bf16, fp8, mxfp4, int4")
]
_KvBytes = Annotated[
    int, typer.Option("--kv-bytes", min=1, max=2, help="Of one key or value: 2, or 1")
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]

_TTFT_S, _TPOT_MS = 5.0, 100.0
"""A choice, not a measurement: an answer that begins while somebody waits for it, and is written
about twice as fast as it is read."""


def plan(
    context: typer.Context,
    profile: _Profile = None,
    gpu: _Gpu = None,
    gpus: _Gpus = None,
    users: _Users = None,
    cases_per_hour: _Cases = None,
    calls: _Calls = None,
    tokens_in: _TokensIn = None,
    tokens_out: _TokensOut = None,
    cache_hit: _Hit = None,
    traces: _Traces = None,
    slides_per_hour: _SlidesPerHour = 0.0,
    slide_tokens: _SlideTokens = None,
    encoder_params: _EncoderParams = None,
    ttft_s: _Ttft = _TTFT_S,
    tpot_ms: _Tpot = _TPOT_MS,
    price_per_gpu_hour: _Price = None,
    weights: _Weights = None,
    kv_bytes: _KvBytes = 2,
    claim: _Claim = None,
    as_json: _Json = False,
) -> None:
    """Plan what serving a model takes: memory, speed, accelerators, cost, what limits and helps.

    Tokens of a case that are not given come from --traces, else from the product's own evaluations.
    With --claim a published claim is examined instead; three are packaged: active-share,
    sixteen-accelerators, slide-tokens.
    At most: 10 million users and cases an hour, 10,000 requests and 100 million tokens a case,
    a million slides an hour of 10^10 tokens, 10^14 parameters, a million accelerators.
    """
    from serving.llm.capacity.workload import Slo

    try:
        _require_within(context.params)
        if claim is not None:
            _require_alone(context)
            _examine(claim, as_json=as_json)
            return
        work = _work(users, cases_per_hour, calls, tokens_in, tokens_out, cache_hit, traces)
        default = "default, a choice" if (ttft_s, tpot_ms) == (_TTFT_S, _TPOT_MS) else "given"
        slo = Slo(ttft_s=ttft_s, tpot_ms=tpot_ms, source=default)
        slides = _slides(slides_per_hour, slide_tokens, encoder_params)
        ask = _ask(profile, weights, kv_bytes, work).model_copy(
            update={"slo": slo, "slides": slides}
        )
        pools = _pools(gpu or [], gpus or [], price_per_gpu_hour or [], ask.model)
        enough = _show(str(profile), ask, pools, as_json=as_json)
    except UnavailableError as error:
        fail(error, NOT_AVAILABLE)
    except EpicrisisError as error:
        fail(error, UNUSABLE_INPUT)
    if not enough:
        raise typer.Exit(NOT_ENOUGH)


def _require_within(given: Mapping[str, object]) -> None:
    """Refuse a number that is none, or far above that of any group of hospitals."""
    from serving.llm.capacity import bounds

    most = {
        "users": bounds.MOST_USERS,
        "cases_per_hour": bounds.MOST_CASES_PER_HOUR,
        "calls": bounds.MOST_CALLS,
        "tokens_in": bounds.MOST_TOKENS,
        "tokens_out": bounds.MOST_TOKENS,
        "cache_hit": bounds.MOST_CACHED,
        "slides_per_hour": bounds.MOST_SLIDES_PER_HOUR,
        "slide_tokens": bounds.MOST_SLIDE_TOKENS,
        "encoder_params": bounds.MOST_PARAMS,
        "gpus": bounds.MOST_ACCELERATORS,
        "price_per_gpu_hour": bounds.MOST_PRICE,
        "ttft_s": bounds.MOST_TTFT_S,
        "tpot_ms": bounds.MOST_TPOT_MS,
    }
    for name, limit in most.items():
        value = given[name]
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, int | float):
                bounds.require_within(f"--{name.replace('_', '-')}", one, limit)


def _require_alone(context: typer.Context) -> None:
    """Refuse figures beside a claim, which has its own."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in ("claim", "as_json") and source is not None and source.name == "COMMANDLINE":
            raise InvalidValueError(
                f"--claim and --{name.replace('_', '-')}",
                "do not go together: a claim is examined with the figures of its file",
                "leave one out, or copy the claim to a file and change it",
            )


def _examine(name: str, *, as_json: bool) -> None:
    from serving.llm.capacity.claim import claim as claim_of
    from serving.llm.capacity.examination import examination_lines
    from serving.llm.capacity.examine import examine

    found = examine(claim_of(name))
    if as_json:
        _print_json(found.to_json())
    else:
        _print_lines(list(examination_lines(found)))


def _work(
    users: int | None,
    cases_per_hour: float | None,
    calls: float | None,
    tokens_in: float | None,
    tokens_out: float | None,
    cache_hit: float | None,
    traces: Path | None,
) -> "Workload":
    """Return the work: what is given, else what traces show, else what was measured once."""
    from serving.llm.capacity.given_work import given_work, hourly

    return given_work(
        hourly(users, cases_per_hour),
        {
            "calls_per_case": calls,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cache_hit": cache_hit,
        },
        traces,
    )


def _slides(per_hour: float, tokens: float | None, params: float | None) -> "Slides | None":
    from serving.llm.capacity.given_work import given_slides

    return given_slides(per_hour, tokens, params) if per_hour else None


def _ask(profile: str | None, weights: str | None, kv_bytes: int, work: "Workload") -> "Ask":
    from serving.llm.capacity.model import numbers_of
    from serving.llm.capacity.plan import Ask
    from serving.llm.capacity.workload import Slo
    from serving.llm.profiles.load import profile as profile_of

    if profile is None:
        raise InvalidValueError(
            "--profile", "must be given", "see `epicrisis llm profiles`, or examine a --claim"
        )
    model = numbers_of(profile_of(profile), weights=weights, kv_element_bytes=kv_bytes)
    return Ask(model=model, work=work, slo=Slo(ttft_s=_TTFT_S, tpot_ms=_TPOT_MS, source=""))


def _pools(
    names: list[str], counts: list[int], prices: list[float], model: "ModelNumbers"
) -> "tuple[Pool, ...]":
    from serving.llm.capacity.accelerator import accelerator
    from serving.llm.capacity.fitted import fitted_pool, is_fitted
    from serving.llm.capacity.pool import pool_of

    if not names:
        raise InvalidValueError("--gpu", "must be given", "an accelerator's name, such as h100")
    for option, values in (("--gpus", counts), ("--price-per-gpu-hour", prices)):
        one_for_all = option != "--gpus" and len(values) == 1
        if values and len(values) != len(names) and not one_for_all:
            raise InvalidValueError(
                option, f"is given {len(values)} times for {len(names)} --gpu", "one for each"
            )
    found = []
    for place, name in enumerate(names):
        count = counts[place] if counts else None
        price = prices[place if len(prices) > 1 else 0] if prices else None
        if count is not None and count < 1:
            raise InvalidValueError(f"--gpus {count}", "is no number of accelerators", "1 or more")
        path, experts = Path(name), bool(model.experts)
        if is_fitted(name):
            found.append(fitted_pool(path, count=count, price=price, experts=experts))
        else:
            kind = accelerator(name)
            found.append(pool_of(kind, weights=model.weights, count=count, price_per_hour=price))
    return tuple(found)


def _show(profile: str, ask: "Ask", pools: "tuple[Pool, ...]", *, as_json: bool) -> bool:
    """Print the plan; return whether what is there is enough at both ends."""
    from serving.llm.capacity.advice import helps
    from serving.llm.capacity.plan import make_plan
    from serving.llm.capacity.words import plan_lines
    from serving.llm.profiles.load import profile as profile_of

    made = make_plan(ask, pools)
    helped = {
        one.pool: helps(profile_of(profile), ask, pool.model_copy(update={"count": one.count}))
        for one, pool in zip(made.pools, pools, strict=True)
    }
    if as_json:
        told = {name: [one.to_json() for one in found] for name, found in helped.items()}
        _print_json({**made.to_json(), "helps": told})
    else:
        _print_lines(list(plan_lines(made, helped)))
    return made.verdict == "enough"


def _print_json(content: object) -> None:
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def _print_lines(lines: list[str]) -> None:
    console = Console()
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
