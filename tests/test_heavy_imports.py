"""What is never imported, and what is imported only by the function that needs it."""

import json
import subprocess
import sys

import pytest

from tests.data_folder import ROOT

PACKAGES = ("agent", "tools", "knowledge", "serving", "evals")
NEVER = ("torchvision",)
LAZY = (
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "gguf",
    "vllm",
    "wsidicom",
    "nibabel",
    "pynetdicom",
)

WALK = """
import importlib, importlib.machinery, json, pkgutil, sys

packages, watched = json.loads(sys.argv[1])

class Tripwire:
    "Stands for packages that must not be imported: present to whoever looks, recorded when used."
    tried = []
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in watched:
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        self.tried.append(spec.name)
        raise ImportError(f"{spec.name} must not be imported here")
    def exec_module(self, module):
        raise ImportError

sys.meta_path.insert(0, Tripwire())
walked, failed = 0, {}
for package in packages:
    for info in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if info.name.endswith((".__main__", ".migrations.env")):  # run, never imported
            continue
        try:
            importlib.import_module(info.name)
            walked += 1
        except ImportError as error:
            failed[info.name] = str(error)
loaded = sorted(m for m in sys.modules if m.partition(".")[0] in watched)
print(json.dumps({"walked": walked, "failed": failed, "tried": Tripwire.tried, "loaded": loaded}))
"""


def _walked(packages: tuple[str, ...], watched: tuple[str, ...]) -> dict[str, object]:
    """Import every module of some packages in a process of its own, and return what happened."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", WALK, json.dumps([packages, watched])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("packages", "watched"),
    [(PACKAGES, NEVER), (("tools", "serving"), LAZY)],
    ids=["nothing imports torchvision", "tools and serving import nothing heavy at once"],
)
def test_no_module_imports(packages: tuple[str, ...], watched: tuple[str, ...]) -> None:
    found = _walked(packages, watched)
    assert found["failed"] == {}
    assert found["tried"] == []
    assert found["loaded"] == []
    walked = found["walked"]
    assert isinstance(walked, int)
    assert walked > 300  # every module was looked at, not the top alone


def test_the_tripwire_notices_an_import() -> None:
    """Without it the test above could not fail where a package is not installed."""
    found = _walked(("tools.labs",), ("scipy", "pydantic"))
    assert found["tried"] or found["failed"]
