"""What a site measured itself of a model: its own calibration and thresholds, kept beside it."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from knowledge.errors import ContractError, UnreadableError
from knowledge.model import Frozen
from tools.models.calibration import Calibration, Platt
from tools.models.contract import ModelContract
from tools.models.output_contract import OutputContract, Threshold
from tools.models.vocabulary import Sha256

SITE_FILE = "site.json"
TURNED = "is the column of the label turned round? correct it and calibrate again"


class SiteCalibration(Frozen):
    """A calibration and thresholds for the scores of one model.

    Args:
        onnx_sha256: Of the model it was measured with.
        labels_sha256: Of the file with the truth it was measured against.
        cases_sha256: Of the contents of each case, in order of size; empty where not kept.
        patients_sha256: Of each patient of the column, with the model's hash; empty where there
            was no column.
        calibration: Replaces the model's own.
        thresholds: Replace the model's own.
        sha256: Of the file itself; empty before it is written.
    """

    schema_name: Literal["epicrisis/model-site/1"] = Field(
        default="epicrisis/model-site/1", alias="schema"
    )
    onnx_sha256: Sha256
    labels_sha256: Sha256
    cases_sha256: tuple[Sha256, ...] = ()
    patients_sha256: tuple[Sha256, ...] = ()
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    sha256: str = Field(default="", exclude=True)


def read_site(path: Path) -> SiteCalibration | None:
    """Return a site's calibration, or None where there is no file.

    Raises:
        UnreadableError: There is one and it cannot be used: the model's own would be another.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be read: {error.strerror}", "") from error
    try:
        found = SiteCalibration.model_validate_json(content)
    except ValidationError as error:
        raise UnreadableError(path.name, "is damaged", "calibrate again or remove it") from error
    return found.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})


def applied(contract: ModelContract, site: SiteCalibration) -> ModelContract:
    """Return a description with the site's calibration in place of its own.

    A band within which the maker's model abstains is kept where it is of probabilities; of scores
    it would mean something else on the new scale.

    Raises:
        ContractError: It was measured with another model, does not fit its labels, or turns its
            scores round.
    """
    if site.onnx_sha256 != contract.onnx_sha256:
        raise ContractError(SITE_FILE, "measured with another model", "calibrate again")
    if isinstance(site.calibration, Platt) and any(p.slope <= 0 for p in site.calibration.parts):
        raise ContractError(
            SITE_FILE, "the scores fall with the label: it would turn the model round", TURNED
        )
    scores = contract.output("scores")
    if scores is None:
        raise ContractError(SITE_FILE, "this model has no scores", "remove it")
    calibrated = scores.calibration.method != "none"
    try:
        changed = OutputContract.model_validate(
            {
                **scores.model_dump(),
                "abstain_band": scores.abstain_band if calibrated else None,
                "calibration": site.calibration.model_dump(),
                "thresholds": [t.model_dump() for t in site.thresholds],
            }
        )
        whole = contract.model_dump(by_alias=True)
        whole["outputs"] = [
            changed.model_dump() if o.name == scores.name else o.model_dump()
            for o in contract.outputs
        ]
        return ModelContract.model_validate(whole)
    except ValidationError as error:
        raise ContractError(
            SITE_FILE, error.errors()[0]["msg"], "calibrate again or remove it"
        ) from error
