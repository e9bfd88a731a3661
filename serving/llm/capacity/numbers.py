"""A model as the planner sees it: plain numbers, no matter where they are from."""

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from knowledge.model import Frozen


class ModelNumbers(Frozen):
    """Sizes of one model in one precision.

    Parameters fall into three parts: *routed* (matrices of the routed experts), *other* (everything
    else that every token passes, the output head included) and *lookup* (an input embedding that is
    not the head as well: it is resident, but a token reads one row of it).

    Args:
        id, name: Of the profile.
        weights: Precision of the weights, as the profile names it.
        routed_params, other_params, lookup_params: As above; the vision tower is in none.
        head_params: The output head, a part of `other_params`: a prompt needs it for its last token
            only.
        vision_params: Tower of images; resident, not passed by text.
        routed_bytes, other_bytes, lookup_bytes, vision_bytes: The same parts in memory.
        experts, top_k: Routed experts of a layer and how many a token passes; 0 for a dense model.
        kv_bytes_per_token: Keys and values that one more token takes in layers of full attention.
        kv_window_bytes_per_token, kv_window: Likewise in layers of sliding attention, up to so many
            tokens.
        kv_state_bytes: What a sequence takes whatever its length: states of linear attention.
        kv_shards: Most ranks among which keys and values can be divided; 1 for latent attention,
            which every rank keeps whole.
        prompt_score_flops, reply_score_flops: FLOPs of one token looking at one other, layers of
            full attention, within a prompt and within a reply. They differ for latent attention,
            where a reply works on the compressed vector.
        window_score_flops: Likewise in layers of sliding attention.
        context_tokens: Longest prompt and reply together.
    """

    id: str
    name: str
    weights: str
    routed_params: NonNegativeFloat = 0.0
    other_params: PositiveFloat
    lookup_params: NonNegativeFloat = 0.0
    head_params: NonNegativeFloat = 0.0
    vision_params: NonNegativeFloat = 0.0
    routed_bytes: NonNegativeFloat = 0.0
    other_bytes: PositiveFloat
    lookup_bytes: NonNegativeFloat = 0.0
    vision_bytes: NonNegativeFloat = 0.0
    experts: NonNegativeInt = 0
    top_k: NonNegativeInt = 0
    kv_bytes_per_token: NonNegativeFloat
    kv_window_bytes_per_token: NonNegativeFloat = 0.0
    kv_window: NonNegativeInt = 0
    kv_state_bytes: NonNegativeFloat = 0.0
    kv_shards: PositiveInt = 1
    prompt_score_flops: NonNegativeFloat = 0.0
    reply_score_flops: NonNegativeFloat = 0.0
    window_score_flops: NonNegativeFloat = 0.0
    context_tokens: PositiveInt = Field(default=1 << 17)

    @property
    def total_params(self) -> float:
        """Parameters of the language part; a checkpoint's card may count a vision tower as well."""
        return self.routed_params + self.other_params + self.lookup_params

    @property
    def routed_share(self) -> float:
        """Part of the routed experts that one token passes; 0 for a dense model."""
        return self.top_k / self.experts if self.experts else 0.0

    @property
    def active_params(self) -> float:
        """Parameters that one token passes, the whole embedding counted as model cards do."""
        return self.other_params + self.lookup_params + self.routed_params * self.routed_share

    @property
    def active_share(self) -> float:
        """Active over all parameters."""
        return self.active_params / self.total_params

    @property
    def resident_bytes(self) -> float:
        """What must be in memory before the first token, once."""
        return self.routed_bytes + self.other_bytes + self.lookup_bytes + self.vision_bytes

    @property
    def reply_flops(self) -> float:
        """FLOPs of one token of a reply, attention to earlier tokens left out: 2 per parameter."""
        return 2.0 * (self.other_params + self.routed_params * self.routed_share)

    @property
    def prompt_flops(self) -> float:
        """Likewise of one token of a prompt: without the head."""
        return self.reply_flops - 2.0 * self.head_params

    def kv_bytes(self, tokens: float) -> float:
        """Return what a sequence of so many tokens keeps, nothing kept twice."""
        window = self.kv_window_bytes_per_token * min(tokens, self.kv_window)
        return self.kv_bytes_per_token * tokens + window + self.kv_state_bytes

    def reply_looking(self, context: float) -> float:
        """Return the FLOPs of attention of one token of a reply with so many tokens before it."""
        within = self.window_score_flops * min(context, self.kv_window)
        return self.reply_score_flops * context + within

    def prompt_looking(self, new: float, cached: float) -> float:
        """Return the FLOPs of attention of the new tokens of a prompt whose first part is cached.

        Each looks at the cached ones and, on average, at half of the new ones.
        """
        each = cached + new / 2
        within = self.window_score_flops * min(each, self.kv_window)
        return new * (self.prompt_score_flops * each + within)
