"""What this machine can give a model: cores and memory, within the limits of its container."""

import os
import re
from pathlib import Path

from pydantic import NonNegativeInt, PositiveInt

from knowledge.model import Frozen

_ROOT = Path("/")
_MOST_THREADS = 8
"""Decoding is bound by memory: more threads than this wait for each other."""
_KV_BYTES_PER_TOKEN = 28 * 1024
"""Qwen2.5-1.5B: 28 layers, 2 key-value heads of 128, keys and values, 2 bytes each."""
_BESIDE_BYTES = 768 << 20
"""Beside weights and keys: 1.86 GB were measured in all for 1.12 GB of weights at 2048 tokens."""
_LEAST_CONTEXT = 2048
"""A prompt of this product does not fit into less."""
_STEP = 1024


class Machine(Frozen):
    """What this process may use.

    Args:
        cores: Whole cores, at least 1.
        free_bytes: Memory that can be taken without swapping; None where it cannot be told.
    """

    cores: PositiveInt
    free_bytes: NonNegativeInt | None


def machine(root: Path = _ROOT) -> Machine:
    """Return what this process may use: the least of affinity, container and machine.

    Args:
        root: Where ``/proc`` and ``/sys`` are; for tests.
    """
    cores = [float(_affinity())]
    cores += [quota for quota in (_quota_v2(root), _quota_v1(root)) if quota is not None]
    frees = [_available(root), _free_v2(root), _free_v1(root)]
    known = [free for free in frees if free is not None]
    return Machine(cores=max(1, int(min(cores))), free_bytes=min(known) if known else None)


def threads_for(found: Machine, *, wanted: int | None) -> int:
    """Return the threads of the model: what is wanted, else the cores, at most 8."""
    return wanted or min(found.cores, _MOST_THREADS)


def context_for(found: Machine, *, weights_bytes: int, wanted: int) -> int | None:
    """Return the context in tokens that memory allows, or None if even the least does not fit.

    Examples:
        >>> small = Machine(cores=2, free_bytes=2_000_000_000)
        >>> context_for(small, weights_bytes=1_117_320_768, wanted=8192)
        2048
        >>> tiny = Machine(cores=2, free_bytes=1_500_000_000)
        >>> context_for(tiny, weights_bytes=1_117_320_768, wanted=8192) is None
        True
    """
    if found.free_bytes is None:
        return wanted
    room = (found.free_bytes - weights_bytes - _BESIDE_BYTES) // _KV_BYTES_PER_TOKEN
    if room >= wanted:
        return wanted
    fitted = room // _STEP * _STEP
    return fitted if fitted >= min(_LEAST_CONTEXT, wanted) else None


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota_v2(root: Path) -> float | None:
    words = _words(root / "sys/fs/cgroup/cpu.max")
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdecimal() else None


def _quota_v1(root: Path) -> float | None:
    quota = _number(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period = _number(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us")
    return quota / period if quota and period else None


def _available(root: Path) -> int | None:
    text = _text(root / "proc/meminfo")
    found = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _free_v2(root: Path) -> int | None:
    folder = root / "sys/fs/cgroup"
    return _left(_number(folder / "memory.max"), _number(folder / "memory.current"))


def _free_v1(root: Path) -> int | None:
    folder = root / "sys/fs/cgroup/memory"
    return _left(
        _number(folder / "memory.limit_in_bytes"), _number(folder / "memory.usage_in_bytes")
    )


def _left(limit: int | None, used: int | None) -> int | None:
    return None if limit is None else max(limit - (used or 0), 0)


def _number(path: Path) -> int | None:
    words = _words(path)
    return int(words[0]) if words and words[0].isdecimal() else None


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
