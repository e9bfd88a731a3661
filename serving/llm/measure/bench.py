"""A measurement of one server: the same prompts' lengths at several concurrencies."""

import secrets
from collections.abc import Callable, Sequence

from pydantic import SecretStr

from agent.llm.address import address
from agent.llm.errors import LLMDownError
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.llm.check.probe import Probe
from serving.llm.check.reach import kind, listed, reachable
from serving.llm.check.subject import Subject
from serving.llm.measure.drive import driven
from serving.llm.measure.figures import Figures, Target, figures
from serving.llm.measure.prompts import fitted, texts

Told = Callable[[str], None]
MOST_CONCURRENT = 512


class Load(Frozen):
    """What is sent.

    Args:
        concurrency: Requests in flight, one run each.
        prompts: Of each run.
        tokens_in: Of each prompt, template included, about.
        tokens_out: Of each reply.
        warmup: Requests before each run, not counted; None for as many as are in flight.
        seed: Of the prompts; None for another one each time, so that a cache that was filled by an
            earlier measurement does not shorten this one.
    """

    concurrency: tuple[int, ...] = (1, 4, 8)
    prompts: int = 32
    tokens_in: int = 256
    tokens_out: int = 32
    warmup: int | None = None
    seed: int | None = None


class Measurement(Frozen):
    """What was measured of one server.

    Args:
        host: Host and port.
        server: Kind and version.
        model: Name in requests.
        load: What was sent.
        seed: Of its prompts.
        words: Words of a prompt that made the wanted tokens.
        target: What counts as good.
        forced_length: Whether replies were asked to go on to their last token.
        warmed_up: Requests before each run that are not counted, by concurrency.
        warmup_errors: How many of them failed.
        runs: One for each concurrency.
    """

    host: str
    server: str
    model: str
    load: Load
    seed: int
    words: int
    target: Target
    forced_length: bool
    warmed_up: dict[int, int]
    warmup_errors: int
    runs: tuple[Figures, ...]

    @property
    def failed(self) -> int:
        """Requests without a whole reply."""
        return sum(run.requests - run.answered for run in self.runs)

    @property
    def answered(self) -> int:
        """Requests with one."""
        return sum(run.answered for run in self.runs)


async def measured(
    url: str,
    load: Load,
    *,
    target: Target,
    model: str | None = None,
    api_key: SecretStr | None = None,
    timeout_s: float = 300.0,
    told: Told | None = None,
) -> Measurement:
    """Return what a server does under load.

    Args:
        url: Of an OpenAI-compatible endpoint.
        load: What is sent.
        target: What counts as good.
        model: Its name; None for the only one it has.
        api_key: For it.
        timeout_s: Most seconds of one request; a slower one is an error.
        told: Called with how far it is.

    Raises:
        InvalidValueError: The address or the load cannot be used.
        LLMDownError: No server that answers, or no model.
    """
    _require(load)
    probe = Probe(address(url), api_key, timeout_s=timeout_s)
    subject = Subject(probe=probe, api_key=api_key, wanted=model)
    try:
        for ask in (reachable, kind, listed):
            found = await ask(subject)
            if found.verdict == "no":
                raise LLMDownError(f"server at {probe.where.host}", found.evidence, found.way_out)
        words = await fitted(subject, load.tokens_in)
        return await _runs(subject, load, words, target, told or _silent)
    finally:
        await probe.close()


async def _runs(
    subject: Subject, load: Load, words: int, target: Target, told: Told
) -> Measurement:
    runs, warmed, failed = list[Figures](), dict[int, int](), 0
    seed = secrets.randbelow(1 << 32) if load.seed is None else load.seed
    for concurrency in load.concurrency:
        count = concurrency if load.warmup is None else load.warmup
        told(f"{concurrency} at once: warm-up")
        warm, _ = await driven(
            subject,
            texts(count, words, run=f"{seed}.{concurrency}.warm"),
            concurrency=concurrency,
            tokens_out=load.tokens_out,
            done=_nothing,
        )
        warmed[concurrency] = count
        failed += sum(bool(sample.error) for sample in warm)
        left = iter(range(1, load.prompts + 1))
        samples, seconds = await driven(
            subject,
            texts(load.prompts, words, run=f"{seed}.{concurrency}"),
            concurrency=concurrency,
            tokens_out=load.tokens_out,
            done=lambda c=concurrency, left=left: told(  # type: ignore[misc]
                f"{c} at once: {next(left)} of {load.prompts}"
            ),
        )
        runs.append(figures(samples, seconds, concurrency=concurrency, target=target))
    return Measurement(
        host=subject.probe.where.host,
        server="" if subject.kind == "other" else f"{subject.kind} {subject.version}".strip(),
        model=subject.model,
        load=load,
        seed=seed,
        words=words,
        target=target,
        forced_length=subject.kind != "other",
        warmed_up=warmed,
        warmup_errors=failed,
        runs=tuple(runs),
    )


def _require(load: Load) -> None:
    numbers: Sequence[tuple[str, int, int]] = (
        *(("--concurrency", one, MOST_CONCURRENT) for one in load.concurrency),
        ("--prompts", load.prompts, 100_000),
        ("--tokens-in", load.tokens_in, 1_000_000),
        ("--tokens-out", load.tokens_out, 100_000),
    )
    for name, value, most in numbers:
        if not 1 <= value <= most:
            raise InvalidValueError(f"{name} {value}", f"is not between 1 and {most}")


def _silent(what: str) -> None:
    """Say nothing."""


def _nothing() -> None:
    """Do nothing."""
