"""How a model is laid over its accelerators, chosen by the rules of the data file."""

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import Rule, rules
from serving.llm.launch.order import Order
from serving.llm.profiles.architecture import FullAttention
from serving.llm.profiles.model import ModelProfile, Weights


class Layout(Frozen):
    """One replica over its accelerators.

    Args:
        rule: Which rule chose it.
        reason: Why, for a person.
        tensor: ``--tensor-parallel-size``.
        data: ``--data-parallel-size``.
        pipeline: ``--pipeline-parallel-size``.
        experts: Whether whole experts are spread over all ranks (``--enable-expert-parallel``).
        redundant: Further copies of experts, all ranks together; 0 without balancing.
        balance_reason: Why experts are, or are not, balanced.
    """

    rule: str
    reason: str
    tensor: int = 1
    data: int = 1
    pipeline: int = 1
    experts: bool = False
    redundant: int = 0
    balance_reason: str = ""

    @property
    def ranks(self) -> int:
        """Accelerators of the replica."""
        return self.tensor * self.data * self.pipeline


def choose(profile: ModelProfile, weights: Weights, order: Order, *, fewest: int | None) -> Layout:
    """Return the layout of one replica.

    Args:
        profile: The model.
        weights: Its precision.
        order: Counts.
        fewest: The fewest accelerators of one node that hold a copy; None where a node holds none.

    Raises:
        OrderError: The model cannot be divided so.
    """
    rule = _rule(profile, order, fewest)
    per_node = order.gpus // order.nodes
    tensor = {
        "one": 1,
        "kv_heads": min(per_node, _kv_heads(profile)),
        "fewest": min(fewest or per_node, per_node),
        "node": per_node,
    }[rule.tensor]
    pipeline = order.nodes if rule.pipeline == "nodes" else 1
    data = order.gpus // (tensor * pipeline) if rule.data == "rest" else 1
    layout = Layout(
        rule=rule.id,
        reason=rule.reason,
        tensor=tensor,
        data=data,
        pipeline=pipeline,
        experts=rule.experts,
    )
    _divisible(profile, weights, layout)
    return _balanced(profile, order, layout)


def _rule(profile: ModelProfile, order: Order, fewest: int | None) -> Rule:
    facts: dict[str, bool | str] = {
        "cpu": order.cpu,
        "several": order.gpus > 1,
        "nodes": order.nodes > 1,
        "mixture": profile.feedforward is not None and profile.feedforward.experts is not None,
        "latent": profile.attention is not None and profile.attention.mla is not None,
        "fits_node": fewest is not None,
        "family": profile.family,
    }
    for rule in rules().rules:
        if all(facts[name] == value for name, value in rule.when.items()):
            return rule
    raise ReferenceDataError("rules.yaml", f"no rule for {profile.id} on {order.gpus}")


def _kv_heads(profile: ModelProfile) -> int:
    heads = 1
    if profile.attention is not None:
        for sizes in (profile.attention.full, profile.attention.sliding):
            if sizes is not None:
                heads = max(heads, sizes.kv_heads)
    return 1 << (heads.bit_length() - 1)


def _divisible(profile: ModelProfile, weights: Weights, layout: Layout) -> None:
    attention = profile.attention
    sizes: FullAttention | None = attention.full if attention is not None else None
    if sizes is not None and sizes.heads % layout.tensor:
        raise OrderError(
            f"{profile.id}: {layout.tensor} tensor ranks",
            f"do not divide its {sizes.heads} attention heads",
            "give another number of accelerators",
        )
    feedforward = profile.feedforward
    experts = feedforward.experts if feedforward is not None else None
    if experts is not None and layout.experts and layout.ranks > experts.count:
        raise OrderError(
            f"{profile.id}: {layout.ranks} accelerators",
            f"are more ranks of experts than the {experts.count} experts of a layer",
            f"use --gpus {experts.count} with --replicas {layout.ranks // experts.count}",
        )
    if feedforward is None or weights.block is None or layout.tensor == 1:
        return
    widths = {"feed-forward part": feedforward.dense_intermediate}
    if feedforward.experts is not None:
        widths["shared expert"] = feedforward.experts.shared_intermediate or None
        if not layout.experts:
            widths["expert"] = feedforward.experts.intermediate
    for part, width in widths.items():
        if width is not None and width % (layout.tensor * weights.block):
            raise OrderError(
                f"{profile.id}: {weights.dtype} on {layout.tensor} tensor ranks",
                f"a rank would hold {width / layout.tensor:g} columns of the {part}, which blocks "
                f"of {weights.block} do not divide",
                "give fewer accelerators to a replica, or another precision",
            )


def _balanced(profile: ModelProfile, order: Order, layout: Layout) -> Layout:
    rule = rules().eplb
    known = profile.family in rule.families
    if not layout.experts:
        if order.balance_experts:
            raise OrderError("--balance-experts", "needs experts spread over ranks", "leave it out")
        return layout
    if order.balance_experts and not known:
        raise OrderError(
            f"{profile.id}: --balance-experts",
            "vLLM 0.32 cannot balance experts of this family",
            "leave it out",
        )
    experts = profile.feedforward.experts if profile.feedforward is not None else None
    each = (experts.count if experts is not None else 0) / layout.ranks
    many = layout.ranks >= rule.least_ranks and each >= rule.least_experts_per_rank
    wanted = order.balance_experts
    if wanted is None:
        wanted = known and many
    if not wanted:
        why = (
            f"Experts are not balanced: {layout.ranks} expert ranks with {each:g} experts each."
            if known
            else "Experts are not balanced: vLLM 0.32 cannot for this family."
        )
        return layout.model_copy(update={"balance_reason": why})
    redundant = rule.redundant_per_rank * layout.ranks
    return layout.model_copy(update={"redundant": redundant, "balance_reason": rule.reason})
