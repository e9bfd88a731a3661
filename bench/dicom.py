"""How fast images come in, are analysed, written and de-identified: python bench/dicom.py.

Everything on loopback with generated images, so that every machine can run it. Memory is the peak
of the process.
"""

import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evals.phantoms.ct import chest, dicom_slice, series
from knowledge.settings import Settings
from serving.dicom_in.analysis import analyse_series
from serving.dicom_in.inbox import Inbox
from serving.dicom_in.receiver import Receiver
from serving.dicom_in.sender import Peer, send_objects
from tools.dicom_out.deidentify.image import deidentified_image
from tools.dicom_out.deidentify.pseudonyms import Key

COUNT = 100
AT = datetime(2026, 1, 1, tzinfo=UTC)


def images() -> dict[str, bytes]:
    """Return 100 CT slices of 512 x 512 with noise."""
    random = np.random.default_rng(0)
    plane = random.integers(-1000, 1000, (512, 512)).astype(np.int16)
    return {f"{i}.dcm": dicom_slice(plane, SOPInstanceUID=f"1.2.2.{i + 1}") for i in range(COUNT)}


def phantom() -> dict[str, bytes]:
    """Return a chest of 60 slices, two lungs of known volume."""
    spacing = (4.0, 2.0, 2.0)
    hu = chest(spacing=spacing, shape=(60, 160, 160), vessels=0, noise=10)
    stated = {"StudyInstanceUID": "2.25.88001", "SeriesInstanceUID": "2.25.88002"}
    return series(hu, spacing, FrameOfReferenceUID="2.25.88003", StudyID="1", **stated)


class Bare:
    """A receiver as pynetdicom's own example: each object is written to a file, nothing checked."""

    def __init__(self, folder: Path) -> None:
        from pynetdicom import AE, AllStoragePresentationContexts, evt

        folder.mkdir()
        entity = AE(ae_title="BARE")
        entity.supported_contexts = AllStoragePresentationContexts

        def store(event: Any) -> int:
            name = f"{event.request.AffectedSOPInstanceUID}.dcm"
            (folder / name).write_bytes(event.encoded_dataset())
            return 0

        handlers: list[Any] = [(evt.EVT_C_STORE, store)]
        server: Any = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self._server = server
        self.peer = Peer(ae_title="BARE", host="127.0.0.1", port=server.server_address[1])

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def timed(name: str, work: Callable[[], object], *, per: int = 1, unit: str = "") -> float:
    """Run once, print the seconds or the number in a second, and return the seconds."""
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    rate = f"{per / took:8.1f} {unit} a second" if unit else f"{took:8.2f} s"
    print(f"{name:52} {rate}")
    return took


def main() -> None:
    """Print every figure."""
    content = images()
    lungs = phantom()
    key = Key(secret=b"k" * 32)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), dicom_port=0, dicom_senders=("BENCH",))
        inbox = Inbox(Path(folder) / "dicom", object_bytes=1 << 30, total_bytes=1 << 34)
        receiver = Receiver(settings, inbox)
        host, port = receiver.start()
        bare = Bare(Path(folder) / "bare")
        peer = Peer(ae_title=settings.dicom_ae_title, host=host, port=port)
        try:
            plain = timed(
                "pynetdicom alone: received, written to a file",
                lambda: send_objects(content, bare.peer, ae_title="BENCH"),
                per=COUNT,
                unit="images",
            )
            ours = timed(
                "received by C-STORE, on the disk (512 x 512 x 16 bit)",
                lambda: send_objects(content, peer, ae_title="BENCH"),
                per=COUNT,
                unit="images",
            )
            print(f"{'received, ours by pynetdicom alone':52} {plain / ours:8.2f}")
        finally:
            receiver.stop()
            bare.stop()
        timed(
            "analysed: chest of 60 slices, SR, SEG, SC, GSPS, FHIR",
            lambda: analyse_series(lungs, settings=settings, at=AT),
        )
    timed(
        "de-identified (512 x 512 x 16 bit)",
        lambda: [deidentified_image(one, key, file=name) for name, one in content.items()],
        per=COUNT,
        unit="images",
    )
    size = sum(len(pydicom.dcmread(io.BytesIO(one)).PixelData) for one in content.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'pixels sent':52} {size / 2**20:8.1f} MiB\n{'peak memory':52} {peak:8.0f} MiB")


if __name__ == "__main__":
    main()
