import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.ingest.extracted import Format, NoteKind
from knowledge.ingest.read import bytes_of, extract
from knowledge.ingest.sniff import sniff, text_of
from knowledge.settings import Settings
from tests.knowledge.ingest.pdf_files import page_text, pdf


def docx() -> bytes:
    file = BytesIO()
    document = Document()
    document.add_paragraph("Record an ECG.")
    document.save(file)
    return file.getvalue()


def archive(name: str) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        pytest.param(pdf(page_text("a")), "a.pdf", Format.PDF, id="pdf"),
        pytest.param(pdf(page_text("a")), "a.docx", Format.PDF, id="pdf called docx"),
        pytest.param(docx(), "a.docx", Format.DOCX, id="docx"),
        pytest.param(docx(), "a.html", Format.DOCX, id="docx called html"),
        pytest.param(b"<!DOCTYPE html><p>a", "a.html", Format.HTML, id="html"),
        pytest.param(b"\xef\xbb\xbf\n<HTML><p>a", "a.md", Format.HTML, id="html called md"),
        pytest.param(b"<!-- x -->\n<div>a</div>", "a.bin", Format.HTML, id="html by content"),
        pytest.param(b"# Title\n\ntext", "a.md", Format.MARKDOWN, id="markdown"),
        pytest.param("# 胸痛".encode("utf-16"), "a.md", Format.MARKDOWN, id="utf-16"),
    ],
)
def test_the_content_decides_the_format(content: bytes, name: str, expected: Format) -> None:
    assert sniff(content, name=name) is expected


@pytest.mark.parametrize(
    ("content", "name", "error", "words"),
    [
        pytest.param(b"", "a.pdf", UnreadableError, "is empty", id="empty"),
        pytest.param(b"  \n", "a.md", UnreadableError, "is empty", id="white space"),
        pytest.param(b"plain text", "a.pdf", UnreadableError, "not a PDF", id="text called pdf"),
        pytest.param(b"plain text", "a.docx", UnreadableError, "not a DOCX", id="text called docx"),
        pytest.param(b"plain text", "a.xyz", UnsupportedError, "unknown kind", id="unknown name"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00", "a.md", UnsupportedError, "binary", id="picture"),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a.docx",
            UnsupportedError,
            "password",
            id="protected or old Word file",
        ),
        pytest.param(
            archive("xl/workbook.xml"), "a.docx", UnsupportedError, "not a Word", id="spreadsheet"
        ),
        pytest.param(b"PK\x03\x04rest", "a.docx", UnreadableError, "damaged", id="broken archive"),
    ],
)
def test_what_is_not_taken_is_refused_with_the_reason(
    content: bytes, name: str, error: type[InputError], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        sniff(content, name=name)
    assert refused.value.way_out


def test_a_name_that_promises_another_format_is_noted() -> None:
    document = extract(pdf(page_text("Record an ECG.")), name="a.html", settings=Settings())
    assert document.format is Format.PDF
    assert document.notes[0].kind is NoteKind.NAME


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_text_is_read_in_its_usual_encodings(encoding: str) -> None:
    assert text_of("立即做心电图。".encode(encoding), name="a.md") == "立即做心电图。"


def test_text_of_an_unknown_encoding_is_refused_not_guessed() -> None:
    with pytest.raises(UnreadableError, match="unknown encoding"):
        text_of("Größe für später".encode("latin-1"), name="a.md")


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"a" * ((1 << 20) + 1))
    with pytest.raises(TooLargeError, match="over 1 MiB"):
        bytes_of(file, settings=Settings(max_file_mib=1))


def test_too_much_text_is_refused() -> None:
    with pytest.raises(TooLargeError, match="1 MiB of text"):
        extract(b"word " * 300_000, name="a.md", settings=Settings(max_document_mib=1))
