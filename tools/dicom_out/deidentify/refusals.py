"""Which objects may not leave at all: text in their pixels, labels of slides, documents."""

from typing import Any

from knowledge.dicom_confidentiality import dicom_confidentiality
from knowledge.errors import ContractError, UnsupportedError
from knowledge.imaging_terms import imaging_terms
from tools.dicom_out.deidentify.uids import is_public

_LOOK = (
    "look at the pixels; where nothing identifies the patient, set Burned In Annotation to NO at "
    "the source"
)


NOT_LOOKED_AT = "the pixels were not looked at for text"
"""Notice of an image whose header does not state that none is burned in."""


class LeftOutError(UnsupportedError):
    """An object that is left out on purpose: a slide's label or macro image."""


def check_exportable(ds: Any, file: str) -> bool:
    """Refuse what cannot be made safe by changing its header.

    Returns:
        Whether the header states that no text is burned into the pixels.

    Raises:
        LeftOutError: A label or macro image of a slide.
        UnsupportedError: No image: a report, a document, a waveform, a segmentation.
        ContractError: Text or a face may be in the pixels.
    """
    terms = imaging_terms()
    sop_class = str(ds.get("SOPClassUID", "") or "")
    types = {str(value).strip().upper() for value in _values(ds, "ImageType")}
    if sop_class == terms.slide.uid and types & dicom_confidentiality().slide_left_out.image_types:
        raise LeftOutError(file, "a label or macro image of a slide: left out", "send the slide")
    other = terms.not_image(sop_class)
    if other is not None or terms.is_waveform(sop_class) or "PixelData" not in ds:
        what = other.en if other is not None else "no image"
        raise UnsupportedError(
            file, f"{what}: its text cannot be shown to be clean", "export the images alone"
        )
    _check_class(ds, file, sop_class)
    return _check_pixels(ds, file, sop_class, types)


def _check_class(ds: Any, file: str, sop_class: str) -> None:
    if not is_public(sop_class):
        raise UnsupportedError(
            file, "its SOP class is none of the standard", "export it as a standard image"
        )
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x0102) in ds and ds[group, 0x0102].value:
            raise ContractError(
                file, "an overlay may be drawn into unused bits of the pixels", _LOOK
            )


def _check_pixels(ds: Any, file: str, sop_class: str, types: set[str]) -> bool:
    burned = _upper(ds, "BurnedInAnnotation")
    if burned == "YES":
        raise ContractError(file, "text is burned into the pixels (stated)", _LOOK)
    if _upper(ds, "RecognizableVisualFeatures") == "YES":
        raise ContractError(
            file, "a face can be recognised in the pixels (stated)", "remove it at the source"
        )
    if burned == "NO":
        return True
    risk = dicom_confidentiality().at_risk
    modality = _upper(ds, "Modality")
    captured = any(sop_class == uid or sop_class.startswith(f"{uid}.") for uid in risk.sop_classes)
    if captured or modality in risk.modalities or not modality or types & risk.image_types:
        what = "a captured picture" if captured else f"modality {modality or 'not stated'}"
        raise ContractError(
            file, f"text may be burned into the pixels ({what}, and nothing states NO)", _LOOK
        )
    films = dicom_confidentiality().films
    if modality in films.modalities and types & films.image_types:
        raise ContractError(
            file, f"a derived film ({modality}): marks and names may be drawn into it", _LOOK
        )
    return False


def _values(ds: Any, keyword: str) -> list[Any]:
    value = ds.get(keyword)
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _upper(ds: Any, keyword: str) -> str:
    return str(ds.get(keyword, "") or "").strip().upper()
