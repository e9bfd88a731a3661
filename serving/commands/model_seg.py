"""What a plugged model marked on a CT series, as a DICOM Segmentation that names the model."""

from datetime import UTC, datetime
from pathlib import Path

from knowledge.errors import InvalidValueError
from tools.dicom_out.maker import Maker
from tools.dicom_out.sources import read_sources
from tools.imaging.contours.model import Structure
from tools.imaging.contours.seg_out import seg
from tools.imaging.ct.volume import read_folder
from tools.models.loaded import LoadedModel
from tools.models.run import Outcome


def write_seg(out: Path, at: int, outcome: Outcome, model: LoadedModel, folder: Path) -> None:
    """Write the masks of one series as ``mask-N.dcm``; nothing where nothing was marked.

    Args:
        out: Folder to write to.
        at: Which of the series, from 0.
        outcome: What the model said.
        model: The model.
        folder: Of the series.

    Raises:
        ContractError: The series states no identifiers or no frame of reference.
        InvalidValueError: It cannot be written.
    """
    contract = model.contract
    output = contract.output("mask")
    if outcome.masks is None or output is None:
        return
    maker = f"{contract.id} {contract.version} ({contract.onnx_sha256[:16]})"
    found = [
        Structure(number=number, name=label, mask=mask, origin="AUTOMATIC", maker=maker)
        for number, (label, mask) in enumerate(zip(output.labels, outcome.masks, strict=True), 1)
        if label != output.background and mask.any()
    ]
    if not found:
        return
    volume = read_folder(folder)
    images = read_sources({name: folder / name for name in volume.facts.files})
    made = Maker(method=contract.id, method_version=contract.version, at=datetime.now(UTC))
    try:
        (out / f"mask-{at + 1}.dcm").write_bytes(seg(found, volume, images, made))
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another folder"
        ) from error
