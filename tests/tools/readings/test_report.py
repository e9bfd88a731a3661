"""The report in reading order, in both languages, and what it never says."""

import re

import pytest

from knowledge.finding import NotAssessed, State, Why
from knowledge.plain_text import has_chinese
from knowledge.reading_form import ReadingForm, reading_form, reading_form_ids
from knowledge.reading_items import Item
from knowledge.reading_words import reading_words
from knowledge.words import Words
from serving.report.reading import reading_html
from tests.tools.readings.full import full_reading
from tests.tools.readings.made import MODEL, NOON, READER, reading
from tools.readings.compare import compared
from tools.readings.model import Said, Stated
from tools.readings.report import reading_report
from tools.readings.sentences import sentence
from tools.readings.text import markdown, plain
from tools.readings.versions import edited, signed

FORMS = reading_form_ids()
_SENTENCE = re.compile(r"[a-z]{3,}(?: [a-z]{3,}){2,}")
_NAME = re.compile(r"[^a-z]*(?:[a-z]{1,3}[^a-z]*)*")
"""A name, number or abbreviation: no word of four small letters."""


def _words(form: ReadingForm) -> list[Words]:
    found = [form.name, *(note.text for note in form.notes)]
    for section in form.sections:
        found.append(section.label)
        for item in section.items:
            for one in (item, *item.items):
                found += _of(one)
    for table in form.tables:
        found.append(table.label)
        for category in table.categories:
            found.append(category.label)
            found += [category.management] if category.management else []
        found += [row.because for row in table.rows]
    return found


def _of(item: Item) -> list[Words]:
    some = [item.label, item.present, item.absent, item.entry, *item.fixed.values()]
    return [w for w in some if w is not None] + [
        Words(en=a.en, zh=a.zh) for a in item.answers.values()
    ]


@pytest.mark.parametrize("form_id", FORMS)
def test_every_text_has_its_chinese(form_id: str) -> None:
    lacking = [
        words.en
        for words in _words(reading_form(form_id))
        if not (has_chinese(words.zh) or _NAME.fullmatch(words.zh)) or _SENTENCE.search(words.zh)
    ]
    assert lacking == []


def test_the_chest_film_asks_the_signs_of_the_list_in_reading_order() -> None:
    form = reading_form("chest_film")
    signs = [item for item in form.items.values() if item.kind == "sign"]
    assert len(signs) >= 50
    assert [section.id for section in form.sections] == [
        "technique", "devices", "thorax", "lungs", "mediastinum", "pleura", "other",
    ]  # fmt: skip
    sentences = [s.present.en for s in signs if s.present] + [
        s.absent.en for s in signs if s.absent
    ]
    assert len(sentences) == len(set(sentences)) == 2 * len(signs)


def test_the_order_who_says_it_and_what_nobody_looked_at() -> None:
    made = reading("chest_film", {"pneumothorax": "absent", "rotation": "present"})
    machine = Stated.model_validate({"state": "present", "said": MODEL, "certainty": 0.7})
    made = edited(made, {"atelectasis": machine}, by=MODEL)
    text = markdown(reading_report(made))
    order = ["The patient is rotated", "There is atelectasis (certainty 70 %)", "No pneumothorax"]
    places = [text.rindex(part) for part in order]
    assert places == sorted(places)
    assert "[model: finder 1.2; not confirmed by a reader]" in text
    assert "Not looked at: Tracheal tube, " in text
    assert "No pleural effusion" not in text, "what nobody looked at is never absent"
    assert "Research use only" in text


def test_signs_without_a_model_are_one_line_of_a_section_and_stay_in_the_reading() -> None:
    said = Said(by="measurement", who="film 1", at=NOON)
    why = NotAssessed(why=Why.NO_MODEL, detail="no validated model configured")
    silent = Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)
    form = reading_form("chest_film")
    signs = [item for item in form.items.values() if item.kind == "sign"]
    made = edited(reading("chest_film"), {item.id: silent for item in signs}, by=said)
    made = edited(made, {"pneumothorax": _absent()}, by=READER)
    text = plain(reading_report(made))
    lines = [line for line in text.splitlines() if line.startswith("  Not assessed (")]
    assert len(lines) == len([s for s in form.sections if any(i in signs for i in s.items)])
    assert all("Not assessed (no model configured: no valid" in line for line in lines)
    for item in (sign for sign in signs if sign.asked_when is None):
        named = [line for line in lines if f" {item.label.en}" in line]
        assert bool(named) == (item.id != "pneumothorax"), item.id
    assert "No pneumothorax" in text
    assert made.items["nodule"].not_assessed == why
    chinese = plain(reading_report(made, language="zh"))
    assert chinese.count("  未评估\uff08") == len(lines)


def _absent() -> Stated:
    return Stated(state=State.ABSENT, said=READER)


@pytest.mark.parametrize("end", ["", ".", "?", "\u3002"])
def test_a_text_that_ends_a_sentence_gets_no_second_stop(end: str) -> None:
    form = reading_form("chest_film")
    item = next(item for item in form.items.values() if item.kind == "text")
    given = Stated(state=State.PRESENT, text=f"Compare with March{end}", said=READER)
    assert sentence(item, given, "en") == f"{item.label.en}: Compare with March{end or '.'}"
    sign = form.item("nodule")
    remark = Stated(state=State.PRESENT, text="see note.", said=READER)
    assert sentence(sign, remark, "en").endswith("(see note).")


def test_management_stands_only_beside_one_category() -> None:
    text = plain(reading_report(reading("stroke_aspects")))
    assert "Management" not in text
    assert "not determined: one of" in text
    assert "still needed: " in text


@pytest.mark.parametrize("form_id", FORMS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_form_is_written_in_every_way(form_id: str, language: str) -> None:
    made = full_reading(form_id)
    before = made.model_copy(update={"id": "prior"})
    report = reading_report(made, language=language, comparison=compared(made, before))  # type: ignore[arg-type]
    html = reading_html(report)
    assert "<script" not in html
    assert "<b>clear</b>" not in html, "text from outside is no markup"
    for text in (markdown(report), plain(report), html):
        assert reading_words().headings["research"].read(language) in text  # type: ignore[arg-type]
        assert report.title[:4] in text


def test_a_signed_reading_says_by_whom() -> None:
    final = signed(reading("bone_age", {"hand": "left"}), by=READER)
    assert reading_report(final).status == "signed: Dr Reader, 2026-03-01 12:00 UTC"
    assert reading_report(reading("bone_age")).status == "preliminary, not signed"


def test_changes_are_told_with_what_stood_there() -> None:
    made = reading("bone_age", {"hand": "left"})
    right = Stated.model_validate({"state": "present", "said": READER, "choices": ["right"]})
    report = reading_report(edited(made, {"hand": right}, by=READER))
    assert report.edits == (
        "version 2, 2026-03-01 12:00 UTC, Dr Reader: Hand: left hand and wrist → "
        "right hand and wrist",
    )
    assert READER.at == NOON
