"""What is seen to before a file is given to a native reader of slides.

OpenSlide takes the process down with it where a table of a DICOM slide leads out of the file, and
it looks at every file of the series beside it: so each is compared with its own tables first. Of a
TIFF it notices only at a tile that the tile is beyond the end.
"""

from pathlib import Path

from knowledge.errors import UnreadableError
from tools.imaging.slide import pixels_beyond
from tools.pathology.slide.dicom_files import MAX_FILES, is_dicom, slide_series
from tools.pathology.slide.dicom_frames import check_frames
from tools.pathology.slide.openslide_source import AGAIN

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def check_native(path: Path, *, name: str) -> None:
    """Refuse what a native reader must not be given.

    Args:
        path: A slide; of a DICOM slide any of its files: those beside it are opened too.
        name: As messages call it.

    Raises:
        UnreadableError: It cannot be opened, or it is damaged in a way that ends the process.
    """
    try:
        if is_dicom(path):
            series = slide_series(path)
            for file in sorted(path.parent.iterdir())[:MAX_FILES]:
                if file == path or (file.is_file() and slide_series(file) == series is not None):
                    check_frames(file)
        else:
            check_tiles(path, name=name)
    except OSError as error:
        raise UnreadableError(name, f"cannot be opened: {error.strerror}", "") from error


def check_tiles(path: Path, *, name: str) -> None:
    """Refuse a TIFF that ends before its tiles do.

    Tiles of no length are no fault: scanners leave out what they did not scan.

    Raises:
        UnreadableError: It does.
    """
    with path.open("rb") as opened:
        if opened.read(4) not in _TIFF:
            return
    beyond, of = pixels_beyond(path)
    if beyond:
        raise UnreadableError(name, f"{beyond} of {of} tiles are beyond its end", AGAIN)
