"""What a small active share saves, and what it does not."""

from serving.llm.capacity.claim import ActiveShareClaim
from serving.llm.capacity.examination import Block, Examination, Line, Verdict
from serving.llm.capacity.experts import touched_share
from serving.llm.capacity.model import UnknownSizesError, numbers_of
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.profiles.load import profile, profiles

_CUT = 0.5
"""A cost counts as cut where less than half of it is left."""


def examine_active(claim: ActiveShareClaim) -> Examination:
    """Return what the share is for every model, and what it saves for one.

    Raises:
        UnknownModelError: The claim names a model without a profile.
        UnknownSizesError: The sizes of that model are not known.
    """
    model = numbers_of(profile(claim.model))
    shares = _shares()
    near = [name for name, share in shares.items() if abs(share - claim.share) <= claim.within]
    batches = [(batch, _read_share(model, batch)) for batch in claim.batches]
    compute = model.reply_flops / (2 * (model.total_params - model.lookup_params))
    single, largest = _read_share(model, 1), batches[-1]
    verdict: Verdict = "holds in part" if near else "does not hold"
    return Examination(
        id=claim.id,
        title=claim.title,
        claim=claim.claim,
        source=claim.source,
        blocks=(
            Block(heading="Active share by model", lines=_models()),
            Block(heading=f"What it saves: {model.name}", lines=_saved(model, compute, batches)),
        ),
        verdict=verdict,
        reasons=(
            f"the share: {len(near)} of {len(shares)} models lie within "
            f"{claim.within * 100:.1f} points of {claim.share:.0%} ({', '.join(near) or 'none'})",
            f"compute of a token: {_said(compute)} {compute:.1%} of it is left",
            f"bandwidth of a single stream: {_said(single)} {single:.1%} of the weights are read",
            "resident weights: not cut; all experts must be in memory, "
            f"{model.resident_bytes / 2**30:.0f} GiB in {model.weights}, before the first token",
            f"batch decoding: {_said(largest[1])} at {largest[0]} replies at once "
            f"{largest[1]:.0%} of the weights are read in every step",
        ),
        assumed=claim.assumed,
    )


def _said(left: float) -> str:
    return "cut;" if left < _CUT else "not cut;"


def _shares() -> dict[str, float]:
    found = {}
    for one in profiles().values():
        try:
            numbers = numbers_of(one)
        except UnknownSizesError:
            continue
        if numbers.experts:
            found[one.name] = numbers.active_share
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _models() -> tuple[Line, ...]:
    lines = []
    for one in profiles().values():
        try:
            numbers = numbers_of(one)
        except UnknownSizesError:
            lines.append(Line(what=one.name, how="sizes not known", result="not assessed"))
            continue
        total, active = numbers.total_params / 1e9, numbers.active_params / 1e9
        lines.append(
            Line(
                what=one.name,
                how=f"{active:.2f} / {total:.2f} B",
                result=f"{numbers.active_share:.1%}" if numbers.experts else "dense",
            )
        )
    return tuple(lines)


def _read_share(model: ModelNumbers, batch: int) -> float:
    """Return the part of the weights that one step of a batch reads; a lookup reads rows only."""
    touched = touched_share(model.experts, model.top_k, batch)
    read = model.other_bytes + model.routed_bytes * touched
    return read / (model.other_bytes + model.routed_bytes)


def _saved(
    model: ModelNumbers, compute: float, batches: list[tuple[int, float]]
) -> tuple[Line, ...]:
    every = (model.total_params - model.lookup_params) / 1e9
    dense = model.other_params / 1e9
    routed = model.routed_params / 1e9
    lines = [
        Line(
            what="compute of a token, of a dense model as large",
            how=f"({dense:.1f} + {routed:.1f} x {model.top_k}/{model.experts}) / {every:.1f} B",
            result=f"{compute:.1%}",
        ),
        Line(
            what="resident weights",
            how=f"{model.total_params / 1e9:.1f} B, all of them",
            result="100 %",
        ),
    ]
    for batch, share in batches:
        touched = touched_share(model.experts, model.top_k, batch)
        lines.append(
            Line(
                what=f"weights read in a step, {batch} at once",
                how=f"experts read 1-(1-{model.top_k}/{model.experts})^{batch} = {touched:.1%}",
                result=f"{share:.1%}",
            )
        )
    return tuple(lines)
