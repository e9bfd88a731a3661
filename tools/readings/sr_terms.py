"""Names that a reading has in DICOM structured reports, the same out and in.

Items, answers and details are of a private coding scheme (PS3.16 8.2); a code above 16 characters
is a long code value (PS3.3 8.1).
"""

SCHEME = "99EPICRISIS"
"""That of `knowledge/data/dicom_codes.yaml`."""

STATE, WHY, SAID_BY = "reading-state", "reading-why", "reading-said-by"
SAID_WHO, SAID_AT, WHY_TEXT = "reading-said-who", "reading-said-at", "reading-why-text"
SIDE, ZONE, CHANGE, ANSWER, REMARK = (
    "reading-side",
    "reading-zone",
    "reading-change",
    "reading-answer",
    "reading-text",
)
SIZE, CERTAINTY, NUMBER = "reading-size", "reading-certainty", "reading-number"
MARGIN = "reading-margin"
ABOUT, EDIT = "reading-about", "reading-edit"
ENTRY = "reading-entry"
CATEGORY = "reading-category"
MEANINGS = {
    STATE: "State",
    WHY: "Reason not assessed",
    WHY_TEXT: "Reason not assessed, in words",
    SAID_BY: "Kind of observer",
    SAID_WHO: "Observer",
    SAID_AT: "Time of the statement",
    SIDE: "Side",
    ZONE: "Zone",
    CHANGE: "Change",
    ANSWER: "Answer",
    REMARK: "Text",
    SIZE: "Size",
    CERTAINTY: "Certainty",
    NUMBER: "Number",
    MARGIN: "Number is known within",
    ABOUT: "About this reading",
    EDIT: "Earlier statement, replaced",
    ENTRY: "Entry",
    CATEGORY: "Category",
}
