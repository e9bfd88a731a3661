"""The front for inspect_ai, offline and without a model of its own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    importlib.util.find_spec("inspect_ai") is None, reason="inspect_ai is not installed"
)
def test_inspect_runs_a_task_of_ours_with_a_fake_model(tmp_path: Path) -> None:
    """In a process of its own: inspect_ai changes logging and event loop of the one it is in."""
    script = (
        "from inspect_ai import eval as run\n"
        "from evals.inspect_tasks import epicrisis\n"
        "task = epicrisis(name='consistency', llm='fake', limit=1)\n"
        f"log = run(task, model='none', log_dir={str(tmp_path)!r}, log_format='json',"
        " display='none')[0]\n"
        "assert log.status == 'success', log.error\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(  # noqa: S603  our own interpreter and script
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    log = json.loads(next(tmp_path.glob("*.json")).read_text("utf-8"))
    shares = {score["name"]: score["metrics"] for score in log["results"]["scores"]}
    assert shares["same"]["mean"]["value"] == 1.0
