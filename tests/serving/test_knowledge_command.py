"""``epicrisis knowledge build|check|search|show`` over the packaged cards."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from knowledge.errors import EpicrisisError, InvalidValueError
from knowledge.retrieval import opening
from knowledge.retrieval.build import current
from knowledge.retrieval.collection import guideline_collection
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.fake import FakeEncoder
from knowledge.settings import Settings
from serving.commands import knowledge as command


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    for module in (opening, command):
        monkeypatch.setattr(module, "encoder", lambda *args, **more: FakeEncoder())
    app = typer.Typer()
    command.register(app)
    app.callback()(lambda: None)
    return app


def run(app: typer.Typer, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["knowledge", *arguments])
    if isinstance(result.exception, EpicrisisError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_a_build_is_searched_and_every_hit_shows_label_source_and_review(app: typer.Typer) -> None:
    assert "encoder fake" in run(app, "build")
    output = run(app, "search", "pulmonary embolism D-dimer", "--k", "3")
    assert output.count("Epicrisis summary of") + output.count("Epicrisis design choice") == 3
    assert output.count("Source: ") == output.count("Review: ") == 3
    assert "hybrid search of index" in output


def test_building_twice_gives_the_same_hash(app: typer.Typer) -> None:
    first, second = (json.loads(run(app, "build", "--json"))["sha256"] for _ in range(2))
    assert first == second


def test_a_search_without_a_build_says_that_it_is_by_words_alone(app: typer.Typer) -> None:
    output = run(app, "search", "troponin")
    assert "words alone" in output
    assert "epicrisis knowledge build" in output


def test_a_chinese_question_is_answered_in_chinese(app: typer.Typer) -> None:
    body = json.loads(run(app, "search", "肺栓塞 D-二聚体", "--json", "--k", "2"))
    assert [hit["passage"]["language"] for hit in body["hits"]] == ["zh", "zh"]
    assert body["mode"] == "lexical"
    assert body["notices"]


def test_filters_reach_the_search(app: typer.Typer) -> None:
    output = run(app, "search", "troponin", "--topic", "pe", "--language", "zh", "--json")
    hits = json.loads(output)["hits"]
    assert hits
    assert all("pe" in hit["passage"]["topics"] for hit in hits)
    assert all(hit["passage"]["language"] == "zh" for hit in hits)
    later = json.loads(run(app, "search", "troponin", "--from", "2023", "--k", "50", "--json"))
    assert all(hit["passage"]["published"] >= "2023" for hit in later["hits"])
    assert json.loads(run(app, "search", "troponin", "--kind", "original", "--json"))["hits"] == []


def test_no_hit_is_said(app: typer.Typer) -> None:
    assert "No passage was found." in run(app, "search", "zzz unheard")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "troponin", "--language", "fr"], "en or zh"),
        (["search", "troponin", "--kind", "quote"], "summary or original"),
        (["search", "troponin", "--from", "soon"], "YYYY"),
        (["search", "troponin", "--topic", "gout"], "no passage has it"),
        (["search", "?"], "no word to search for"),
        (["show", "card:nothing#s1.en"], "there is none"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_out(
    app: typer.Typer, arguments: list[str], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        run(app, *arguments)


def test_a_passage_is_shown_by_its_id(app: typer.Typer) -> None:
    first = guideline_collection(Settings()).passages[0]
    output = run(app, "show", first.id)
    assert first.text in output
    assert first.label in output
    assert first.citation.review in output
    assert json.loads(run(app, "show", first.id, "--json"))["id"] == first.id


def test_a_check_names_what_is_missing_and_passes_when_nothing_is(app: typer.Typer) -> None:
    assert "nothing is built" in run(app, "check", code=1)
    run(app, "build", "--without-vectors")
    assert "built without vectors" in run(app, "check", code=1)
    run(app, "build")
    output = run(app, "check")
    assert "every file as built" in output
    assert "0 passages, original, en" in output


def test_a_check_finds_a_touched_index_and_a_missing_encoder(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(app, "build")

    def missing(settings: Settings) -> FakeEncoder:
        raise EncoderUnavailableError("weights", "are not here")

    with monkeypatch.context() as patched:
        patched.setattr(command, "encoder", missing)
        assert "encoder: weights: are not here" in run(app, "check", code=1)
    folder = current(tmp_path / "knowledge-index")
    assert folder is not None
    (folder / "rows.npy").write_bytes(b"")
    assert "not as built: rows.npy" in run(app, "check", code=1)
