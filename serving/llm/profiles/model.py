"""A model that may be served: its configuration, sizes, habits, licence, and where each is from."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, PositiveInt

from knowledge.model import Frozen
from serving.llm.profiles.architecture import Attention, Feedforward, Shape, VisionTower
from serving.llm.profiles.sourced import Sourced

Dtype = Literal["float32", "bfloat16", "fp8", "mxfp4", "nvfp4", "int4"]
ClinicalUse = Literal["no restriction found", "restricted", "prohibited", "not known"]


class Origin(Frozen):
    """A place where facts were read.

    Args:
        title: What it is.
        where: Repository and path, package and version, or address.
        seen_on: Date it was read (ISO 8601).
    """

    title: str
    where: str
    seen_on: str


class Stated(Sourced):
    """What the maker states of the size.

    Args:
        total: Parameters, all of them.
        active: Parameters that one text token passes.
        active_counts: Whether that counts the embedding, which is only looked up, and the head.
        total_tolerance_percent: How far the count from the fields may lie from `total`.
        active_tolerance_percent: Likewise for `active`.
        tolerance_reason: Why they differ at all.
    """

    total: float = Field(gt=0)
    active: float = Field(gt=0)
    active_counts: Literal["all", "without embedding", "without embedding and head"] = "all"
    total_tolerance_percent: float = Field(ge=0)
    active_tolerance_percent: float = Field(ge=0)
    tolerance_reason: str


class Counted(Sourced):
    """How many numbers the published checkpoint holds, as the hub counts them.

    Args:
        elements: All of them.
        with_draft: Whether the draft layers are among them.
        with_vision: Whether the vision tower is among them.
        scales: Of them, numbers that only scale quantised blocks.
    """

    elements: PositiveInt
    with_draft: bool = False
    with_vision: bool = True
    scales: int = 0


class Weights(Sourced):
    """The weights in one precision.

    Args:
        dtype: Precision of the quantised part.
        bytes_per_weight: Of the quantised part, scales included.
        covers: ``all`` parameters, ``linear`` (every matrix of the layers; not embedding, head,
            router, norms or vision) or ``experts`` (matrices of routed experts only); the rest
            stays at two bytes.
        block: Side of the blocks that share a scale: what a rank holds of a matrix must be a
            multiple of it. None where scales are per channel or matrix.
        repository: Hub repository that has them; None where vLLM makes them on loading, or where
            they are made on this machine.
        quantization: vLLM's ``--quantization``, where it must be told; None where the checkpoint
            says it itself.
        note: What to know before using them.
    """

    dtype: Dtype
    bytes_per_weight: float = Field(gt=0)
    covers: Literal["all", "linear", "experts"]
    block: PositiveInt | None = None
    repository: str | None
    quantization: str | None = None
    note: str = ""


class Context(Sourced):
    """How long a request may be.

    Args:
        native_tokens: Prompt and reply together, as trained or configured.
        extended_tokens: With the maker's way of extending it; None where none is stated.
    """

    native_tokens: PositiveInt
    extended_tokens: PositiveInt | None = None


class Habits(Sourced):
    """How the model talks, in the words of vLLM.

    Args:
        tool_parser: ``--tool-call-parser``; None where it writes no tool markup of a known form.
        reasoning_parser: ``--reasoning-parser``; None where it does not think aloud.
        chat_template: File that ``--chat-template`` must name; None for the checkpoint's own.
        template_note: What the chat template does and does not do.
        minimum_vllm: Oldest version that serves it; None where not known.
        structured: How arguments are best asked for.
        extra_arguments: What is added to the command line for it, by its maker's recipe or by us.
    """

    tool_parser: str | None
    reasoning_parser: str | None
    chat_template: str | None = None
    template_note: str
    minimum_vllm: str | None = None
    structured: Literal["tools", "json_schema"] = "tools"
    extra_arguments: tuple[str, ...] = ()


class Licence(Sourced):
    """What the weights may be used for.

    Args:
        name: SPDX identifier, or the name of the terms.
        clinical_use: What it says on clinical use.
        terms: The terms on clinical use in our own words.
        sure: How sure that is.
    """

    name: str
    clinical_use: ClinicalUse
    terms: str
    sure: str


class ModelProfile(Frozen):
    """One model.

    Args:
        id: Stable key; the name of its file.
        name: As people call it.
        repository: Hub repository of the model in the precision its maker trained it in.
        family: Models that share code in vLLM.
        vision: Whether it reads images.
        runs_on_cpu: Whether it is of a size that a CPU serves.
        summary: One sentence for a person who chooses.
        version: Of this file.
        sources: What the groups name.
        shape: Configuration fields; None where they are not known. Likewise the next two.
        attention: As above.
        feedforward: As above.
        vision_tower: None for a model without vision, or where it is not known.
        not_known: Group, and why its fields are not known.
        stated: What its maker states.
        counted: What the published checkpoint holds; None where no count was found.
        weights: Precisions, the recommended one first.
        context: Longest request.
        habits: Parsers and template.
        licence: Terms.
    """

    id: str
    name: str
    repository: str
    family: str
    vision: bool
    runs_on_cpu: bool = False
    summary: str
    version: str
    sources: Mapping[str, Origin]
    shape: Shape | None = None
    attention: Attention | None = None
    feedforward: Feedforward | None = None
    vision_tower: VisionTower | None = None
    not_known: Mapping[str, str] = Field(default_factory=dict)
    stated: Stated
    counted: Counted | None = None
    weights: tuple[Weights, ...]
    context: Context
    habits: Habits
    licence: Licence

    def sourced(self) -> Mapping[str, Sourced]:
        """Return every group that is there, by name."""
        groups: dict[str, Sourced | None] = {
            "shape": self.shape,
            "attention": self.attention,
            "feedforward": self.feedforward,
            "vision_tower": self.vision_tower,
            "stated": self.stated,
            "counted": self.counted,
            "context": self.context,
            "habits": self.habits,
            "licence": self.licence,
        }
        found = {name: group for name, group in groups.items() if group is not None}
        for weights in self.weights:
            found[f"weights {weights.dtype}"] = weights
        return found
