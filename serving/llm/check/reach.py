"""Whether there is a server, which one, whom it serves, and what it tells about itself."""

import secrets
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from serving.llm.check.answer import Answer, quoted
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import COUNT, Subject

_REFUSED_KEY = (401, 403)
_METRICS = {"vllm": "vllm:", "llama.cpp": "llamacpp:"}


async def reachable(subject: Subject) -> Found:
    """Find out whether anything answers at all, and what its health says."""
    probe = subject.probe
    answer = await probe.get("/health" if probe.where.root is not None else "/models")
    if probe.where.root is None:
        return yes(f"{probe.where.host} answers; a gateway without paths of its own")
    subject.health = answer.status
    if answer.status == 503:
        return no(
            f"/health says {answer.refusal}", "it is loading or draining: try again in a minute"
        )
    return yes(f"{probe.where.host} answers, /health says {answer.status}")


async def kind(subject: Subject) -> Found:
    """Find out which server it is."""
    if subject.probe.where.root is None:
        return open_("a gateway: what stands behind it does not show")
    props = await subject.probe.get("/props")
    if isinstance(props.data, dict) and "default_generation_settings" in props.data:
        subject.kind = "llama.cpp"
        build = props.data.get("build_info")
        subject.version = build if isinstance(build, str) else ""
        settings = props.data["default_generation_settings"]
        if isinstance(settings, dict):
            subject.context = _positive(settings.get("n_ctx"))
        return yes(f"llama.cpp {subject.version}".strip())
    version = await subject.probe.get("/version")
    if isinstance(version.data, dict) and isinstance(version.data.get("version"), str):
        subject.kind, subject.version = "vllm", version.data["version"]
        return yes(f"vLLM {subject.version}")
    return open_("neither /version of vLLM nor /props of llama.cpp is answered")


async def listed(subject: Subject) -> Found:
    """Find out which models it names, and choose one."""
    answer = await subject.probe.get_api("/models")
    if answer.status in _REFUSED_KEY:
        return no(f"the list is refused: {answer.refusal}", "give the key by --api-key-file")
    if not answer.ok and subject.wanted is not None:
        subject.model = subject.wanted
        return open_(f"it has no list ({answer.refusal}); {subject.wanted} is taken as given")
    if not answer.ok:
        return no(f"no list of models: {answer.refusal}", "name one by --model")
    subject.listed = _entries(answer.data)
    names = ", ".join(subject.listed) or "none"
    if subject.wanted is not None:
        subject.model = subject.wanted
        if subject.wanted not in subject.listed:
            return no(f"{subject.wanted!r} is not among: {names}", "take a name of the list")
    elif len(subject.listed) == 1:
        subject.model = next(iter(subject.listed))
    else:
        return no(f"it names {len(subject.listed)} models: {names}", "choose one by --model")
    stated = _positive(subject.listed[subject.model].get("max_model_len"))
    subject.context = stated or subject.context
    return yes(f"{subject.model} (of: {names})" if len(subject.listed) > 1 else subject.model)


async def unknown_model(subject: Subject) -> Found:
    """Find out whether a name that is not served is refused."""
    name = f"no-such-model-{secrets.token_hex(4)}"
    answer = await subject.probe.chat({**subject.body(COUNT, max_tokens=1), "model": name})
    if answer.ok:
        return no(
            "any name is answered by the same model",
            "the name of a request proves nothing here: pin the model by its weights",
        )
    return yes(f"{answer.refusal}")


async def key(subject: Subject) -> Found:
    """Find out whether a wrong key and a missing key are refused."""
    body = subject.body(COUNT, max_tokens=1)
    wrong = await subject.probe.chat_as(body, SecretStr(f"wrong-{secrets.token_urlsafe(12)}"))
    without = await subject.probe.chat_as(body, None)
    refused = [answer.status in _REFUSED_KEY for answer in (wrong, without)]
    if all(refused):
        return yes(f"a wrong key: status {wrong.status}; no key: status {without.status}")
    if not refused[0] and not wrong.ok:
        return open_(f"a wrong key was answered with {wrong.refusal}")
    what = "a wrong key and no key are" if not any(refused) else "a wrong or missing key is"
    return no(f"{what} served: whoever reaches the address can use it", "set --api-key")


async def metrics(subject: Subject) -> Found:
    """Find out whether it counts for a monitor."""
    if subject.probe.where.root is None:
        return open_("a gateway: its counters are elsewhere")
    answer = await subject.probe.get("/metrics")
    mark = _METRICS.get(subject.kind, "")
    lines = [
        line
        for line in answer.text.splitlines()
        if line and not line.startswith("#") and line.startswith(mark)
    ]
    if not answer.ok or not lines:
        flag = "start it with --metrics" if subject.kind == "llama.cpp" else ""
        words = answer.refusal if not answer.ok else f"nothing named {mark}... is counted"
        return no(words, flag)
    return yes(f"{len(lines)} values, for example {quoted(lines[0])}")


async def plain(subject: Subject) -> Found:
    """Find out whether a completion comes back."""
    answer = await subject.probe.chat(subject.body(COUNT))
    if not answer.ok:
        return no(*_failed(answer, subject))
    said = answer.content or str(answer.message.get("reasoning") or "")
    if not said.strip():
        return no(f"an empty reply (it ended with {answer.finish!r})", "look at its chat template")
    named = answer.data.get("model") if isinstance(answer.data, dict) else None
    if isinstance(named, str) and named not in (subject.model, *subject.listed):
        return no(
            f"asked for {subject.model}, answered as {quoted(named)}",
            "what follows would be of another model; a gateway that renames is asked by that name",
        )
    subject.plain = answer
    return yes(f"{quoted(said)} in {answer.ms:.0f} ms")


def _failed(answer: Answer, subject: Subject) -> tuple[str, str]:
    said = f"{answer.refusal}"
    if answer.status in _REFUSED_KEY:
        return said, "give the key by --api-key-file"
    if answer.status >= 500 and subject.health == 200:
        said += "; /health says 200: it is not to be believed"
        return said, "its engine is dead or draining: look at its log, start it again"
    return said, ""


def _entries(models: Any) -> dict[str, Mapping[str, Any]]:
    match models:
        case {"data": list(entries)}:
            return {
                entry["id"]: entry
                for entry in entries
                if isinstance(entry, dict) and isinstance(entry.get("id"), str)
            }
    return {}


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
