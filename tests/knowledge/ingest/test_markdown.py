from knowledge.ingest.extracted import NoteKind
from knowledge.ingest.markdown import read_markdown


def test_headings_tables_and_code_are_blocks() -> None:
    document = read_markdown(
        b"# Chest pain\n\nRecord an *ECG*.\n\n| Test | Time |\n|---|---|\n| hs-cTnT | 0/1 h |\n\n"
        b"```\nscore = 3\n```\n",
        name="a.md",
    )
    text = document.pages[0].text
    assert [(text[b.start : b.end], b.level) for b in document.blocks] == [
        ("Chest pain", 1),
        ("Record an ECG.", 0),
        ("Test | Time", 0),
        ("hs-cTnT | 0/1 h", 0),
        ("score = 3", 0),
    ]


def test_raw_html_and_comments_are_left_out_and_shown_to_the_reviewer() -> None:
    document = read_markdown(b"Wait.\n\n<!-- planted -->\n\nGo <b>now</b>.\n", name="a.md")
    assert document.pages[0].text == "Wait.\n\nGo now."
    (note,) = document.notes
    assert note.kind is NoteKind.LEFT_OUT
    assert note.excerpt == "<!-- planted --> / <b> / </b>"
    assert note.count == 3
