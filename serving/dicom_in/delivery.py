"""Objects to where the settings say that results go."""

from knowledge.errors import InputError
from knowledge.settings import Settings
from serving.dicom_in.archive import Archive
from serving.dicom_in.sender import client_tls, peer_of, send_objects


def deliver(objects: dict[str, bytes], settings: Settings) -> None:
    """Send results where the settings say.

    Raises:
        EpicrisisError: They are not all there; says why.
    """
    if settings.dicom_results == "stow":
        Archive(settings).store(objects)
        return
    peer = peer_of(settings.dicom_results_to or "")
    refused = [
        one
        for one in send_objects(
            objects, peer, ae_title=settings.dicom_ae_title, tls=client_tls(settings)
        )
        if not one.taken
    ]
    if refused:
        raise InputError(
            "results", "; ".join(f"{one.name}: {one.reason} {one.status}" for one in refused)
        )
