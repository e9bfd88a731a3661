"""The parts of a slide on several machines: Ray, where it is installed and a cluster is named.

Every machine has to see the slide and the data folder under the same path; a worker opens both
itself and refuses a model or slide that is another than the one that was planned for.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge import errors
from knowledge.errors import ContractError, EpicrisisError, MissingExtraError, UnavailableError
from knowledge.model import Frozen
from tools.models.sample import InputRef
from tools.pathology.slide.embed import Desk, RunParts, one_by_one, slide_sha256
from tools.pathology.slide.macenko import Stains
from tools.pathology.slide.part_store import Part
from tools.pathology.slide.tiles import TilePlan

_AHEAD = 2
"""Parts in flight for each processor of the cluster."""


class Refused(Frozen):
    """An error of ours on its way from a worker.

    Args:
        kind: Name of its class.
        item, reason, way_out: Of the error.
    """

    kind: str
    item: str
    reason: str
    way_out: str


class Task(Frozen):
    """What a worker on another machine opens for itself.

    Args:
        slide: Absolute path as it was opened.
        reader: ``openslide`` or ``wsidicom``.
        mpp_um: What a person stated of the scale; None where the file says it.
        model: Absolute path of the model's folder.
        plan, source, stains: As in `Desk`.
        onnx_sha256: Of the model.
    """

    slide: str
    reader: str
    mpp_um: float | None
    model: str
    plan: TilePlan
    source: InputRef
    stains: Stains | None
    onnx_sha256: str


def ray_installed() -> bool:
    """Return whether Ray is there."""
    return importlib.util.find_spec("ray") is not None


def runner_for(address: str | None, *, path: Path, model: Path, mpp_um: float | None) -> RunParts:
    """Return what does the parts of a slide: this process, or a Ray cluster.

    Args:
        address: Of the cluster; None for this process.
        path: The slide as it was opened.
        model: Folder of the model.
        mpp_um: As it was opened.

    Raises:
        MissingExtraError: A cluster is named and Ray is not installed: nothing is then quietly done
            on one machine.
    """
    if address is None:
        return one_by_one
    if not ray_installed():
        raise MissingExtraError(
            "ray",
            "is not installed, and a cluster is named",
            "pip install ray, or leave out ray_address",
        )

    def run(desk: Desk, numbers: Sequence[int]) -> Iterator[tuple[int, Part]]:
        task = Task(
            slide=str(path.absolute()), reader=desk.slide.facts.reader.split()[0], mpp_um=mpp_um,
            model=str(model.absolute()), plan=desk.plan, source=desk.source, stains=desk.stains,
            onnx_sha256=desk.model.contract.onnx_sha256,
        )  # fmt: skip
        yield from _on_cluster(address, task, numbers)

    return run


def _on_cluster(address: str, task: Task, numbers: Sequence[int]) -> Iterator[tuple[int, Part]]:
    import ray  # type: ignore[import-not-found,unused-ignore]

    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise UnavailableError(
            "ray cluster", f"cannot be reached ({type(error).__name__})", "check ray_address"
        ) from error
    remote: Any = ray.remote(num_cpus=1)(part_or_refusal)
    written = ray.put(task.model_dump_json())
    most = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    left = list(numbers)
    flying: dict[Any, int] = {}
    try:
        while left or flying:
            while left and len(flying) < most:
                number = left.pop(0)
                flying[remote.remote(written, number)] = number
            ready, _ = ray.wait(list(flying), num_returns=1)
            yield flying.pop(ready[0]), _result(ray, ready[0])
    finally:
        for one in flying:
            ray.cancel(one)


def _result(ray: Any, one: Any) -> Part:
    """Return a part, or raise what the worker raised."""
    try:
        found: Part | Refused = ray.get(one)
    except ray.exceptions.RayError as error:
        raise UnavailableError(
            "ray cluster", f"lost a part ({type(error).__name__})", "run again: it goes on"
        ) from error
    if isinstance(found, Refused):
        kind = getattr(errors, found.kind, UnavailableError)
        raise kind(found.item, found.reason, found.way_out)
    return found


def part_or_refusal(written: str, number: int) -> Part | Refused:
    """Return a part, or the error why there is none; on the machine of a worker."""
    try:
        return part_of(written, number)
    except EpicrisisError as error:
        return Refused(
            kind=type(error).__name__, item=error.item, reason=error.reason, way_out=error.way_out
        )


def part_of(written: str, number: int) -> Part:
    """Return a part of a task as a worker received it."""
    return _desk(written).part(number)


@lru_cache(maxsize=1)
def _desk(written: str) -> Desk:
    from tools.models.loaded import load_model
    from tools.pathology.slide.opening import open_slide

    task = Task.model_validate_json(written)
    model = load_model(Path(task.model), threads=1)
    reader: Any = task.reader
    slide = open_slide(Path(task.slide), reader=reader, mpp_um=task.mpp_um)
    if model.contract.onnx_sha256 != task.onnx_sha256 or slide_sha256(slide) != task.source.sha256:
        raise ContractError(
            "worker", "sees another slide or model under this path", "share one folder"
        )
    return Desk(
        slide=slide, plan=task.plan, model=model, source=task.source, stains=task.stains, threads=1
    )
