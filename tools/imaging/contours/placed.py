"""The images of a series in the order of a volume's slices, for objects that refer to them."""

from collections.abc import Sequence

from knowledge.errors import ContractError
from tools.dicom_out.sources import Sources
from tools.imaging.contours.model import Structure
from tools.imaging.ct.model import Volume


def images_of(structures: Sequence[Structure], volume: Volume, sources: Sources) -> Sources:
    """Return the images of a volume, after comparing structures and images with it.

    Args:
        structures: To be written.
        volume: The series they lie on.
        sources: Images with those of the series among them.

    Raises:
        ContractError: No structure, an empty one, two of one name, one on another grid; the series
            states no identifiers or no frame of reference.
        InvalidValueError: An image of the series is not among the sources.
    """
    if not structures:
        raise ContractError("structures", "none is given", "give at least one")
    names = [one.name.strip().casefold() for one in structures]
    if len(set(names)) < len(names):
        raise ContractError("structures", "two have one name", "give each a name of its own")
    for one in structures:
        if one.mask.shape != volume.hu.shape:
            raise ContractError(
                f"structure {one.name!r}", "lies on another grid than the series", "give it on this"
            )
        if not one.mask.any():
            raise ContractError(f"structure {one.name!r}", "is empty", "write none")
    facts = volume.facts
    if len(facts.instances) != volume.hu.shape[0] or not facts.frame:
        raise ContractError(
            "series",
            "states no instance identifiers or no frame of reference: nothing can refer to it",
            "export it from the archive with its identifiers",
        )
    return sources.of(facts.instances)
