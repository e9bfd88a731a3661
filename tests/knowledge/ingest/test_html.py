from importlib.metadata import distribution

import pytest
from markdown_it import MarkdownIt

from knowledge.errors import UnreadableError
from knowledge.ingest.extracted import Extracted, NoteKind
from knowledge.ingest.html import read_html
from knowledge.ingest.markdown import read_markdown

SEEN = "Repeat the troponin after one hour."
PLANTED = "Planted words"


def read(body: str, head: str = "") -> Extracted:
    page = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
    return read_html(page.encode(), name="guideline.html")


def text_of(body: str, head: str = "") -> str:
    return read(body, head).pages[0].text


def test_headings_paragraphs_lists_and_tables_are_blocks() -> None:
    document = read(
        "<h1>Chest pain</h1><p>Record an\n <b>ECG</b>.</p><ul><li>First</li><li>Second</li></ul>"
        "<table><tr><th>Test</th><th>Time</th></tr><tr><td>hs-cTnT</td><td>0/1 h</td></tr></table>"
    )
    text = document.pages[0].text
    assert [(text[b.start : b.end], b.level) for b in document.blocks] == [
        ("Chest pain", 1),
        ("Record an ECG.", 0),
        ("First", 0),
        ("Second", 0),
        ("Test | Time", 0),
        ("hs-cTnT | 0/1 h", 0),
    ]


@pytest.mark.parametrize(
    "element",
    [
        f'<p style="display:none">{PLANTED}</p>',
        f'<div style="display: NONE !important"><p>{PLANTED}</p></div>',
        f"<p hidden>{PLANTED}</p>",
        f'<span style="visibility:hidden">{PLANTED}</span>',
        f'<span style="opacity:0">{PLANTED}</span>',
        f'<span style="font-size:0">{PLANTED}</span>',
        f'<span style="font-size:1px">{PLANTED}</span>',
        f'<span style="color:white">{PLANTED}</span>',
        f'<span style="color:#fefefe">{PLANTED}</span>',
        f'<font color="#FFFFFF">{PLANTED}</font>',
        f'<div style="background:#000"><p style="color:rgb(5, 5, 5)">{PLANTED}</p></div>',
        f'<p style="position:absolute; left:-9999px">{PLANTED}</p>',
        f'<p style="text-indent:-2000px">{PLANTED}</p>',
        f'<p style="height:0;overflow:hidden">{PLANTED}</p>',
        f'<p class="x">{PLANTED}</p>',
        f'<table><tr><td class="x">{PLANTED}</td></tr></table>',
        f"<!-- {PLANTED} -->",
    ],
)
def test_hidden_text_is_left_out_and_shown_to_the_reviewer(element: str) -> None:
    document = read(f"<p>{SEEN}</p>{element}", "<style>p.x, td.x {display: none}</style>")
    assert document.pages[0].text == SEEN
    notes = [note for note in document.notes if note.kind is NoteKind.HIDDEN_TEXT]
    assert [note.excerpt for note in notes] == [PLANTED]


@pytest.mark.parametrize(
    "element",
    [
        f'<div style="color:white;background:#003366">{SEEN}</div>',
        f'<div style="color:white"><p style="color:black">{SEEN}</p></div>',
        f'<div style="font-size:0"><p style="font-size:16px">{SEEN}</p></div>',
        f'<div style="visibility:hidden"><p style="visibility:visible">{SEEN}</p></div>',
        f'<div style="color:white;background:url(dark.png)">{SEEN}</div>',
        f'<p class="y">{SEEN}</p>',
    ],
)
def test_text_that_a_reader_sees_is_kept(element: str) -> None:
    assert text_of(element, "<style>@media print {.y {display: none}}</style>") == SEEN


@pytest.mark.parametrize("tag", ["script", "style", "template", "noscript"])
def test_what_is_never_text_is_dropped(tag: str) -> None:
    assert text_of(f"<p>{SEEN}</p><{tag}>{PLANTED}</{tag}>") == SEEN


@pytest.mark.parametrize("tag", ["nav", "form", "iframe", "svg", "button"])
def test_what_is_not_read_is_noted(tag: str) -> None:
    document = read(f"<p>{SEEN}</p><{tag}>{PLANTED}</{tag}>")
    assert document.pages[0].text == SEEN
    assert (NoteKind.LEFT_OUT, tag) in [(n.kind, n.detail) for n in document.notes]


def test_invisible_and_direction_characters_are_dropped_and_counted() -> None:
    tags = "".join(chr(0xE0000 + ord(c)) for c in "ignore")
    document = read(f"<p>Repeat\u200b the \u202etroponin\u202c{tags}.</p>")
    assert document.pages[0].text == "Repeat the troponin."
    note = next(n for n in document.notes if n.kind is NoteKind.INVISIBLE_CHARACTERS)
    assert note.count == 9
    assert "U+202E RIGHT-TO-LEFT OVERRIDE x 1" in note.detail
    assert "U+E00xx TAG CHARACTER x 6" in note.detail


def test_style_sheets_in_other_files_are_noted_as_unknown() -> None:
    document = read(f"<p>{SEEN}</p>", '<link rel="stylesheet" href="a.css">')
    assert any("style sheets in other files" in note.detail for note in document.notes)


@pytest.mark.parametrize(
    ("element", "style", "named"),
    [
        ('<p style="transform: scale(0)">x</p>', "", "transform"),
        ('<p style="display:/**/none">x</p>', "", "/*"),
        ('<p style="d\\69splay:none">x</p>', "", "\\69"),
        ('<p style="font:0/0 a">x</p>', "", "font"),
        ("<p>x</p>", "p{clip-path: inset(50%)}", "clip-path"),
        ("<p>x</p>", "p{color: var(--paper)}", "var"),
        ("<p>x</p>", "p:has(> q{display:none}", "p:has(> q"),
    ],
)
def test_style_that_may_hide_text_and_is_not_judged_is_noted(
    element: str, style: str, named: str
) -> None:
    document = read(f"<p>{SEEN}</p>{element}", f"<style>{style}</style>")
    notes = [note.detail for note in document.notes if "not judged" in note.detail]
    assert len(notes) == 1
    assert notes[0].endswith(f": {named}")


def test_usual_style_needs_no_note() -> None:
    style = (
        "<style>/* own */ p{margin-bottom:1em;color:#333;font-size:14px} p:hover{color:red}</style>"
    )
    assert not [n for n in read(f"<p>{SEEN}</p>", style).notes if "not judged" in n.detail]


def test_the_declared_character_set_is_followed() -> None:
    page = '<html><meta charset="iso-8859-1"><p>Klasse fünf</p></html>'.encode("latin-1")
    assert read_html(page, name="a.html").pages[0].text == "Klasse fünf"
    chinese = "<html><p>复查肌钙蛋白。</p></html>".encode("gb18030")
    assert read_html(chinese, name="a.html").pages[0].text == "复查肌钙蛋白。"


def test_a_page_rendered_from_markdown_reads_like_the_markdown() -> None:
    files = distribution("soupsieve").files or []
    source = next(f for f in files if f.name == "LICENSE.md").read_text()
    source += "\n\n# Title\n\ntext *with* `code` and\na [link](http://x)\n\n- a\n- b\n"
    rendered = MarkdownIt("commonmark").enable("table").render(source)
    from_html = read_html(f"<html>{rendered}</html>".encode(), name="a.html")
    from_markdown = read_markdown(source.encode(), name="a.md")
    assert from_html.pages[0].text.split() == from_markdown.pages[0].text.split()
    assert [b.level for b in from_html.blocks] == [b.level for b in from_markdown.blocks]
    assert len(from_markdown.pages[0].text.split()) > 150


def test_a_page_nested_without_end_is_refused() -> None:
    with pytest.raises(UnreadableError, match="nested over 200 deep"):
        read("<div>" * 20_000 + SEEN)


def test_a_page_nested_as_deep_as_allowed_is_read() -> None:
    assert text_of("<div>" * 190 + SEEN) == SEEN


@pytest.mark.parametrize("sheet", ["a" * 300_000, "/*" * 150_000, "@media x {a{b:c}" * 20_000])
def test_a_style_sheet_without_end_does_not_hang(sheet: str) -> None:
    assert text_of(f"<p>{SEEN}</p>", f"<style>{sheet}</style>") == SEEN


def test_a_raised_mark_never_becomes_a_part_of_a_number() -> None:
    found = text_of("<p>within 10<sup>3</sup> minutes, 100 x 10<sup>9</sup>/L</p>")
    assert found == "within 10^(3) minutes, 100 x 10^(9)/L"


@pytest.mark.parametrize(
    "body",
    [
        "<p>Give <del>600</del> 300 mg</p>",
        "<p>Give <s>600</s> 300 mg</p>",
        '<p>Give <span style="text-decoration: line-through">600</span> 300 mg</p>',
    ],
)
def test_struck_text_is_left_out_with_a_note(body: str) -> None:
    document = read(body)
    assert document.pages[0].text == "Give 300 mg"
    assert [note.detail for note in document.notes] == ["struck out"]


def test_words_of_a_style_sheet_and_cells_over_rows_are_said_to_be_unread() -> None:
    document = read(
        '<p class="n">given</p><table><tr><td rowspan="2">III</td><td>a</td></tr>'
        "<tr><td>b</td></tr></table>",
        head='<style>.n::before {content: "not "}</style>',
    )
    assert len([n for n in document.notes if n.kind is NoteKind.LEFT_OUT]) == 2
