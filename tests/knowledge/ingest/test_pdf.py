import re
from collections import Counter
from importlib.metadata import distribution
from io import BytesIO

import pypdfium2  # type: ignore[import-untyped]
import pytest
from matplotlib.figure import Figure

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.ingest.extracted import Extracted, Note, NoteKind
from knowledge.ingest.pdf import read_pdf
from knowledge.settings import Settings
from tests.knowledge.ingest.pdf_files import page_text, pdf, protected

SETTINGS = Settings()
SEEN = "Repeat the troponin after one hour."


def read(content: bytes) -> Extracted:
    return read_pdf(content, name="guideline.pdf", settings=SETTINGS)


def hidden(document: Extracted) -> list[Note]:
    return [note for note in document.notes if note.kind is NoteKind.HIDDEN_TEXT]


def licence_text() -> str:
    """A real text of some length: the licence of an installed package."""
    files = distribution("numpy").files or []
    path = next(f for f in files if f.name.startswith("LICENSE"))
    return "".join(c for c in path.read_text() if c.isascii())


def test_pages_have_the_text_that_was_put_on_them() -> None:
    document = read(pdf(page_text("First page."), page_text("Second page.")))
    assert [(p.number, p.text) for p in document.pages] == [(1, "First page."), (2, "Second page.")]


def test_every_word_of_a_real_text_set_by_matplotlib_is_found() -> None:
    lines = licence_text().splitlines()[:60]
    figure = Figure(figsize=(8.27, 11.69))
    figure.text(0.05, 0.98, "\n".join(lines), va="top", size=8, parse_math=False)
    file = BytesIO()
    figure.savefig(file, format="pdf")
    words = Counter(re.findall(r"\w+", " ".join(lines)))
    found = Counter(re.findall(r"\w+", read(file.getvalue()).pages[0].text))
    assert sum(words.values()) > 250
    assert found == words


def test_the_words_agree_with_pdfiums_own_text() -> None:
    lines = [line.strip() for line in licence_text().splitlines()[:40]]
    content = pdf(page_text("\n".join(lines), size=9, y=780))
    theirs = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    assert read(content).pages[0].text.split() == theirs.split()


def test_larger_type_is_a_heading_and_a_wide_gap_begins_a_paragraph() -> None:
    document = read(
        pdf(
            page_text("Acute chest pain", y=780, size=16)
            + page_text("Record an ECG within\nten minutes.", y=750)
            + page_text("Repeat it if pain returns.", y=690)
        )
    )
    text = document.pages[0].text
    assert [(text[b.start : b.end], b.level > 0) for b in document.blocks] == [
        ("Acute chest pain", True),
        ("Record an ECG within ten minutes.", False),
        ("Repeat it if pain returns.", False),
    ]


def test_a_word_broken_at_the_end_of_a_line_is_joined_where_it_stands_whole_elsewhere() -> None:
    document = read(
        pdf(page_text("Give antiplatelet drugs. The antiplate-\nlet drug and the ST-\nelevation."))
    )
    assert document.pages[0].text == (
        "Give antiplatelet drugs. The antiplatelet drug and the ST-elevation."
    )


@pytest.mark.parametrize(
    "unseen",
    [
        pytest.param(page_text("Planted words", y=500, before="1 1 1 rg"), id="white on white"),
        pytest.param(page_text("Planted words", y=500, before="0.97 g"), id="nearly white"),
        pytest.param(page_text("Planted words", y=500, mode=3), id="not painted"),
        pytest.param(page_text("Planted words", y=-300), id="below the page"),
        pytest.param(page_text("Planted words", y=500, size=0.5), id="half a point"),
        pytest.param(
            page_text("Planted words", y=500) + " 0 0 1 rg 50 480 400 60 re f", id="covered"
        ),
        pytest.param(
            "0 g 50 480 400 60 re f " + page_text("Planted words", y=500), id="black on black"
        ),
        pytest.param(page_text("Planted words", mode=3), id="not painted, over seen text"),
    ],
)
def test_text_that_a_reader_cannot_see_is_left_out_and_noted(unseen: str) -> None:
    document = read(pdf("0 g " + page_text(SEEN) + " " + unseen))
    assert document.pages[0].text == SEEN
    assert [note.excerpt for note in hidden(document)] == ["Planted words"]


def test_white_text_on_a_dark_ground_is_seen() -> None:
    bar = "0 0 0.5 rg 60 480 400 40 re f "
    document = read(pdf(bar + page_text(SEEN, y=500, before="1 1 1 rg")))
    assert document.pages[0].text == SEEN
    assert not hidden(document)


@pytest.mark.parametrize("page", ["/Rotate 90", "/Rotate 270", "/CropBox [50 400 500 800]"])
def test_turned_and_cropped_pages_are_judged_where_the_words_are_shown(page: str) -> None:
    shown = page_text(SEEN) + " " + page_text("Planted words", y=500, before="1 1 1 rg")
    document = read(pdf(shown, page=page))
    assert document.pages[0].text == SEEN
    assert [note.excerpt for note in hidden(document)] == ["Planted words"]


def test_the_text_of_a_recognised_scan_is_kept_and_noted() -> None:
    ink = " ".join(f"{72 + 6 * n} 700 2 7 re f" for n in range(30))
    document = read(pdf(f"0 g {ink} " + page_text(SEEN, mode=3)))
    assert document.pages[0].text == SEEN
    assert NoteKind.RECOGNISED in {note.kind for note in document.notes}


def test_running_heads_are_left_out_with_a_note() -> None:
    bodies = ["Aspirin first.", "Then the ECG.", "Then troponin.", "Then a score."]
    document = read(
        pdf(
            *(
                page_text("Local guideline 2025", y=800) + page_text(text) + page_text(str(n), y=40)
                for n, text in enumerate(bodies, start=1)
            )
        )
    )
    assert [page.text for page in document.pages] == bodies
    assert [note.excerpt for note in document.notes if note.kind is NoteKind.LEFT_OUT] == [
        f"Local guideline 2025 / {n}" for n in range(1, 5)
    ]


def test_a_page_without_text_among_others_is_noted() -> None:
    document = read(pdf(page_text(SEEN), "0 g 50 50 200 200 re f"))
    assert [(n.kind, n.page) for n in document.notes] == [(NoteKind.NO_TEXT, 2)]


def test_a_scan_without_text_is_refused() -> None:
    figure = Figure()
    figure.add_axes((0, 0, 1, 1)).imshow([[0, 1], [1, 0]])
    for axes in figure.axes:
        axes.set_axis_off()
    file = BytesIO()
    figure.savefig(file, format="pdf")
    with pytest.raises(UnreadableError, match="no text layer") as refused:
        read(file.getvalue())
    assert "OCR" in refused.value.way_out


def test_a_document_of_hidden_text_only_is_refused() -> None:
    with pytest.raises(UnreadableError, match="no text layer that a reader could see"):
        read(pdf(page_text("Planted words", before="1 1 1 rg")))


def test_a_password_is_named_as_the_reason() -> None:
    with pytest.raises(UnreadableError, match="protected by a password"):
        read(protected())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"%PDF-1.4\ngarbage", id="garbage"),
        pytest.param(b"%PDF-1.4\n", id="header only"),
        pytest.param(pdf(), id="no page"),
    ],
)
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(content)


def test_a_truncated_file_is_refused_or_read_as_far_as_its_pages_go() -> None:
    content = pdf(page_text(SEEN))
    for length in range(20, len(content), 40):
        try:
            text = read(content[:length]).pages[0].text
        except UnreadableError:
            continue
        assert SEEN.startswith(text)


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(TooLargeError, match="over 2 pages"):
        read_pdf(pdf(*[page_text(SEEN)] * 3), name="a.pdf", settings=Settings(max_document_pages=2))


def test_a_raised_mark_never_becomes_a_part_of_a_number() -> None:
    stream = "BT /F1 11 Tf 72 700 Td (within 10) Tj 7 Ts /F1 7 Tf (3) Tj 0 Ts /F1 11 Tf ( h) Tj ET"
    found = read_pdf(pdf(stream), name="a.pdf", settings=Settings())
    assert "within 10^(3) h" in found.pages[0].text
