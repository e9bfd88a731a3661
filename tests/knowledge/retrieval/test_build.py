"""The same build has the same hash; one that was touched, or of older knowledge, is not used."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.retrieval import opening
from knowledge.retrieval.build import CURRENT, Manifest, checked_manifest, current
from knowledge.retrieval.collection import Collection, collect
from knowledge.retrieval.errors import EncoderUnavailableError, IndexDamagedError
from knowledge.retrieval.fake import FakeEncoder
from knowledge.retrieval.opening import build_index, index_folder, open_searcher
from knowledge.settings import Settings
from tests.knowledge.retrieval.passages import passage, small


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(opening, "encoder", lambda settings: FakeEncoder())
    return Settings(data_dir=tmp_path)


def _folder(settings: Settings) -> Path:
    found = current(index_folder(settings))
    assert found is not None
    return found


def _build(settings: Settings, encoder: FakeEncoder | None = None) -> Manifest:
    return build_index(settings, encoder or FakeEncoder(), collection=small())


def test_building_twice_gives_the_same_hash_and_the_same_bytes(
    settings: Settings, tmp_path: Path
) -> None:
    other = Settings(data_dir=tmp_path / "other")
    assert _build(settings).sha256 == _build(other).sha256 == _build(settings).sha256
    first, second = _folder(settings), _folder(other)
    for file in sorted(p for p in first.rglob("*") if p.is_file()):
        assert file.read_bytes() == (second / file.relative_to(first)).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: collect((*c.passages, passage("card:new#s1.en", "A new statement."))),
        lambda c: collect(c.passages[:-1]),
        lambda c: collect(c.passages, {"card:pe#s1.en": ("clot",)}),
    ],
    ids=["added", "removed", "other words"],
)
def test_other_knowledge_gives_another_hash(
    settings: Settings, change: Callable[[Collection], Collection]
) -> None:
    before = _build(settings).sha256
    after = build_index(settings, FakeEncoder(), collection=change(small()))
    assert after.sha256 != before
    assert index_folder(settings) / after.sha256 == _folder(settings)


def test_another_encoder_gives_another_hash(settings: Settings) -> None:
    assert _build(settings).sha256 != _build(settings, FakeEncoder("other")).sha256


def test_a_built_index_is_searched_with_vectors_and_carries_its_hash(settings: Settings) -> None:
    manifest = _build(settings)
    found = open_searcher(settings, collection=small())
    result = found.find("anticoagulation in PE")
    assert (result.mode, result.notices) == ("hybrid", ())
    assert found.sha256 == result.index_sha256 == manifest.sha256
    assert result.hits[0].passage.id == "card:pe#s1.en"


def test_where_nothing_is_built_the_search_is_by_words_and_says_how_to_build(
    settings: Settings,
) -> None:
    result = open_searcher(settings, collection=small()).find("PE")
    assert result.mode == "lexical"
    assert "epicrisis knowledge build" in result.notices[0]
    assert len(result.index_sha256) == 64


def test_what_was_withdrawn_after_the_build_is_not_found(settings: Settings) -> None:
    _build(settings)
    left = collect(p for p in small().passages if not p.id.startswith("doc:"))
    result = open_searcher(settings, collection=left).find("hospital repeats troponin women")
    assert not any(hit.passage.id.startswith("doc:") for hit in result.hits)
    assert "older knowledge" in result.notices[0]


def test_too_much_to_index_on_the_spot_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "IN_MEMORY", 3)
    with pytest.raises(UnavailableError, match="nothing is built"):
        open_searcher(settings, collection=small())


def test_an_index_built_with_another_encoder_than_the_settings_name_is_not_searched_with_it(
    settings: Settings,
) -> None:
    _build(settings, FakeEncoder("other"))
    with pytest.raises(UnavailableError, match="made with other, asked with fake"):
        open_searcher(settings, collection=small()).find("PE")


@pytest.mark.parametrize(
    "name", ["vectors.npy", "passages.jsonl", "lexical/vocab.index.json", "rows.npy"]
)
def test_a_changed_file_is_named_and_the_index_is_not_used(settings: Settings, name: str) -> None:
    _build(settings)
    file = _folder(settings) / name
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(IndexDamagedError, match=f"not as built: {name}"):
        open_searcher(settings, collection=small())


def test_a_missing_or_added_file_and_a_changed_manifest_are_found(settings: Settings) -> None:
    _build(settings)
    folder = _folder(settings)
    (folder / "extra").write_bytes(b"x")
    with pytest.raises(IndexDamagedError, match="extra"):
        checked_manifest(folder)
    (folder / "extra").unlink()
    (folder / "rows.npy").rename(folder.parent / "rows.npy")
    with pytest.raises(IndexDamagedError, match=r"rows\.npy"):
        checked_manifest(folder)
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"fake"', b'"real"'))
    with pytest.raises(IndexDamagedError, match="manifest was changed"):
        checked_manifest(folder)
    manifest.unlink()
    with pytest.raises(IndexDamagedError, match="cannot be read"):
        checked_manifest(folder)


@pytest.mark.parametrize("name", ["0" * 64, "../../etc", ""])
def test_a_pointer_to_no_build_is_an_error(settings: Settings, name: str) -> None:
    _build(settings)
    (index_folder(settings) / CURRENT).write_text(name)
    with pytest.raises(IndexDamagedError):
        open_searcher(settings, collection=small())


def test_a_build_that_fails_leaves_the_one_before_it_in_use(settings: Settings) -> None:
    before = _build(settings).sha256
    encoder = FakeEncoder()
    encoder.failing = True
    with pytest.raises(EncoderUnavailableError):
        _build(settings, encoder)
    assert _folder(settings).name == before
    assert {p.name for p in index_folder(settings).iterdir()} == {before, CURRENT}


def test_an_index_without_vectors_says_so(settings: Settings) -> None:
    manifest = build_index(settings, None, collection=small())
    assert manifest.vectors == 0
    result = open_searcher(settings, collection=small()).find("PE")
    assert result.mode == "lexical"
    assert "built without vectors" in result.notices[0]


def test_an_english_encoder_gives_the_chinese_wording_the_vector_of_the_english(
    settings: Settings,
) -> None:
    chinese_only = collect([*small().passages, passage("card:alone#s1.zh", "只有中文。", "zh")])
    encoder = FakeEncoder()
    manifest = build_index(settings, encoder, collection=chinese_only)
    assert manifest.vectors == len(small().passages)
    assert not any("只有中文" in text for text in encoder.asked)


def test_nothing_to_search_is_an_error(settings: Settings) -> None:
    with pytest.raises(InvalidValueError, match="no passage"):
        build_index(settings, FakeEncoder(), collection=collect([]))
