"""Every check, in the order in which they are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from serving.llm.check import (
    caching,
    context,
    load,
    product,
    reach,
    replies,
    schemas,
    streams,
    tools,
    vision,
)
from serving.llm.check.row import Found, Group, Need
from serving.llm.check.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question to a server.

    Args:
        id: Key of its row.
        title: What is asked.
        group: Heading of its row.
        ask: Finds it out.
        need: How much rests on it.
    """

    id: str
    title: str
    group: Group
    ask: Callable[[Subject], Awaitable[Found]]
    need: Need = "useful"


CHECKS: tuple[Check, ...] = (
    Check(id="reachable", title="reachable", group="server", ask=reach.reachable, need="must"),
    Check(id="kind", title="server and version", group="server", ask=reach.kind),
    Check(id="listed", title="model listed", group="server", ask=reach.listed, need="must"),
    Check(id="plain", title="completion", group="server", ask=reach.plain, need="must"),
    Check(id="key", title="key demanded", group="server", ask=reach.key),
    Check(
        id="unknown_model",
        title="unknown model refused",
        group="server",
        ask=reach.unknown_model,
    ),
    Check(
        id="context_stated",
        title="context stated",
        group="server",
        ask=context.stated,
        need="product",
    ),
    Check(
        id="context_refused",
        title="too long a prompt refused",
        group="server",
        ask=context.refused,
    ),
    Check(id="metrics", title="/metrics", group="server", ask=reach.metrics),
    Check(id="limit", title="max_tokens kept", group="replies", ask=replies.limit, need="product"),
    Check(id="stops", title="stop sequences", group="replies", ask=replies.stops),
    Check(id="repeatable", title="repeatable", group="replies", ask=replies.repeatable),
    Check(
        id="usage", title="usage counted truly", group="replies", ask=replies.usage, need="product"
    ),
    Check(id="streaming", title="streaming", group="replies", ask=streams.streaming),
    Check(id="thoughts", title="thoughts apart", group="replies", ask=replies.thoughts),
    Check(id="logprobs", title="logprobs", group="replies", ask=replies.logprobs),
    Check(id="vision", title="pictures", group="replies", ask=vision.sees),
    Check(id="schema", title="JSON schema kept", group="schema", ask=schemas.schema),
    Check(id="chinese", title="Chinese whole", group="schema", ask=streams.chinese, need="product"),
    Check(id="bad_schema", title="bad schema refused", group="schema", ask=schemas.bad_schema),
    Check(
        id="guided_json",
        title="guided_json not ignored",
        group="schema",
        ask=schemas.guided_json,
    ),
    Check(
        id="structured_outputs",
        title="structured_outputs not ignored",
        group="schema",
        ask=schemas.structured_outputs,
    ),
    Check(
        id="unknown_parameter",
        title="unknown parameter refused",
        group="schema",
        ask=schemas.unknown_parameter,
    ),
    Check(id="plan", title="plan", group="product", ask=product.plan_function, need="product"),
    Check(id="notes", title="notes", group="product", ask=product.notes_function, need="product"),
    Check(
        id="writing",
        title="writing",
        group="product",
        ask=product.writing_function,
        need="product",
    ),
    Check(id="chat", title="chat", group="product", ask=product.chat_function, need="product"),
    Check(id="tools_auto", title="tools, auto", group="tools", ask=tools.auto),
    Check(id="tools_required", title="tools, required", group="tools", ask=tools.required),
    Check(id="tools_named", title="tools, named", group="tools", ask=tools.named),
    Check(id="tools_strict", title="arguments strict", group="tools", ask=tools.strict),
    Check(id="tools_parallel", title="two calls at once", group="tools", ask=tools.parallel),
    Check(id="tools_streamed", title="calls streamed", group="tools", ask=tools.streamed),
    Check(id="prefix_cache", title="prefix cache", group="scheduling", ask=caching.prefix),
    Check(id="cancellation", title="leaving frees", group="scheduling", ask=load.cancellation),
    Check(
        id="priority",
        title="priority kept to",
        group="scheduling",
        ask=load.priority,
        need="product",
    ),
    Check(id="admission", title="too many refused", group="scheduling", ask=load.admission),
)
"""A check may rest on verdicts before it; what decides comes before what may take long."""
