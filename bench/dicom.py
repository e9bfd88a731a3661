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

import numpy as np
import pydicom

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from knowledge.settings import Settings
from serving.dicom_in.analysis import analyse_series
from serving.dicom_in.inbox import Inbox
from serving.dicom_in.receiver import Receiver
from serving.dicom_in.sender import Peer, send_objects
from tests.tools.dicom_out.objects import phantom
from tests.tools.imaging.ct.phantoms import dicom_slice
from tools.dicom_out.deidentify.image import deidentified_image
from tools.dicom_out.deidentify.pseudonyms import Key

COUNT = 100
AT = datetime(2026, 1, 1, tzinfo=UTC)


def images() -> dict[str, bytes]:
    """Return 100 CT slices of 512 x 512 with noise."""
    random = np.random.default_rng(0)
    plane = random.integers(-1000, 1000, (512, 512)).astype(np.int16)
    return {f"{i}.dcm": dicom_slice(plane, SOPInstanceUID=f"1.2.2.{i + 1}") for i in range(COUNT)}


def timed(name: str, work: Callable[[], object], *, per: int = 1, unit: str = "") -> None:
    """Run once and print the seconds, or the number in a second."""
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    rate = f"{per / took:8.1f} {unit} a second" if unit else f"{took:8.2f} s"
    print(f"{name:52} {rate}")


def main() -> None:
    """Print every figure."""
    content = images()
    chest = phantom()
    key = Key(secret=b"k" * 32)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), dicom_port=0, dicom_senders=("BENCH",))
        inbox = Inbox(Path(folder) / "dicom", object_bytes=1 << 30, total_bytes=1 << 34)
        receiver = Receiver(settings, inbox)
        host, port = receiver.start()
        peer = Peer(ae_title=settings.dicom_ae_title, host=host, port=port)
        try:
            timed(
                "received by C-STORE, on the disk (512 x 512 x 16 bit)",
                lambda: send_objects(content, peer, ae_title="BENCH"),
                per=COUNT,
                unit="images",
            )
        finally:
            receiver.stop()
        timed(
            "analysed: chest of 60 slices, SR, SEG, SC, GSPS, FHIR",
            lambda: analyse_series(chest, settings=settings, at=AT),
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
