"""A presentation state: the window and the notes with which a reader shall see some images."""

from typing import Any

from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.dicom_out.maker import CREATOR, MANUFACTURER, SHORT_NOTICE, Maker
from tools.dicom_out.quiet import quiet
from tools.dicom_out.settle import object_uids, settle, state_side
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of

_SERIES_NUMBER = 9904
_LAYER = "EPICRISIS"


class Note(Frozen):
    """A closed or open line with words on one image.

    Args:
        instance: SOP Instance UID of the image.
        text: In words.
        points: (column, row) of each point, pixels from the middle of the first; the first is
            repeated at the end of a closed line.
    """

    instance: str
    text: str
    points: tuple[tuple[float, float], ...]


class Window(Frozen):
    """A window for all images.

    Args:
        centre, width: In the units after the modality transformation, for CT Hounsfield units.
        name: For people.
    """

    centre: float
    width: float
    name: str


@quiet()
def presentation_state(
    window: Window | None, notes: tuple[Note, ...], sources: Sources, maker: Maker, *, title: str
) -> bytes:
    """Return a Grayscale Softcopy Presentation State as a DICOM file.

    Args:
        window: None leaves that of the images.
        notes: Lines and words; the notice is added on every image that has one.
        sources: The images it is for.
        maker: What made it.
        title: Of the series, at most 40 characters.

    Raises:
        ContractError: The images are in colour, or of different sizes.
        InvalidValueError: A note is on an image that is no source.
    """
    import highdicom as hd

    _check(sources)
    layer = hd.pr.GraphicLayer(layer_name=_LAYER, order=1, description=SHORT_NOTICE)
    said = "".join(one.model_dump_json() for one in notes)
    content = digest_of((said + (window.model_dump_json() if window else "")).encode())
    series, instance = object_uids("pr", sources, maker, content)
    made = hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=list(sources.datasets),
        series_instance_uid=series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=instance,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=maker.method[:64],
        software_versions=maker.software,
        device_serial_number=maker.software,
        content_label="RESEARCH_USE",
        content_description=SHORT_NOTICE,
        content_creator_name=CREATOR,
        graphic_layers=[layer] if notes else None,
        graphic_annotations=_annotations(notes, sources, layer) or None,
        voi_lut_transformations=_windows(window),
    )
    state_side(made, sources)
    return settle(made, sources=sources, maker=maker, description=title)


def _check(sources: Sources) -> None:
    first = sources.datasets[0]
    for name, one in zip(sources.files, sources.datasets, strict=True):
        if int(one.get("SamplesPerPixel", 1)) != 1:
            raise ContractError(name, "is in colour", "give greyscale images")
        if (one.Rows, one.Columns) != (first.Rows, first.Columns):
            raise ContractError(name, "is of another size than the first image", "give one series")


def _windows(window: Window | None) -> Any:
    from highdicom.pr import SoftcopyVOILUTTransformation

    if window is None:
        return None
    return [
        SoftcopyVOILUTTransformation(
            window_center=window.centre,
            window_width=window.width,
            window_explanation=window.name,
        )
    ]


def _annotations(notes: tuple[Note, ...], sources: Sources, layer: Any) -> list[Any]:
    import highdicom as hd
    import numpy as np

    found = []
    by_image: dict[str, list[Note]] = {}
    for note in notes:
        by_image.setdefault(note.instance, []).append(note)
    for instance, several in by_image.items():
        image = sources.of([instance]).datasets[0]
        lines = [
            hd.pr.GraphicObject(
                graphic_type=hd.pr.GraphicTypeValues.POLYLINE,
                # PS3.3 C.10.5: pixel (1, 1) is the middle of the first
                graphic_data=np.array(note.points, float) + 1,
                units=hd.pr.AnnotationUnitsValues.PIXEL,
            )
            for note in several
        ]
        words = [
            hd.pr.TextObject(
                text_value=note.text,
                units=hd.pr.AnnotationUnitsValues.PIXEL,
                anchor_point=(note.points[0][0] + 1, note.points[0][1] + 1),
                anchor_point_visible=True,
            )
            for note in several
        ]
        words.append(
            hd.pr.TextObject(
                text_value=SHORT_NOTICE,
                units=hd.pr.AnnotationUnitsValues.DISPLAY,
                bounding_box=(0.0, 0.95, 1.0, 1.0),
                text_justification=hd.pr.TextJustificationValues.LEFT,
            )
        )
        found.append(
            hd.pr.GraphicAnnotation(
                referenced_images=[image],
                graphic_layer=layer,
                graphic_objects=lines,
                text_objects=words,
            )
        )
    return found
