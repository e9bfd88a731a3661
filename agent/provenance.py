"""What is needed to replay a result: versions, hashes, overrides."""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version

from agent.assessment import Provenance
from agent.runner import Log
from knowledge.clinical_time import ClinicalTime
from knowledge.reference import table_hash, table_names
from tools.intake.result import CaseFiles, Override

_COMPUTE = ("numpy", "pydicom", "ecgdatakit", "orjson", "pydantic")


def provenance(case: CaseFiles | None, *, at: ClinicalTime, pathway: str, log: Log) -> Provenance:
    """Return the provenance of one assessment, before its result is hashed."""
    files = () if case is None else case.inputs
    hashes = sorted(f"{item.sha256}" for item in files if item.sha256)
    return Provenance(
        epicrisis=installed("epicrisis"),
        python=platform.python_version(),
        at=at,
        pathway=pathway,
        tools=tuple(log.runs),
        reference_sha256={name: table_hash(name) for name in table_names()},
        inputs_sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        overrides=() if case is None else tuple(_override(o) for o in case.overrides),
        packages={name: installed(name) for name in _COMPUTE},
    )


def installed(package: str) -> str:
    """Return the installed version of a package, or that it is not installed as one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"


def _override(override: Override) -> str:
    differs = f"; differs in {', '.join(override.differs)}" if override.differs else ""
    return f"{override.file}: same patient by {override.by}{differs}"
