"""Words of the pages of images: names of layers, what they say, why something is not shown."""

from collections.abc import Mapping

from serving.images.ct_layers import LUNGS
from serving.images.layers import FILM
from serving.images.slide_layers import BLUR, FOLDS, HEAT, TISSUE


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


WHY_NO_SCALE = (
    _("a picture without a header: its scale is not known"),
    _("the scale is stated for parts of the picture, which differ"),
    _("the pixel spacing is stated as 0 mm"),
    _("no pixel spacing is stated"),
    _("at the detector: longer than in the body"),
    _("a projection: longer than in the body"),
    _("calibrated (geometry) at one depth of the body"),
    _("calibrated (fiducial) at one depth of the body"),
)
"""What is said of the scale of an image, in the words of `tools.imaging.view.scale`."""

OWN_LAYERS: Mapping[str, str] = {
    FILM: _("lung fields and widths, as measured"),
    LUNGS: _("lungs, as measured"),
    TISSUE: _("tissue and pen"),
    BLUR: _("blur (unvalidated)"),
    FOLDS: _("folds (unvalidated)"),
    HEAT: _("weights of a plugged model"),
}
"""What the layers of our own measurements are called."""

LAYER_WORDS = (
    _("right lung field"),
    _("left lung field"),
    _("width of the heart"),
    _("width of the thorax"),
    _("lungs"),
    _("nodule, as measured"),
    _("an outline by threshold and shape: masses at the pleura are left out; review it"),
    _("measured where a person pointed; nothing was looked for"),
    _("right %s mL, left %s mL"),
    _("diameter %s mm (%s x %s mm)"),
    _("volume %s mm³"),
    _("type: solid"),
    _("type: part-solid"),
    _("type: ground glass"),
    _("volume not assessed: %s"),
    _("type not assessed: %s"),
    _("its centre is on picture %s"),
    _("approximate: review the overlay"),
    _("outlined: %s"),
    _("who outlined it is not stated"),
    _("as the file says; who drew it was not checked"),
    _("marks are on picture %s"),
    _("region"),
    _("tissue"),
    _("pen"),
    _("tissue: %s %% of what was scanned"),
    _("tissue: %s mm²"),
    _("no pen is seen"),
    _("not validated: look at the map, nothing is decided by it"),
    _("sharpest of the tiles looked at"),
    _("least detail of the tiles looked at"),
    _("as dark as one layer"),
    _("darker than one layer may be"),
    _("weighs least, by rank"),
    _("weighs most, by rank"),
    _("no probability, no finding, no outline of a tumour"),
    _("model: %s %s"),
    _("a demonstration, not validated"),
)
"""What layers say of themselves, in the words of `serving.images`."""

SHOWN_AS_STATED = _(
    'The grey is shown as the file says, and the film gate doubts it. In the viewer, "inverted" '
    "(key I) turns it round for the eye only: nothing is measured on this film."
)
"""What is said where light and dark of a film seem exchanged."""

LEFT_OUT: Mapping[str, str] = {
    "identity": _(
        "not shown to be of this patient: it says nothing of who it is of. "
        "Who knows that it is of this patient can state it below"
    ),
    "not comparable": _(
        "not shown to be of this patient: what it says of who it is of cannot be compared"
    ),
    "same": _("the same image as another file of the case"),
    "failed": _("cannot be used"),
    "not used": _("not used"),
}
"""Why picture files of a case are in no study."""

MAY_HOLD_MARKS = _(
    "may hold marks: they can be drawn over an image they refer to; nothing else of it is read"
)
"""What is said of a file that is no picture, and may be a layer over one."""

REASONS = (
    _("the file ends before its pixels"),
    _("the file ends early: part of its pixels is missing"),
    _("its compressed pixels end early"),
    _("every pixel has the same value: nothing is on it"),
    _("its pixels cannot be decoded here: JPEG of 12 bits"),
    _("is the label or overview picture of a slide: not shown"),
    _("the slide is damaged"),
    _("this part of the slide is damaged"),
    _("no slide that can be opened here"),
    _("not assessed: switched off"),
    _("no tissue is seen on it, no piece of 0.01 mm2 or more"),
    _("no multiple-instance model is plugged in"),
    _("no model was asked about this slide yet"),
    _("the model gives no weights"),
    _("does not refer to this slide"),
    _("does not refer to an image of this series"),
    _("lie outside of this slide"),
    _("do not say which of the slides of the case they are of"),
    _("holds no mark in the pixels of an image"),
    _("DICOM: annotations of a slide; kept, not read (give what it says in case.yaml)"),
    _("DICOM: a structured report; kept, not read (give what it says in case.yaml)"),
    _(
        "DICOM: a segmentation or registration of other images; kept, not read "
        "(give what it says in case.yaml)"
    ),
)
"""Why a picture is not shown, in the words of the errors; others are shown as they are."""
