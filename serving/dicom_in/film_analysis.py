"""The results of a series of films: a report, and of each film the picture to review it on."""

import io
from collections.abc import Mapping
from datetime import datetime

import numpy as np

from serving.dicom_in.analysed import Analysed
from serving.fhir_out.imaging import imaging_bundle
from tools.dicom_out.capture import secondary_capture
from tools.dicom_out.film_report import TITLE, film_structured_report
from tools.dicom_out.maker import Maker
from tools.dicom_out.overlay import Picture
from tools.dicom_out.sources import Source, Sources
from tools.dicom_out.structured_report import structured_report
from tools.imaging.film.overlay import overlay_png
from tools.imaging.film.read import read_film
from tools.imaging.film.report import VERSION, measured


def analyse_films(
    files: Mapping[str, Source], sources: Sources, *, rule: str, at: datetime
) -> Analysed:
    """Return what is measured on the films of a series, as objects.

    Args:
        files: Those of the series.
        sources: The same, as images that can be referred to.
        rule: That started it.
        at: The moment of the results, zoned.

    Raises:
        InputError: A film cannot be read; names the file and the reason.
    """
    maker = Maker(method="chest_film", method_version=VERSION, at=at)
    found, pictures = [], {}
    for name, instance in zip(sources.files, sources.instances, strict=True):
        film = read_film(_content(files[name]), file=name)
        report = measured(film)
        found.append(report)
        pictures[instance] = _picture(overlay_png(film, report))
    said = film_structured_report(found)
    objects = {"sr": structured_report(said, sources, maker)}
    for place, (instance, picture) in enumerate(pictures.items(), start=1):
        kind = "sc" if place == 1 else f"sc-{place}"
        one = sources.of([instance])
        objects[kind] = secondary_capture(picture, one, maker, title=f"{TITLE}: overlay")
    bundle = imaging_bundle(said, sources, maker)
    return Analysed(rule=rule, report=said, objects=objects, fhir=bundle)


def _content(source: Source) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()


def _picture(png: bytes) -> Picture:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB"))
