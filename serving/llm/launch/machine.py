"""What this machine has: memory, cores and accelerators."""

import os
import re
import subprocess

from serving.llm.capacity.accelerator import accelerators
from serving.llm.launch.errors import OrderError

_ASK = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_ASK_S = 20
_FEW_CORES = 4
_MIB = 1 << 20
_NEAR = 0.12


def memory_bytes() -> float:
    """Return the memory of this machine."""
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def cores_of(count: int, replicas: int) -> str | None:
    """Return the cores that the CPU build is bound to; None to leave it to vLLM.

    vLLM keeps one core for its front, which on a small machine is half of it: with few cores the
    model gets them all. With many, or several replicas, nothing is chosen.

    Args:
        count: Cores of the machine.
        replicas: Servers on it.

    Examples:
        >>> cores_of(2, 1), cores_of(64, 1)
        ('0-1', None)
    """
    return f"0-{count - 1}" if count <= _FEW_CORES and replicas == 1 else None


def this_accelerator() -> str:
    """Return the name, in the planner's table, of the accelerators of this machine.

    Raises:
        OrderError: There is none, several kinds, or one that the table does not have.
    """
    way = "name it by --gpu, such as --gpu h100"
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            _ASK, capture_output=True, text=True, timeout=_ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise OrderError("--gpu", "no accelerator was found on this machine", way) from error
    found = {named(line) for line in done.stdout.splitlines() if line.strip()}
    if len(found) != 1 or None in found:
        raise OrderError("--gpu", f"this machine has {done.stdout.strip() or 'none'}", way)
    return str(found.pop())


def named(line: str) -> str | None:
    """Return the table's name for a line of ``nvidia-smi``, None where it has none.

    Examples:
        >>> named("NVIDIA A100-SXM4-80GB, 81920"), named("NVIDIA H200, 143771"), named("X, 1")
        ('a100-80', 'h200', None)
    """
    label, _, memory = line.rpartition(",")
    words = set(re.split(r"[\s-]+", label.casefold()))
    if not memory.strip().isdigit():
        return None
    gb = int(memory) * _MIB / 1e9
    for one in accelerators().accelerators:
        near = abs(one.memory_gb.value - gb) <= _NEAR * one.memory_gb.value
        keys = {key.split("-")[0] for key in (one.name, *one.aliases)}
        if near and keys & words:
            return one.name
    return None
