import zipfile
from io import BytesIO
from typing import Any

import pytest
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.ingest.docx import read_docx
from knowledge.ingest.extracted import Extracted, NoteKind
from knowledge.settings import Settings

SETTINGS = Settings()
PLANTED = "Planted words"


def saved(document: Any) -> bytes:
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def read(document: Any) -> Extracted:
    return read_docx(saved(document), name="guideline.docx", settings=SETTINGS)


def test_headings_paragraphs_and_tables_come_in_the_order_of_the_body() -> None:
    document = Document()
    document.add_heading("Chest pain", level=0)
    document.add_heading("Tests", level=2)
    document.add_paragraph("Record an ECG.")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "hs-cTnT", "0/1 h"
    document.add_paragraph("Measure troponin.")
    found = read(document)
    text = found.pages[0].text
    assert [(text[b.start : b.end], b.level) for b in found.blocks] == [
        ("Chest pain", 1),
        ("Tests", 2),
        ("Record an ECG.", 0),
        ("hs-cTnT | 0/1 h", 0),
        ("Measure troponin.", 0),
    ]
    assert found.pages[0].number is None


def test_the_text_agrees_with_python_docx() -> None:
    document = Document()
    for number in range(30):
        paragraph = document.add_paragraph(f"Sentence {number} is")
        paragraph.add_run(" partly bold").bold = True
        paragraph.add_run(" and goes on.")
    theirs = [paragraph.text for paragraph in Document(BytesIO(saved(document))).paragraphs]
    assert read(document).pages[0].text.split("\n\n") == theirs


def _hide(run: Any) -> None:
    run.font.hidden = True


def _whiten(run: Any) -> None:
    run.font.color.rgb = RGBColor(255, 255, 255)


def _shrink(run: Any) -> None:
    run.font.size = Pt(1)


@pytest.mark.parametrize("make_unseen", [_hide, _whiten, _shrink])
def test_hidden_text_is_left_out_and_shown_to_the_reviewer(make_unseen: Any) -> None:
    document = Document()
    paragraph = document.add_paragraph("Repeat the troponin.")
    make_unseen(paragraph.add_run(PLANTED))
    found = read(document)
    assert found.pages[0].text == "Repeat the troponin."
    notes = [note for note in found.notes if note.kind is NoteKind.HIDDEN_TEXT]
    assert [note.excerpt for note in notes] == [PLANTED]


def test_white_text_on_a_shaded_cell_is_seen() -> None:
    document = Document()
    cell = document.add_table(rows=1, cols=1).rows[0].cells[0]
    shading = OxmlElement("w:shd")
    shading.set(qn("w:fill"), "003366")
    cell._tc.get_or_add_tcPr().append(shading)
    _whiten(cell.paragraphs[0].add_run("Class I"))
    assert read(document).pages[0].text == "Class I"


def test_deleted_text_is_left_out_inserted_text_is_taken_in_and_both_are_noted() -> None:
    document = Document()
    paragraph = document.add_paragraph("Wait ")
    for tag, text_tag, text in (("w:del", "w:delText", "two"), ("w:ins", "w:t", "one")):
        change, run, inner = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(text_tag)
        inner.text = text
        run.append(inner)
        change.append(run)
        paragraph._p.append(change)
    found = read(document)
    assert found.pages[0].text == "Wait one"
    details = {note.detail for note in found.notes}
    assert {
        "tracked changes: deletions, left out",
        "tracked changes: insertions, taken in",
    } <= details


def test_a_compression_bomb_is_refused_before_it_is_opened() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * (32 << 20))
    with pytest.raises(TooLargeError, match="times its size"):
        read_docx(content.getvalue(), name="a.docx", settings=SETTINGS)


def test_a_part_over_the_limit_is_refused() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("word/document.xml", b"\0" * (2 << 20))
    with pytest.raises(TooLargeError, match="over 1 MiB"):
        read_docx(content.getvalue(), name="a.docx", settings=Settings(max_file_mib=1))


def test_entities_are_not_expanded() -> None:
    source = saved(Document())
    body = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        b"<w:body><w:p><w:r><w:t>Seen &e;</w:t></w:r></w:p></w:body></w:document>"
    )
    found = read_docx(_with_body(source, body), name="a.docx", settings=SETTINGS)
    assert found.pages[0].text == "Seen"


@pytest.mark.parametrize("body", [b"not xml", b"<a/>", b""])
def test_a_damaged_body_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="damaged"):
        read_docx(_with_body(saved(Document()), body), name="a.docx", settings=SETTINGS)


def test_a_truncated_file_is_refused() -> None:
    with pytest.raises(UnreadableError, match="damaged"):
        read_docx(saved(Document())[:2000], name="a.docx", settings=SETTINGS)


def _with_body(source: bytes, body: bytes) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(source)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, body if name == "word/document.xml" else old.read(name))
    return target.getvalue()


def test_raised_and_struck_runs_never_join_the_numbers_beside_them() -> None:
    document = Document()
    paragraph = document.add_paragraph("within 10")
    paragraph.add_run("3").font.superscript = True
    paragraph.add_run(" minutes, ")
    paragraph.add_run("600").font.strike = True
    paragraph.add_run("300 mg")
    found = read(document)
    assert found.pages[0].text == "within 10^(3) minutes, 300 mg"
    assert [note.detail for note in found.notes] == ["struck out"]
