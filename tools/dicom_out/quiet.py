"""highdicom and pydicom quote names of patients in their warnings: here they are kept silent."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tools.ecg.readers.dicom import silence_pydicom


@contextmanager
def quiet() -> Iterator[None]:
    """Run without their warnings and log lines; also as a decorator. Errors are errors still."""
    silence_pydicom()
    logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
