"""Markdown to blocks: what a reader of the rendered page would see."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.ingest.extracted import Extracted, Format, NoteKind, PageText, assembled
from knowledge.ingest.sniff import text_of

_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def read_markdown(content: bytes, *, name: str) -> Extracted:
    """Return the document; raw HTML within it is left out with a note.

    Raises:
        UnreadableError: Not text of a known encoding.
    """
    page = PageText(number=None, index=0)
    tokens = MarkdownIt("commonmark").enable("table").parse(text_of(content, name=name))
    level = 0
    cells: list[str] | None = None
    for token in tokens:
        match token.type:
            case "heading_open":
                level = _HEADINGS.get(token.tag, 0)
            case "heading_close":
                level = 0
            case "tr_open":
                cells = []
            case "tr_close":
                page.add(" | ".join(cells or ()))
                cells = None
            case "inline":
                text = _inline(token.children or (), page)
                if cells is None:
                    page.add(text, level=level)
                else:
                    cells.append(text)
            case "fence" | "code_block":
                page.add(token.content)
            case "html_block":
                page.left_out(NoteKind.LEFT_OUT, "raw HTML in Markdown", token.content)
            case _:
                pass
    return assembled(Format.MARKDOWN, [page])


def _inline(tokens: Sequence[Token], page: PageText) -> str:
    parts: list[str] = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                parts.append(token.content)
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "html_inline":
                page.left_out(NoteKind.LEFT_OUT, "raw HTML in Markdown", token.content)
            case "image":
                page.left_out(NoteKind.LEFT_OUT, "picture", token.content)
            case _:
                pass
    return "".join(parts)
