"""The optional packages of DICOM over the network, or the error that names the extra."""

import importlib
from typing import Any

from knowledge.errors import MissingExtraError

_EXTRA = "install epicrisis[dicom-net]"


def network_package(name: str) -> Any:
    """Return an optional package.

    Args:
        name: ``pynetdicom`` or ``dicomweb_client``.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name, "is not installed", _EXTRA) from error
