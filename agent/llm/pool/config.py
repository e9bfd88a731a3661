"""The file of the pool: which models and servers there are, who may use how much of them.

::

    schema: epicrisis/llm-pool/1
    models:                            # named as the servers name them
      qwen3-30b-a3b: {revision: "Qwen/Qwen3-30B-A3B@ad44e777"}
      qwen2.5-coder-1.5b-instruct-q4_k_m: {sha256: cc324af0...}
    backends:                          # lowest priority first
      - {name: moe-1, url: "http://10.0.0.11:8000/v1", model: qwen3-30b-a3b, priority: 1,
         at_once: 16, patient_data: allowed, api_key_file: /etc/epicrisis/moe-1.key}
      - {name: second-site, url: "https://llm.b.example.org/v1", model: qwen3-30b-a3b, priority: 2,
         at_once: 8, patient_data: allowed}
      - {name: small, local: true, model: qwen2.5-coder-1.5b-instruct-q4_k_m, priority: 9,
         at_once: 1, patient_data: allowed}
    tenants:
      hospital-a: {match: ["https://ehr.a.example.org/fhir"], weight: 2, tokens_per_hour: 400000}
    everyone_else: {tokens_per_hour: 100000, at_once: 2}

A key given twice and a key that is not known are refused. Keys of servers are never in this file.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    Field,
    SecretStr,
    StrictBool,
    ValidationError,
    model_validator,
)

from agent.llm.address import address
from agent.llm.pool.limits import (
    BreakerRow,
    Fraction,
    HealthRow,
    Name,
    Places,
    QueueRow,
    Seconds,
    ShadowRow,
    TenantRow,
)
from agent.llm.pool.matching import compared, require_apart
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.reference import strict_yaml

__all__ = [
    "OTHERS",
    "ApprovalRow",
    "BackendRow",
    "BreakerRow",
    "Floor",
    "HealthRow",
    "ModelRow",
    "PoolFile",
    "QueueRow",
    "ShadowRow",
    "TenantRow",
    "file_sha256",
    "key_of",
    "parsed_pool",
    "pool_bytes",
    "read_pool",
]

OTHERS = "everyone_else"
"""Name of the tenant of whoever no row names."""
_LARGEST_FILE = 1 << 20
_KEY_NAME = "VLLM_API_KEY="
_LONGEST_URL = 2048


class ModelRow(Frozen):
    """One model.

    Args:
        sha256: Of its weights, where they are one file.
        revision: Which weights they are, as their source names them.
    """

    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    revision: str = Field(default="", max_length=200)


class BackendRow(Frozen):
    """One server, or one router before equal servers.

    Args:
        name: To show.
        url: Of its OpenAI-compatible API; None for the local model.
        local: Whether it is the local model of this machine, started when it is needed.
        model: Which of `models` it serves.
        served_as: The name it serves it by, where that is another.
        priority: Lower is asked first.
        at_once: Requests it is given at one time.
        patient_data: Whether requests that carry patient data may be sent to it.
        api_key_file: File with its key; None for none.
        candidate: Whether it only gets shadow requests, and never answers.
        answer_s: Longest time for one answer of it, s; later than this another one is asked.
    """

    name: Name
    url: str | None = None
    local: StrictBool = False
    model: Name
    served_as: str | None = None
    priority: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 1
    at_once: Places = 8
    patient_data: Literal["allowed", "not allowed"]
    api_key_file: Path | None = None
    candidate: StrictBool = False
    answer_s: Seconds = 60.0

    @model_validator(mode="after")
    def _reachable(self) -> "BackendRow":
        if (self.url is None) != self.local:
            raise ValueError("give either url, or local: true")
        if self.url is not None:
            _require_url(self.url)
        return self


class Floor(Frozen):
    """A share that an evaluation must reach.

    Args:
        task: Of the evaluations.
        system: Which was tested.
        metric: Id of the metric.
        least: Lowest share, where more is better; None for no limit.
        most: Highest share, where less is better; None for no limit.
    """

    task: str
    system: str = "agent"
    metric: str
    least: Fraction | None = None
    most: Fraction | None = None


class ApprovalRow(Frozen):
    """What a model needs before it answers.

    Args:
        required: Whether only models with a recorded evaluation answer.
        tasks: Evaluations that must have been run whole and without a defect.
        floors: Shares they must reach beside.
        most_failed: Highest share of trials, and of calls of the model, that gave nothing.
    """

    required: StrictBool = True
    tasks: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "chest_pain", "grounding", "injection", "tool_selection",
    )  # fmt: skip
    floors: tuple[Floor, ...] = ()
    most_failed: Fraction = 0.05


class PoolFile(Frozen):
    """The whole file.

    Args:
        schema_id: Which form.
        models: By name.
        backends: The servers.
        tenants: By name.
        everyone_else: Whom no tenant names, all together.
        breaker, health, queue, approval: See there; defaults where left out.
        shadow: None for no shadow requests.
        model_gone: What becomes of a conversation whose model is gone: go on with another one and
            say so, or refuse.
    """

    schema_id: Literal["epicrisis/llm-pool/1"] = Field(alias="schema")
    models: Mapping[Name, ModelRow] = Field(min_length=1)
    backends: tuple[BackendRow, ...] = Field(min_length=1)
    tenants: Mapping[Name, TenantRow] = Field(default_factory=dict)
    everyone_else: TenantRow = TenantRow()
    breaker: BreakerRow = BreakerRow()
    health: HealthRow = HealthRow()
    queue: QueueRow = QueueRow()
    shadow: ShadowRow | None = None
    approval: ApprovalRow = ApprovalRow()
    model_gone: Literal["change and say", "refuse"] = "change and say"

    @model_validator(mode="after")
    def _agrees(self) -> "PoolFile":
        self._check_backends()
        require_apart(self.tenants, OTHERS)
        if self.approval.required:
            for name, model in self.models.items():
                if model.sha256 is None and not model.revision:
                    raise ValueError(f"model {name}: give sha256 or revision, it is approved by it")
        return self

    def _check_backends(self) -> None:
        names = [row.name for row in self.backends]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"a backend is there twice: {', '.join(sorted(twice))}")
        for row in self.backends:
            if row.model not in self.models:
                raise ValueError(f"backend {row.name}: model {row.model} is not among models")
        candidates = {row.name for row in self.backends if row.candidate}
        if len(candidates) == len(names):
            raise ValueError("every backend is a candidate: nobody would answer")
        if self.shadow is not None and self.shadow.backend not in candidates:
            raise ValueError(f"shadow: {self.shadow.backend} is no backend with candidate")

    def tenant_of(self, said: str) -> str:
        """Return the name of the tenant that somebody belongs to.

        Args:
            said: A tenant's name or a FHIR base address; empty where it is not known.
        """
        if said in self.tenants:
            return said
        asked = compared(said)
        for name, row in self.tenants.items():
            if asked and asked in map(compared, row.match):
                return name
        return OTHERS

    def tenant(self, name: str) -> TenantRow:
        """Return what a tenant may use."""
        return self.tenants.get(name, self.everyone_else)


def _require_url(url: str) -> None:
    """Refuse what is no address; `urlsplit` takes line ends out in silence.

    Raises:
        ValueError: It is none.
    """
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
        raise ValueError(f"url: holds blanks or line ends, or more than {_LONGEST_URL} characters")
    try:
        address(url)
    except InvalidValueError as error:
        raise ValueError(f"url: {error.reason}") from error


def read_pool(path: Path) -> PoolFile:
    """Return the pool of a file.

    Raises:
        InvalidValueError: It cannot be read or is not valid; the message names the field.
    """
    return parsed_pool(pool_bytes(path), path.name)


def pool_bytes(path: Path) -> bytes:
    """Return the content of the file.

    Raises:
        InvalidValueError: It cannot be read, or is too large to be one.
    """
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InvalidValueError(
            f"EPICRISIS_LLM_POOL ({path.name})", f"cannot be read: {error.strerror}"
        ) from error
    if len(content) > _LARGEST_FILE:
        raise InvalidValueError(f"EPICRISIS_LLM_POOL ({path.name})", "is larger than a MiB")
    return content


def parsed_pool(content: bytes, name: str) -> PoolFile:
    """Return the pool that some bytes describe.

    Raises:
        InvalidValueError: They are not valid.
    """
    item = f"EPICRISIS_LLM_POOL ({name})"
    try:
        found = strict_yaml(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = getattr(error, "problem", None) or "is not YAML in UTF-8"
        raise InvalidValueError(item, str(reason), "correct the file") from error
    try:
        return PoolFile.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidValueError(item, f"{where}: {first['msg']}", "correct the file") from error


def file_sha256(content: bytes) -> str:
    """Return the hash by which the file stands in records."""
    return hashlib.sha256(content).hexdigest()


def key_of(row: BackendRow) -> SecretStr | None:
    """Return the key of a server.

    Its file holds the key alone, or ``VLLM_API_KEY=`` before it as ``epicrisis llm launch`` writes.

    Raises:
        InvalidValueError: Its file cannot be read, or is empty.
    """
    if row.api_key_file is None:
        return None
    item = f"api_key_file of backend {row.name}"
    try:
        key = row.api_key_file.expanduser().read_text("utf-8").strip()
        key = key.removeprefix(_KEY_NAME).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(item, "cannot be read", "correct its path or mode") from error
    if not key or not key.isprintable():
        raise InvalidValueError(item, "holds no key", "put the key alone into it")
    return SecretStr(key)
