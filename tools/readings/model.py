"""A structured reading: the state of every item, and who says it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from knowledge.finding import NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.reading_items import Zone

By = Literal["model", "measurement", "reader", "prior"]
Side = Literal["left", "right", "both", "midline"]
Change = Literal["new", "larger", "stable", "smaller"]
Short = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
EntryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]


class Said(Frozen):
    """Who says something.

    Args:
        by: A plugged model, one of our measurements, a reader, or a prior reading.
        who: Model or tool with its version, the reader as the site names him, or the prior's id.
        at: When.
    """

    by: By
    who: Short
    at: AwareDatetime


class Stated(Frozen):
    """The state of one item.

    Args:
        state: A choice, number or text that was given is `present`.
        not_assessed: The reason; set exactly when the state is `not_assessed`.
        said: By whom; absent only where nobody looked (`missing`).
        side, zones, size_mm: Where and how large a sign is.
        certainty: Of the one who says it, 0 to 1.
        change: Against the prior, as the one who says it sees it.
        choices: Answers of a choice.
        number, unit: Of a number; UCUM.
        margin: The number is known within this only, in its unit, so that nearer to a limit it is
            on neither side; None for a number that is taken as it is.
        text: Of a text, or a remark beside any state.
        entries: Of a list.
    """

    state: State
    not_assessed: NotAssessed | None = None
    said: Said | None = None
    side: Side | None = None
    zones: tuple[Zone, ...] = ()
    size_mm: Annotated[FiniteFloat, Field(gt=0)] | None = None
    certainty: Annotated[FiniteFloat, Field(ge=0, le=1)] | None = None
    change: Change | None = None
    choices: tuple[str, ...] = ()
    number: FiniteFloat | None = None
    unit: str | None = None
    margin: Annotated[FiniteFloat, Field(gt=0)] | None = None
    text: Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)] = ""
    entries: tuple["Entry", ...] = ()

    @model_validator(mode="after")
    def _three_valued(self) -> Self:
        if (self.state is State.NOT_ASSESSED) != (self.not_assessed is not None):
            raise ValueError("a reason is given exactly when the state is not_assessed")
        if self.said is None and not self.nobody_looked:
            raise ValueError("it is not said who says so")
        if self.state is not State.PRESENT and self.has_details:
            raise ValueError("only what is present has a place, a size, a change or a value")
        if (self.number is None) != (self.unit is None):
            raise ValueError("a number and its unit go together")
        if self.margin is not None and self.number is None:
            raise ValueError("a margin belongs to a number")
        ids = [entry.id for entry in self.entries]
        if len(set(ids)) != len(ids):
            raise ValueError("two entries have one id")
        return self

    @property
    def has_details(self) -> bool:
        """Whether anything is said beyond the state."""
        given = (self.side, self.size_mm, self.change, self.number)
        return any(part is not None for part in given) or bool(
            self.zones or self.choices or self.entries
        )

    @property
    def nobody_looked(self) -> bool:
        """Whether the item is untouched."""
        return self.not_assessed is not None and self.not_assessed.why is Why.MISSING

    @property
    def unconfirmed(self) -> bool:
        """Whether only a model, a measurement or a prior reading says so."""
        return (
            self.state is not State.NOT_ASSESSED and self.said is not None
        ) and self.said.by != "reader"


class Entry(Frozen):
    """One thing of a list: a nodule, an eye.

    Args:
        id: Kept from one version to the next, and from the prior reading where it is the same.
        items: By item id.
    """

    id: EntryId
    items: Mapping[str, Stated] = Field(default_factory=dict)


NOBODY = Stated(
    state=State.NOT_ASSESSED,
    not_assessed=NotAssessed(why=Why.MISSING, detail="nobody has looked"),
)
"""An item that nobody has touched."""


class Subject(Frozen):
    """Who was examined.

    Args:
        id: The patient's identifier in the system that `issuer` names.
        issuer: Who gave it; empty where that is not known.
        age_years: At the examination.
        sex: As recorded.
    """

    id: Short
    issuer: str = ""
    age_years: Annotated[FiniteFloat, Field(ge=0, le=130)] | None = None
    sex: Literal["female", "male", "other", "unknown"] = "unknown"


class Study(Frozen):
    """What was read.

    Args:
        study_uid: Study Instance UID.
        modality: DICOM code.
        done: When the images were made.
        accession: Accession number; empty where there is none.
        images: Instances that were read: SOP class, series and instance UID.
    """

    study_uid: Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]
    modality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,16}$")]
    done: AwareDatetime | None = None
    accession: Annotated[str, StringConstraints(max_length=64)] = ""
    images: tuple["Image", ...] = ()

    @field_validator("images")
    @classmethod
    def _by_series(cls, images: tuple["Image", ...]) -> tuple["Image", ...]:
        """Return the images of one series side by side, in the order given."""
        order = list(dict.fromkeys(image.series_uid for image in images))
        return tuple(sorted(images, key=lambda image: order.index(image.series_uid)))


class Image(Frozen):
    """One DICOM instance."""

    sop_class_uid: str
    series_uid: str
    sop_uid: str


class Edit(Frozen):
    """What one version changed.

    Args:
        version: That it made.
        path: ``item`` or ``list/entry/item``.
        before: What stood there.
        by, at: Who changed it, and when.
    """

    version: PositiveInt
    path: str
    before: Stated
    by: Short
    at: AwareDatetime


class Accepted(Frozen):
    """What a reader was asked to look at again, and has confirmed as stated.

    Args:
        key: Of the form's contradiction, with the entry of its list: ``id`` or ``id/entry``.
        said: By whom; only a reader confirms.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(/[A-Za-z0-9_-]{1,40})?$")]
    said: Said


class Reading(Frozen):
    """One version of one reading; a change makes a new one.

    Args:
        id: The same for all versions.
        version: From 1.
        form, form_version: Which form.
        form_sha256: Of the form's file, for replay.
        status: ``final`` only once a reader has signed.
        signed: By whom; set exactly when final.
        started: When it was made, and by whom.
        subject, study: Of whom and of what.
        prior: Id of the reading it was compared with.
        items: State of every item of the form.
        edits: Everything that was changed, in order.
        accepted: What was to be looked at again and was confirmed; an edit of what it rests on
            takes it away.
    """

    schema_name: Literal["epicrisis/reading/1"] = Field(
        default="epicrisis/reading/1", alias="schema"
    )
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
    version: PositiveInt = 1
    form: str
    form_version: str
    form_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    status: Literal["preliminary", "final"] = "preliminary"
    signed: Said | None = None
    started: Said
    subject: Subject
    study: Study
    prior: str | None = None
    items: Mapping[str, Stated]
    edits: tuple[Edit, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    @model_validator(mode="after")
    def _signed_by_a_reader(self) -> Self:
        if (self.status == "final") != (self.signed is not None):
            raise ValueError("a final reading is signed, and no other")
        if self.signed is not None and self.signed.by != "reader":
            raise ValueError("only a reader signs")
        if any(one.said.by != "reader" for one in self.accepted):
            raise ValueError("only a reader confirms what is to be looked at again")
        return self

    def at(self, path: str) -> Stated:
        """Return what stands at ``item`` or ``list/entry/item``; untouched where nothing does."""
        first, _, rest = path.partition("/")
        stated = self.items.get(first, NOBODY)
        if not rest:
            return stated
        entry_id, _, part = rest.partition("/")
        entry = next((e for e in stated.entries if e.id == entry_id), None)
        return NOBODY if entry is None else entry.items.get(part, NOBODY)

    @property
    def last_change(self) -> datetime:
        """When this version was made."""
        times = [self.started.at, *(edit.at for edit in self.edits)]
        times += [one.said.at for one in self.accepted]
        return max([*times, self.signed.at] if self.signed is not None else times)
