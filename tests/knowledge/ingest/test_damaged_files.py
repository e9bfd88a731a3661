from contextlib import suppress
from io import BytesIO

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import InputError
from knowledge.ingest.read import read
from knowledge.settings import Settings
from tests.knowledge.ingest.pdf_files import page_text, pdf


def docx() -> bytes:
    file = BytesIO()
    document = Document()
    document.add_heading("Chest pain", level=1)
    document.add_paragraph("Record an ECG.").add_run(" Now.").bold = True
    document.save(file)
    return file.getvalue()


FILES = {
    "a.pdf": pdf(page_text("Chest pain", size=16, y=780) + " " + page_text("Record an ECG.")),
    "a.docx": docx(),
    "a.html": b"<html><style>p.x{color:#fff}</style><h1>Chest pain</h1><p class=x>Now</p><p>ECG",
    "a.md": b"# Chest pain\n\nRecord an ECG. | a | b |\n\n- now\n",
}
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6), st.integers(0, 8)),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damage=DAMAGE)
def test_a_damaged_file_is_read_or_refused_but_breaks_nothing(
    name: str, damage: list[tuple[float, bytes, int]]
) -> None:
    content = FILES[name]
    for place, inserted, removed in damage:
        at = int(place * len(content))
        content = content[:at] + inserted + content[at + removed :]
    with suppress(InputError):
        found = read(content, name=name, settings=Settings())
        for chunk in found.passages:
            assert found.extracted.pages[chunk.page].text[chunk.start : chunk.end].strip()
