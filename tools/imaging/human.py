"""Whether an image is of a human: an animal's is refused, whatever its modality says."""

import re
from typing import Any

from knowledge.errors import ContractError
from knowledge.imaging_terms import imaging_terms

_PLACES = (
    "InstitutionName",
    "InstitutionalDepartmentName",
    "StudyDescription",
    "ManufacturerModelName",
)


def check_human(ds: Any, file: str) -> None:
    """Refuse an object whose header says that the patient is an animal.

    Read are species, breed, an owner as responsible person (PS3.3 C.7.1.1), and the words of
    veterinary practices in the names of institution, department, study and device.

    Raises:
        ContractError: The patient is no human; says which attribute says so, never its value.
    """
    where = _animal(ds)
    if where is not None:
        raise ContractError(file, f"not of a human patient ({where})", "take it out of the case")


def _animal(ds: Any) -> str | None:
    animals = imaging_terms().animals
    for item in ds.get("PatientSpeciesCodeSequence") or []:
        code = str(item.get("CodeValue", "")).strip()
        if code and code not in animals.human_codes:
            return "species code"
    species = _text(ds, "PatientSpeciesDescription")
    if species and species not in animals.human_words:
        return "species"
    if _text(ds, "PatientBreedDescription"):
        return "breed"
    if _text(ds, "ResponsiblePersonRole") == animals.owner_role.casefold():
        return "an owner is responsible for the patient"
    for place in _PLACES:
        text = _text(ds, place)
        if any(word in text for word in animals.words):
            named = re.sub(r"(?<!^)(?=[A-Z])", " ", place).lower()
            return f"the {named} is of a veterinary practice"
    return None


def _text(ds: Any, name: str) -> str:
    return str(ds.get(name, "") or "").strip().casefold()
