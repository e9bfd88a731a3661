# ruff: noqa: RUF001
"""What the readings of a case state, item by item, for whoever asks about an image.

Of a signed reading every item is told: present, absent, or not assessed with the reason. Of an
unsigned one only that it is there.
"""

from collections.abc import Iterator, Sequence

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import State
from knowledge.model import Frozen
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_words import reading_words
from knowledge.words import Language, Words
from tools.readings.in_case import CaseReading, ReadingFile
from tools.readings.names import path_name
from tools.readings.report import Block, Row, reading_report
from tools.readings.sentences import listed

_SIGNS = ("sign", "list")


class StatedItem(Frozen):
    """One item of a signed reading.

    Args:
        path: Of the item; empty for one of an entry of a list that nobody looked at.
        label: What it is called.
        section: Heading of the form that it stands under.
        state: Of what the reader says; what only a model says is not assessed.
        looked: Whether anybody looked at it.
        is_sign: Whether it can be present or absent; not a choice, a number or a text.
        text: The form's own sentence.
    """

    path: str = ""
    label: Words
    section: Words
    state: State
    looked: bool = True
    is_sign: bool = True
    text: Words


class StatedReading(Frozen):
    """A reading of a case with what it states.

    Args:
        file: Where it stands.
        title: Name of its form.
        study: Id of the imaging study of the case that it is of; empty for none.
        time: Of the examination.
        signed_by, signed_at: By whom and when; empty where it is not signed.
        items: In reading order; none of an unsigned reading.
        evidence: The file.
    """

    file: str
    title: Words
    study: str = ""
    time: ClinicalTime | None = None
    signed_by: str = ""
    signed_at: ClinicalTime | None = None
    items: tuple[StatedItem, ...] = ()
    evidence: tuple[Evidence, ...]

    @property
    def is_read(self) -> bool:
        """Whether it is signed and states anything at all."""
        return bool(self.signed_by) and any(
            item.state is not State.NOT_ASSESSED for item in self.items
        )


def stated_readings(
    listed_ones: Sequence[CaseReading], files: Sequence[ReadingFile]
) -> tuple[StatedReading, ...]:
    """Return the readings that are not replaced, with what the signed ones state.

    Args:
        listed_ones: The readings as a report lists them.
        files: Their files.
    """
    by_file = {one.file: one for one in files}
    return tuple(
        StatedReading(
            file=one.file,
            title=one.title,
            study=one.study,
            time=one.time,
            signed_by=one.signed_by if one.standing == "signed" else "",
            signed_at=one.signed_at if one.standing == "signed" else None,
            items=tuple(_items(by_file[one.file])) if one.standing == "signed" else (),
            evidence=(by_file[one.file].evidence,),
        )
        for one in listed_ones
        if one.standing != "superseded"
    )


def _items(one: ReadingFile) -> Iterator[StatedItem]:
    form = reading_form(one.reading.form)
    english = reading_report(one.reading, language="en").blocks
    chinese = reading_report(one.reading, language="zh").blocks
    for en, zh in zip(english, chinese, strict=True):
        yield from _of_block(form, en, zh, Words(en=en.heading, zh=zh.heading))


def _of_block(form: ReadingForm, en: Block, zh: Block, section: Words) -> Iterator[StatedItem]:
    for row, other in zip(en.rows, zh.rows, strict=True):
        told = _of_row(form, row, other, section)
        if section.en != en.heading:
            text = Words(en=f"{en.heading}: {told.text.en}", zh=f"{zh.heading}：{told.text.zh}")
            told = told.model_copy(update={"text": text})
        yield told
    for entry, same in zip(en.entries, zh.entries, strict=True):
        yield from _of_block(form, entry, same, section)
    for name, called in zip(en.not_looked_at, zh.not_looked_at, strict=True):
        inside = section.en != en.heading
        label = Words(
            en=f"{en.heading}, {name}" if inside else name,
            zh=f"{zh.heading}，{called}" if inside else called,
        )
        ids = (item.id for item in form.items.values() if item.label.en == name and not inside)
        yield StatedItem(
            path=next(ids, ""),
            label=label,
            section=section,
            state=State.NOT_ASSESSED,
            looked=False,
            text=_open(label, "missing"),
        )


def _of_row(form: ReadingForm, row: Row, other: Row, section: Words) -> StatedItem:
    paths = row.path.split(" ")
    label = Words(en=_label(form, paths, "en"), zh=_label(form, paths, "zh"))
    text = Words(en=row.text, zh=other.text)
    state = row.state
    if row.unconfirmed and state is not State.NOT_ASSESSED:
        state, text = State.NOT_ASSESSED, _open(label, "unconfirmed")
    return StatedItem(
        path=row.path,
        label=label,
        section=section,
        state=state,
        is_sign=all(form.item(path).kind in _SIGNS for path in paths),
        text=text,
    )


def _label(form: ReadingForm, paths: Sequence[str], language: Language) -> str:
    return listed([path_name(form, path, language) for path in paths], language)


def _open(label: Words, reason: str) -> Words:
    state, why = reading_words().states["not_assessed"], reading_words().reasons[reason]
    return Words(
        en=f"{label.en}: {state.en} ({why.en}).", zh=f"{label.zh}：{state.zh}（{why.zh}）。"
    )
