"""Threads and context follow what the container allows, not what the host has."""

from pathlib import Path

import pytest

from agent.llm.local import machine as module
from agent.llm.local.machine import Machine, context_for, machine, threads_for

GIB = 1 << 30


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "cores", "free"),
    [
        pytest.param({}, 16, None, id="nothing known"),
        pytest.param(
            {
                "sys/fs/cgroup/cpu.max": "max 100000\n",
                "sys/fs/cgroup/memory.max": "max\n",
                "proc/meminfo": "MemTotal: 99 kB\nMemAvailable:    4194304 kB\n",
            },
            16,
            4 * GIB,
            id="no limit",
        ),
        pytest.param(
            {
                "sys/fs/cgroup/cpu.max": "250000 100000\n",
                "sys/fs/cgroup/memory.max": str(3 * GIB),
                "sys/fs/cgroup/memory.current": str(GIB),
                "proc/meminfo": "MemAvailable:    8388608 kB\n",
            },
            2,
            2 * GIB,
            id="limits of version 2",
        ),
        pytest.param(
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2 * GIB),
                "sys/fs/cgroup/memory/memory.usage_in_bytes": str(3 * GIB),
            },
            1,
            0,
            id="limits of version 1",
        ),
        pytest.param(
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1"}, 16, None, id="no quota in version 1"
        ),
    ],
)
def test_limits_of_containers_are_seen(
    files: dict[str, str],
    cores: int,
    free: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_affinity", lambda: 16)
    assert machine(write(tmp_path, files)) == Machine(cores=cores, free_bytes=free)


@pytest.mark.parametrize(
    ("cores", "wanted", "threads"), [(2, None, 2), (64, None, 8), (64, 32, 32)]
)
def test_threads(cores: int, wanted: int | None, threads: int) -> None:
    assert threads_for(Machine(cores=cores, free_bytes=None), wanted=wanted) == threads


@pytest.mark.parametrize(
    ("free", "context"), [(None, 8192), (8 * GIB, 8192), (GIB, None), (2 * GIB, 8192)]
)
def test_the_context_fits_into_memory(free: int | None, context: int | None) -> None:
    found = Machine(cores=2, free_bytes=free)
    assert context_for(found, weights_bytes=10**9, wanted=8192) == context
