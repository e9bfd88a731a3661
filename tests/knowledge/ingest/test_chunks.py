import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.ingest.chunks import LONGEST_WORDS, SHORTEST_WORDS, chunks, sentences, words
from knowledge.ingest.extracted import Extracted, Format, PageText, assembled

PARAGRAPHS = st.lists(
    st.tuples(st.text(max_size=400), st.integers(0, 3), st.integers(0, 2)), max_size=12
)
WORDS = ("aspirin", "troponin,", "ECG", "e.g.", "0.5", "mg.", "NSTEMI!", "(why?)", "胸痛。")
LATIN = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(WORDS),
            max_size=400,
        ).map(" ".join),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=8,
)


def document(blocks: list[tuple[str, int, int]]) -> Extracted:
    """A document of (text, heading level, page) blocks."""
    pages = [PageText(number=n + 1, index=n) for n in range(3)]
    for text, level, page in sorted(blocks, key=lambda b: b[2]):
        pages[page].add(text, level=level)
    return assembled(Format.PDF, pages)


@given(st.one_of(PARAGRAPHS, LATIN))
def test_every_character_is_in_one_passage_or_in_a_heading(
    blocks: list[tuple[str, int, int]],
) -> None:
    read = document(blocks)
    found = chunks(read)
    for index, page in enumerate(read.pages):
        spans = sorted((c.start, c.end) for c in found if c.page == index)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
        covered = {i for start, end in spans for i in range(start, end)}
        for block in (b for b in read.blocks if b.page == index and b.level == 0):
            text = page.text
            missing = [
                i
                for i in range(block.start, block.end)
                if i not in covered and not text[i].isspace()
            ]
            assert missing == []
        headings = {heading for c in found for heading in c.heading}
        for block in (b for b in read.blocks if b.page == index and b.level):
            title = " ".join(page.text[block.start : block.end].split())
            assert title in headings or covered.issuperset(
                i for i in range(block.start, block.end) if not page.text[i].isspace()
            )


@given(LATIN)
def test_no_passage_is_longer_than_the_encoder_reads(blocks: list[tuple[str, int, int]]) -> None:
    read = document(blocks)
    for chunk in chunks(read):
        text = read.pages[chunk.page].text[chunk.start : chunk.end]
        assert words(text) <= LONGEST_WORDS
        assert text == text.strip()
        assert text


@given(LATIN)
def test_the_same_document_gives_the_same_passages(blocks: list[tuple[str, int, int]]) -> None:
    assert chunks(document(blocks)) == chunks(document(blocks))


def test_short_paragraphs_under_one_heading_join_and_long_ones_are_cut_between_sentences() -> None:
    sentence = "Repeat the measurement of troponin after one hour in every patient. "
    read = document([("Troponin", 1, 0), (sentence * 30, 0, 0)])
    texts = [read.pages[c.page].text[c.start : c.end] for c in chunks(read)]
    assert all(text.endswith("patient.") and text.startswith("Repeat") for text in texts)
    assert all(SHORTEST_WORDS <= words(text) <= LONGEST_WORDS for text in texts)
    assert {c.heading for c in chunks(read)} == {("Troponin",)}


def test_headings_are_a_path_and_go_on_over_pages() -> None:
    read = document(
        [
            ("Chest pain", 1, 0),
            ("Tests", 2, 0),
            ("Record an ECG.", 0, 0),
            ("Measure troponin.", 0, 1),
            ("Therapy", 1, 1),
            ("Give aspirin.", 0, 1),
        ]
    )
    assert [c.heading for c in chunks(read)] == [
        ("Chest pain", "Tests"),
        ("Chest pain", "Tests"),
        ("Therapy",),
    ]


def test_a_heading_with_nothing_under_it_is_a_passage() -> None:
    read = document([("Do not discharge on one early sample", 2, 0)])
    assert [read.pages[0].text[c.start : c.end] for c in chunks(read)] == [
        "Do not discharge on one early sample"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One. Two.", ["One.", "Two."], id="two"),
        pytest.param(
            "Give e.g. aspirin now. Then wait.",
            ["Give e.g. aspirin now.", "Then wait."],
            id="abbreviation",
        ),
        pytest.param("At 0.5 mg. Then 1.0 mg.", ["At 0.5 mg.", "Then 1.0 mg."], id="decimals"),
        pytest.param(
            "See Fig. 3 and Smith et al. (2020). End.",
            ["See Fig. 3 and Smith et al. (2020).", "End."],
            id="figure",
        ),
        pytest.param("Is it safe? Yes! Go.", ["Is it safe?", "Yes!", "Go."], id="marks"),
        pytest.param("立即做心电图。复查肌钙蛋白！", ["立即做心电图。", "复查肌钙蛋白！"], id="zh"),  # noqa: RUF001
        pytest.param("No stop at all", ["No stop at all"], id="none"),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text, 0, len(text))] == expected


def test_chinese_counts_in_words_not_characters() -> None:
    assert words("肌钙蛋白升高") == pytest.approx(6 / 1.7)
    assert re.fullmatch(r"\w+", "肌钙蛋白升高")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("." * 300_000, id="dots"),
        pytest.param("a" * 300_000, id="one word"),
        pytest.param("no stop " * 40_000, id="no stop"),
        pytest.param("e.g. " * 60_000, id="abbreviations"),
    ],
)
def test_a_text_without_end_is_cut_and_does_not_hang(text: str) -> None:
    read = document([(text, 0, 0)])
    longest = max(c.end - c.start for c in chunks(read))
    assert longest <= LONGEST_WORDS * 41
