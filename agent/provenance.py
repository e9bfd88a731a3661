"""What is needed to replay a result: versions, hashes, overrides."""

import hashlib
import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from agent.assessment import Provenance
from agent.runner import Log
from knowledge.clinical_time import ClinicalTime
from knowledge.reference import table_hash, table_names
from tools.intake.result import InputFile, Override

_COMPUTE = ("numpy", "pydicom", "ecgdatakit", "orjson", "pydantic")


def provenance(
    files: Sequence[InputFile],
    *,
    at: ClinicalTime,
    pathway: str,
    log: Log,
    overrides: Sequence[Override],
) -> Provenance:
    """Return the provenance of one assessment, before its result is hashed."""
    hashes = sorted(item.sha256 for item in files if item.sha256)
    return Provenance(
        epicrisis=installed("epicrisis"),
        python=platform.python_version(),
        at=at,
        pathway=pathway,
        tools=tuple(log.runs),
        reference_sha256={name: table_hash(name) for name in table_names()},
        inputs_sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        overrides=tuple(_override(override) for override in overrides),
        packages={name: installed(name) for name in _COMPUTE},
    )


@cache
def installed(package: str) -> str:
    """Return the installed version of a package, or that it is not installed as one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"


def _override(override: Override) -> str:
    differs = f"; differs in {', '.join(override.differs)}" if override.differs else ""
    return f"{override.file}: same patient by {override.by}{differs}"
