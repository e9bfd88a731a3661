"""Files of a case on disk for as long as a library needs them there."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tools.imaging.in_case.model import StudyImages


@contextmanager
def on_disk(images: StudyImages, files: Sequence[str]) -> Iterator[tuple[Path, ...]]:
    """Give the paths of some files, in a folder that only this user may read and that goes again.

    Their names are numbers with the ending: a name may say who the patient is.
    """
    with tempfile.TemporaryDirectory(prefix="epicrisis-") as folder:
        paths = []
        for number, file in enumerate(files):
            path = Path(folder) / f"{number:04d}{PurePosixPath(file).suffix[:8]}"
            path.write_bytes(images.data(file))
            paths.append(path)
        yield tuple(paths)
