"""Whether tools are called rightly: auto, required, named, strict, several, streamed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema

from serving.llm.check.answer import Answer, Call, calls_of, quoted
from serving.llm.check.markup import tool_form, way_out
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import Subject

_TOKENS = 160
_PATIENT = {"type": "string", "pattern": "^P[0-9]{1,6}$", "maxLength": 7}
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "read_laboratory": {
        "type": "object",
        "properties": {
            "patient_id": _PATIENT,
            "analyte": {"type": "string", "enum": ["troponin", "lactate", "potassium"]},
        },
        "required": ["patient_id", "analyte"],
        "additionalProperties": False,
    },
    "read_ecg": {
        "type": "object",
        "properties": {"patient_id": _PATIENT},
        "required": ["patient_id"],
        "additionalProperties": False,
    },
}
_CARDS = {
    "read_laboratory": "Read one laboratory value of a patient.",
    "read_ecg": "Read the electrocardiogram of a patient.",
}
TOOLS: Sequence[Mapping[str, Any]] = tuple(
    {
        "type": "function",
        "function": {
            "name": name,
            "description": _CARDS[name],
            "parameters": schema,
            "strict": True,
        },
    }
    for name, schema in _SCHEMAS.items()
)
_ONE = "Read the troponin of patient P123. Use a tool."
_BOTH = "Read the troponin and the ECG of patient P123. Call both tools now, in one answer."
_LOOSE = "Read the sugar of the man in bed four. Use a tool, and add a comment to its arguments."
_NAMED = {"type": "function", "function": {"name": "read_ecg"}}


async def auto(subject: Subject) -> Found:
    """Find out whether the model calls a tool by itself, and the server hands the call over."""
    answer = await _asked(subject, _ONE, "auto")
    return _refused(answer, subject) or _called(answer, subject, only="read_laboratory")


async def required(subject: Subject) -> Found:
    """Find out whether ``required`` makes a call."""
    answer = await _asked(subject, _ONE, "required")
    return _refused(answer, subject) or _called(answer, subject, none="required, and no call")


async def named(subject: Subject) -> Found:
    """Find out whether a named tool is the one that is called."""
    answer = await _asked(subject, _ONE, _NAMED)
    return _refused(answer, subject) or _called(
        answer, subject, only="read_ecg", none="named, and no call"
    )


async def strict(subject: Subject) -> Found:
    """Find out whether arguments keep to their schema when the request does not."""
    answer = await _asked(subject, _LOOSE, "required")
    if found := _refused(answer, subject):
        return found
    calls = calls_of(answer)
    if not calls:
        return open_("no call was made that could be looked at")
    if problem := _problem(calls):
        return no(problem, "start vLLM with --tool-strict-level parameter")
    return yes(f"valid though asked otherwise: {_told(calls)}")


async def parallel(subject: Subject) -> Found:
    """Find out whether two tools are called at once."""
    answer = await _asked(subject, _BOTH, "auto")
    if found := _refused(answer, subject):
        return found
    calls = calls_of(answer)
    if len(calls) < 2:
        if form := tool_form(answer.content):
            return no(*_misfit(form.name, subject, answer.content))
        return no(f"two were asked for, {len(calls)} came: {_said(calls, answer)}")
    if problem := _problem(calls):
        return no(problem)
    return yes(_told(calls))


async def streamed(subject: Subject) -> Found:
    """Find out whether a call that is streamed is whole."""
    works = [choice for choice in ("auto", "required") if _works(subject, choice)]
    if not works:
        return open_("no call comes whole either, neither by auto nor by required")
    body = subject.body(_ONE, max_tokens=_TOKENS, tools=TOOLS, tool_choice=works[0])
    answer = await subject.probe.stream(body)
    if answer.error:
        return no(answer.error)
    if not answer.tool_calls:
        if form := tool_form(answer.text):
            return no(*_misfit(form.name, subject, answer.text))
        return no(f"whole it comes, streamed it does not: {quoted(answer.text)}")
    if problem := _problem(answer.tool_calls):
        return no(f"put together, {problem}")
    pieces = sum(len(parts) - 1 for parts in answer.calls.values())
    return yes(f"{_told(answer.tool_calls)} in {pieces} pieces of arguments")


async def _asked(subject: Subject, text: str, choice: Any) -> Answer:
    body = subject.body(text, max_tokens=_TOKENS, tools=TOOLS, tool_choice=choice)
    return await subject.probe.chat(body)


def _refused(answer: Answer, subject: Subject) -> Found | None:
    if answer.ok:
        return None
    told = ""
    if "tool" in answer.refusal and subject.kind != "llama.cpp":
        parser = subject.tool_parser or "PARSER"
        told = f"start vLLM with --enable-auto-tool-choice --tool-call-parser {parser}"
    return no(answer.refusal, told)


def _called(
    answer: Answer, subject: Subject, *, only: str | None = None, none: str = "no call"
) -> Found:
    calls = calls_of(answer)
    if not calls:
        if form := tool_form(answer.content):
            return no(*_misfit(form.name, subject, answer.content))
        return no(
            f"{none}; it said {quoted(answer.content)}",
            "ask with a JSON schema, as this product does",
        )
    if problem := _problem(calls):
        return no(problem, "start vLLM with --tool-strict-level parameter")
    if only is not None and any(call.name != only for call in calls):
        return no(f"another tool than {only}: {_told(calls)}")
    return yes(_told(calls))


def _misfit(name: str, subject: Subject, content: str) -> tuple[str, str]:
    form = tool_form(content)
    told = "" if form is None else way_out(form, "--tool-call-parser", subject.tool_parser)
    return f"a call stands in the text of the reply: {name}", told


def _problem(calls: Sequence[Call]) -> str:
    for call in calls:
        if call.name not in _SCHEMAS:
            return f"a tool that was not offered: {quoted(call.name)}"
        try:
            arguments = json.loads(call.arguments)
        except ValueError:
            return f"arguments of {call.name} are not JSON: {quoted(call.arguments)}"
        validator = jsonschema.Draft202012Validator(dict(_SCHEMAS[call.name]))
        if next(iter(validator.iter_errors(arguments)), None) is not None:
            return f"arguments of {call.name} break their schema: {quoted(call.arguments)}"
    return ""


def _told(calls: Sequence[Call]) -> str:
    return "; ".join(f"{call.name} {' '.join(call.arguments.split())}" for call in calls)


def _said(calls: Sequence[Call], answer: Answer) -> str:
    return _told(calls) if calls else quoted(answer.content)


def _works(subject: Subject, choice: str) -> bool:
    return subject.verdicts.get(f"tools_{choice}") == "yes"
