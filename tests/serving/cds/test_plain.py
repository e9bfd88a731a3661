"""Whatever stands in a chart, the detail of a card has no live part: no HTML, image or link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from serving.cds.plain import LONGEST, bounded, bullets, md, short

HOSTILE = [
    "<img src=https://evil.example/x.png>",
    "<script>alert(1)</script>",
    "![x](https://evil.example/?d=patient)",
    "[click](javascript:alert(1))",
    "<https://evil.example>",
    "https://evil.example/leak",
    "www.evil.example",
    "mail me@evil.example",
    "# heading",
    "- list\n- more",
    "1. first",
    "| a | b |\n|---|---|",
    "```\ncode\n```",
    "[ref]: https://evil.example",
    "&lt;img&gt;",
    "\u202e\u200bhidden",
    "**bold** _it_ ~~no~~",
]
LIVE = {"a", "img", "script", "table", "code", "pre", "h1", "iframe"}


def tags(markdown: str) -> set[str]:
    """Return the HTML tags that a client makes of it, one that takes raw HTML and finds links."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
    found: set[str] = set()
    for token in parser.parse(markdown):
        for inner in (token, *(token.children or ())):
            if inner.type in ("html_block", "html_inline"):
                found.add("html")
            if inner.tag:
                found.add(inner.tag)
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    for shown in (md(text), bullets([md(text)]), f"**{md(text)}**"):
        assert not tags(shown) & (LIVE | {"html"}), shown
        assert "://" not in shown
        assert "www." not in shown
        assert "\n" not in md(text)


@given(st.text(max_size=300))
def test_no_text_at_all_becomes_live(text: str) -> None:
    shown = bullets([md(text)])
    assert not tags(shown) & (LIVE | {"html"})
    assert "://" not in shown


def test_a_limit_below_which_something_lies_stays_readable() -> None:
    assert md("troponin <3 ng/L, change +19 ng/L") == "troponin &lt;3 ng/L, change +19 ng/L"


@given(st.text(max_size=400))
def test_a_summary_is_always_under_140_characters(text: str) -> None:
    assert len(short(text)) < 140
    assert len(short(text, lead="High: ")) < 140


def test_a_cut_is_visible() -> None:
    assert short("word " * 60).endswith("…")
    assert md("x" * 2000).endswith("…")
    assert "Cut here" in bounded("line\n" * LONGEST)
