# ruff: noqa: RUF001
"""``epicrisis chat`` and ``epicrisis answer``: ask about a case, and complete it."""

import asyncio
import getpass
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console

from agent.assess import Outcome, assess_paths
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError
from knowledge.passages import Language
from knowledge.plain_text import has_chinese, visible
from knowledge.settings import Settings, load_settings
from serving.commands.assess import exit_code, moment, present, utc_now

if TYPE_CHECKING:
    from agent.chat.answer import ChatAnswer

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Folders or files of one patient")
]
_MOST_PLACES = 3
"""Sources printed after a sentence; how its wording is to be read is always the first."""

At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="Moment of assessment with its zone")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("chat")(chat)
    app.command("answer")(answer)


def chat(
    paths: Paths,
    ask: Annotated[
        list[str] | None,
        typer.Option("--ask", metavar="QUESTION", help="Ask this and end; else questions are read"),
    ] = None,
    user: Annotated[str, typer.Option("--user", help="Whose history; default the login")] = "",
    language: Annotated[
        str, typer.Option("--language", help="en or zh; a Chinese question is answered in Chinese")
    ] = "en",
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Answer from the facts alone")] = False,
    at: At = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON answer a line")] = False,
) -> None:
    """Ask about one case. What the record does not hold is said to be not in the record.

    Requests for orders or treatment are answered with guideline summaries and never carried out.
    """
    if language not in ("en", "zh"):
        raise InvalidValueError("--language", "is neither en nor zh", "choose one of them")
    settings = load_settings()
    outcome = assessed(paths, moment(at), settings)
    code = exit_code(outcome)
    if code:
        present(outcome, as_json=as_json, out=None)
        raise typer.Exit(code)
    asyncio.run(
        _talk(
            outcome,
            settings,
            tuple(ask or ()),
            user=user or getpass.getuser(),
            language="zh" if language == "zh" else "en",
            use_llm=not no_llm,
            as_json=as_json,
        )
    )


def answer(
    paths: Paths,
    given: Annotated[
        list[str],
        typer.Option("--set", metavar="INPUT=VALUE", help="As the missing list names the input"),
    ],
    by: Annotated[str, typer.Option("--by", help="Who answers: role, initials or account")],
    at: At = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the report goes")
    ] = None,
) -> None:
    """Answer what is missing: stored with author and time, and assessed again at once."""
    from agent.case_key import case_key
    from agent.given import AnswerStore

    settings = load_settings()
    outcome = assessed(paths, moment(at), settings)
    code = exit_code(outcome)
    if code or outcome.case is None:
        present(outcome, as_json=as_json, out=None)
        raise typer.Exit(code)
    store = AnswerStore(settings.data_dir)
    key = case_key(outcome.case)
    pairs = [_pair(text) for text in given]
    store.give_all(key, pairs, author=by, at=utc_now())
    again = assessed(paths, moment(at), settings)
    present(again, as_json=as_json, out=out)


def assessed(paths: list[Path], at: ClinicalTime | None, settings: Settings) -> Outcome:
    """Return the assessment with every answer that was given to this case."""
    from agent.case_key import answers_of
    from agent.given import AnswerStore

    now = utc_now()
    outcome = assess_paths(paths, at=at, now=now, settings=settings)
    if outcome.case is None:
        return outcome
    given, notice = answers_of(AnswerStore(settings.data_dir), outcome.case)
    if notice:
        Console(stderr=True).print(visible(notice), markup=False, soft_wrap=True)
    if not given:
        return outcome
    return assess_paths(paths, at=at, now=now, settings=settings, given=given)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise InvalidValueError(
            "--set", f"{visible(text)!r} is not INPUT=VALUE", "for example esrd_dialysis=no"
        )
    return name.strip(), value.strip()


async def _talk(
    outcome: Outcome,
    settings: Settings,
    asked: tuple[str, ...],
    *,
    user: str,
    language: Language,
    use_llm: bool,
    as_json: bool,
) -> None:
    from agent.chat.answer import answer as reply_to
    from agent.chat.asked import asked_of
    from agent.chat.question import spoken
    from agent.chat_history import ChatHistory, Turn
    from agent.llm.choice import Choice, llm_from
    from agent.llm.pool.caller import Caller, asked_by
    from serving.agent_runs import open_index

    searcher, no_search = open_index(settings)
    history = ChatHistory.of(settings)
    case = _history_key(outcome)
    console = Console()
    async with AsyncExitStack() as opened:
        choice = Choice(llm=None, reason="not asked for (--no-llm)")
        if use_llm:
            choice = await opened.enter_async_context(llm_from(settings))
        llm = choice.llm
        if llm is not None:
            llm = asked_by(llm, Caller(conversation=f"chat {case}", case=case))
        if not as_json:
            notice = f" The language model is not used: {choice.reason}." if choice.reason else ""
            search = no_search or getattr(searcher, "notice", "")
            notice += f" Guideline search: {search}." if search else ""
            console.print(visible(outcome.assessment.notice + notice), markup=False)
        for typed in asked or _read(console):
            question = typed.encode("utf-8", "replace").decode("utf-8")
            tongue = spoken(question, language)
            before = [turn.question for turn in history.turns(user, case)]
            asked_for = asked_of(outcome, question, language=tongue)
            said = await reply_to(
                llm,
                question,
                sheet=asked_for.sheet,
                searcher=searcher,
                history=before,
                language=tongue,
            )
            said = said.model_copy(update={"scores": asked_for.scores})
            history.append(user, case, Turn(question=question, answer=said, at=datetime.now(UTC)))
            if as_json:
                typer.echo(orjson.dumps(_as_json(said, outcome.assessment.notice)).decode())
            else:
                for line in lines(said):
                    console.print(visible(line), markup=False, highlight=False)


def _as_json(said: "ChatAnswer", notice: str) -> dict[str, Any]:
    """Return an answer as JSON, with what this product is."""
    return {**said.model_dump(mode="json"), "notice": notice}


def _history_key(outcome: Outcome) -> str:
    """Return the key of this case's conversation; without an id, that of exactly these files."""
    from agent.case_key import case_key

    if outcome.case is None:
        return outcome.assessment.case
    try:
        return case_key(outcome.case)
    except InvalidValueError:
        return outcome.assessment.provenance.inputs_sha256


def _read(console: Console) -> Iterator[str]:
    """Yield the questions typed, one a line, until an empty line or the end of input."""
    while True:
        try:
            text = console.input("question> ")
        except EOFError:
            return
        if not text.strip():
            return
        yield text


def lines(said: "ChatAnswer") -> list[str]:
    """Return an answer as lines to print."""
    from knowledge.evidence import describe

    found: list[str] = []
    if said.refused:
        found.append(f"Refused: {said.refused}")
    if said.outside_record:
        found.append("Not in the record.")
    for sentence in said.sentences:
        places = dict.fromkeys(describe(evidence) for evidence in sentence.evidence)
        sources = [sentence.label] if sentence.label else []
        sources += [place for place in places if place][: _MOST_PLACES - len(sources)]
        found.append(sentence.text + (f"  [{'; '.join(sources)}]" if sources else ""))
    if said.would_answer:
        listed = "; ".join(item.label for item in said.would_answer)
        chinese = any(has_chinese(item.label) for item in said.would_answer)
        found.append(("可由以下项目回答：" if chinese else "Would answer it: ") + listed)
    found += [f"{'注意：' if has_chinese(note) else 'Note: '}{note}" for note in said.notes]
    if said.dropped:
        found.append(f"{len(said.dropped)} sentence(s) of the model were dropped: not supported.")
    return found
