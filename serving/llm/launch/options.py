"""The packaged tables of launching: known options, rules of parallelism, defaults."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, PositiveInt, ValidationError, model_validator

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.reference import strict_yaml
from serving.llm.profiles.model import Origin

T = TypeVar("T", bound=BaseModel)
When = Literal["always", "gpu", "cpu", "tools", "vision", "vision_several"]


class KnownOptions(Frozen):
    """What vLLM and its router take.

    Args:
        vllm: Version whose options these are; likewise `router`.
        vllm_source: Where they were read.
        options: Long options of ``vllm serve``.
        tool_parsers: For ``--tool-call-parser``.
        reasoning_parsers: For ``--reasoning-parser``.
        router_options: Long options of ``vllm-router``.
    """

    title: str
    version: str
    vllm: str
    vllm_source: str
    router: str
    router_source: str
    options: tuple[str, ...]
    tool_parsers: tuple[str, ...]
    reasoning_parsers: tuple[str, ...]
    router_options: tuple[str, ...]

    def unknown(self, argv: Iterable[str]) -> Iterator[str]:
        """Yield the options of a ``vllm serve`` command line that vLLM does not have."""
        for word in argv:
            if word.startswith("--"):
                name = word.split("=")[0].split(".")[0]
                if name not in self.options and "--" + name[5:] not in self.options:
                    yield word


class Rule(Frozen):
    """One rule of parallelism; see the head of its file."""

    id: str
    when: Mapping[str, bool | str]
    tensor: Literal["one", "kv_heads", "fewest", "node"]
    data: Literal["one", "rest"]
    pipeline: Literal["one", "nodes"]
    experts: bool
    reason: str
    source: str


class Balancing(Frozen):
    """When and how experts are balanced over their ranks."""

    families: tuple[str, ...]
    least_ranks: PositiveInt
    least_experts_per_rank: PositiveInt
    window_size: PositiveInt
    step_interval: PositiveInt
    redundant_per_rank: PositiveInt
    reason: str
    source: str


class Rules(Frozen):
    """All rules, and the balancing of experts."""

    title: str
    version: str
    sources: Mapping[str, Origin]
    rules: tuple[Rule, ...]
    eplb: Balancing

    @model_validator(mode="after")
    def _sources_known(self) -> "Rules":
        for key in (*(rule.source for rule in self.rules), self.eplb.source):
            if key not in self.sources:
                raise ValueError(f"no source {key!r}")
        return self


class DefaultOption(Frozen):
    """An option that a server gets.

    Args:
        option: Long name.
        value: None for a switch.
        when: What must hold.
        reason: For a person.
        source: Key of `sources`.
    """

    option: str
    value: str | None = None
    when: When
    reason: str
    source: str


class DefaultVariable(Frozen):
    """A variable of the environment that a server gets."""

    name: str
    value: str
    when: When
    reason: str


class Load(Frozen):
    """How much a server takes on at once."""

    sequences: PositiveInt
    queued: PositiveInt


class Numbers(Frozen):
    """Numbers that options are filled with."""

    gpu: Load
    cpu: Load
    context_tokens: Mapping[Literal["gpu", "cpu"], PositiveInt]
    shutdown_s: PositiveInt
    cpu_sequences_of_full_context: PositiveInt
    cpu_reserve_gib: PositiveInt


class Images(Frozen):
    """Container images."""

    gpu: str
    cpu: str
    router: str
    note: str


class Defaults(Frozen):
    """Options, variables and images of every server."""

    title: str
    version: str
    sources: Mapping[str, Origin]
    numbers: Numbers
    reasons: Mapping[str, str]
    options: tuple[DefaultOption, ...]
    environment: tuple[DefaultVariable, ...]
    images: Images

    @model_validator(mode="after")
    def _sources_known(self) -> "Defaults":
        for one in self.options:
            if one.source not in self.sources:
                raise ValueError(f"{one.option}: no source {one.source!r}")
        return self


@cache
def known_options() -> KnownOptions:
    """Return what vLLM and its router take."""
    return _read("vllm_options.yaml", KnownOptions)


@cache
def rules() -> Rules:
    """Return the rules of parallelism."""
    return _read("rules.yaml", Rules)


@cache
def defaults() -> Defaults:
    """Return the options of every server."""
    return _read("defaults.yaml", Defaults)


def _read(name: str, model: type[T]) -> T:
    content = files("serving.llm.launch").joinpath("data", name).read_bytes()
    try:
        return model.model_validate(strict_yaml(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceDataError(f"{name}: {where}", first["msg"]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ReferenceDataError(name, f"not YAML: {error}") from error
