"""From an order to everything that would run, with the reasons; nothing is started here."""

import re

from knowledge.model import Frozen
from serving.llm.capacity.accelerator import Accelerator, accelerator
from serving.llm.launch.command import Choice, Facts, Process, choices, processes, router
from serving.llm.launch.errors import OrderError
from serving.llm.launch.memory import Memory, on_accelerators, on_cpu, require_fit
from serving.llm.launch.options import defaults
from serving.llm.launch.order import Form, Order, check, weights_of
from serving.llm.launch.strategy import Layout, choose
from serving.llm.profiles.model import ModelProfile, Weights

_MOST = 128
_LOOPBACK = "127.0.0.1"
_IN_CONTAINERS = ("compose", "kubernetes")
_OF_THE_IMAGE = "NVIDIA"
_CORES = re.compile(r"[0-9]+([-,|][0-9]+)*")


class Launch(Frozen):
    """Everything that an order comes to.

    Args:
        profile: Id of the model.
        name: Under which it is offered.
        weights: Folder.
        repository: Where the weights of this precision are published; None where they are made.
        dtype: Precision.
        order: What was asked for.
        layout: Of one replica.
        memory: Of one accelerator, or of the machine.
        choices: Options with their reasons.
        processes: Every server process.
        router: Command line of the router; empty for one replica.
        notes: What to know before starting.
    """

    profile: str
    name: str
    weights: str
    repository: str | None
    dtype: str
    order: Order
    layout: Layout
    memory: Memory
    choices: tuple[Choice, ...]
    processes: tuple[Process, ...]
    router: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def plan(profile: ModelProfile, order: Order, form: Form, *, force: bool = False) -> Launch:
    """Return what would run.

    Args:
        profile: The model.
        order: What is asked for.
        form: In which form; replicas of one machine are told their accelerators and ports.
        force: Whether a model of unknown size may be started all the same; what is known not to
            fit never is.

    Raises:
        OrderError: What was asked for does not go together.
        TooLittleMemoryError: It does not fit; the message gives the sizes.
        UnknownAcceleratorError: There is no such accelerator.
    """
    check(profile, order)
    _local(profile, order)
    weights = weights_of(profile, order)
    context_tokens = _context(profile, order)
    if order.cpu:
        layout = choose(profile, weights, order, fewest=1)
        memory = on_cpu(profile, weights, order, context_tokens)
        needed = None
    else:
        device = accelerator(order.gpu)
        _nodes(order, device)
        _vendor(device, form)
        layout = _layout(profile, weights, order, device, context_tokens)
        memory = on_accelerators(profile, weights, order, layout, device, context_tokens)
        needed = None
        if not memory.fits:
            needed = least_accelerators(profile, weights, device, order=order)
    if not (force and memory.not_known):
        require_fit(profile, memory, needed=needed)
    facts = Facts(profile=profile, weights=weights, order=order, layout=layout, memory=memory)
    return _launch(facts, form)


def _launch(facts: Facts, form: Form) -> Launch:
    order, profile, weights = facts.order, facts.profile, facts.weights
    every = tuple(processes(facts, pick_devices=form in {"process", "systemd"}))
    workers = tuple(f"http://{_LOOPBACK}:{one.port}" for one in every if one.port is not None)
    return Launch(
        profile=profile.id,
        name=order.name or profile.id,
        weights=order.weights,
        repository=weights.repository,
        dtype=weights.dtype,
        order=order,
        layout=facts.layout,
        memory=facts.memory,
        choices=tuple(choices(facts)),
        processes=every,
        router=router(facts, workers, host=order.host) if order.replicas > 1 else (),
        notes=tuple(_notes(facts)),
    )


def _layout(
    profile: ModelProfile, weights: Weights, order: Order, device: Accelerator, tokens: int
) -> Layout:
    fewest = None
    tensor = 1
    while tensor <= order.gpus // order.nodes:
        alone = Layout(rule="", reason="", tensor=tensor)
        if on_accelerators(profile, weights, order, alone, device, tokens).fits:
            fewest = tensor
            break
        tensor *= 2
    return choose(profile, weights, order, fewest=fewest)


def least_accelerators(
    profile: ModelProfile, weights: Weights, device: Accelerator, *, order: Order | None = None
) -> int | None:
    """Return the fewest accelerators that hold a copy, a power of two; None where none does.

    A copy means the weights and keys and values of one request of full length.

    Args:
        profile: The model.
        weights: Its precision.
        device: The kind of accelerator.
        order: Everything else; counts of accelerators and nodes do not matter. None for defaults.
    """
    asked = order or Order(weights="", key_file="-")
    tokens = _context(profile, asked)
    gpus = 1
    while gpus <= _MOST:
        nodes = max(1, gpus // int(device.per_node.value))
        larger = asked.model_copy(update={"gpus": gpus, "nodes": nodes})
        try:
            layout = _layout(profile, weights, larger, device, tokens)
        except OrderError:
            return None
        if on_accelerators(profile, weights, larger, layout, device, tokens).fits:
            return gpus
        gpus *= 2
    return None


def _nodes(order: Order, device: Accelerator) -> None:
    per_node = int(device.per_node.value)
    if order.gpus // order.nodes > per_node:
        raise OrderError(
            f"--gpus {order.gpus} --nodes {order.nodes}",
            f"a node has {per_node} of {device.label}",
            f"give --nodes {-(-order.gpus // per_node)}",
        )


def _vendor(device: Accelerator, form: Form) -> None:
    if form in _IN_CONTAINERS and not device.label.startswith(_OF_THE_IMAGE):
        raise OrderError(
            f"--as {form} --gpu {device.name}",
            f"the image and the devices that are known here are for {_OF_THE_IMAGE}",
            "use --as process or systemd with the build of vLLM for this accelerator",
        )


def _local(profile: ModelProfile, order: Order) -> None:
    if not order.cpu:
        return
    experts = profile.feedforward is not None and profile.feedforward.experts is not None
    if not _CORES.fullmatch(order.cores or "0"):
        raise OrderError(f"--cores {order.cores}", "is no list of cores", "0-15, or 0-15|16-31")
    if experts and "--enable-lora" in order.extra:
        raise OrderError(
            f"{profile.id}: --enable-lora",
            "vLLM cannot serve adapters of a mixture of experts on a CPU",
            "merge the adapter into the weights",
        )
    parts = (order.cores or "").split("|")
    if order.replicas > 1 and len(parts) not in {order.replicas}:
        raise OrderError(
            f"--cores {order.cores}",
            f"{order.replicas} replicas need cores of their own",
            'give them as "0-15|16-31"',
        )


def _context(profile: ModelProfile, order: Order) -> int:
    native = profile.context.native_tokens
    if order.context_tokens is None:
        return min(native, defaults().numbers.context_tokens["cpu" if order.cpu else "gpu"])
    if order.context_tokens > native and "--hf-overrides" not in order.extra:
        longer = profile.context.extended_tokens
        raise OrderError(
            f"{profile.id}: --context {order.context_tokens}",
            f"is above its {native:,} tokens",
            f"up to {longer:,} with the --hf-overrides of its maker" if longer else "give less",
        )
    return order.context_tokens


def _notes(facts: Facts) -> list[str]:
    profile, order = facts.profile, facts.order
    licence = profile.licence
    notes = [f"licence {licence.name}; for clinical use: {licence.clinical_use}"]
    if licence.clinical_use == "restricted":
        notes.append(licence.terms)
    notes.append(profile.habits.template_note)
    if facts.weights.note:
        notes.append(facts.weights.note)
    if profile.habits.chat_template is not None and order.chat_template is None:
        notes.append(f"the file {profile.habits.chat_template} must lie beside the weights")
    if profile.attention is not None and profile.attention.linear is not None:
        notes.append(
            "prefix caching of linear attention is experimental in vLLM, and the pages of its "
            "cache are larger, so fewer tokens may be held than computed; to turn it off: "
            '--extra "--no-enable-prefix-caching"'
        )
    if order.executor == "ray" and order.nodes > 1:
        notes.append("Ray must be installed beside vLLM on every node; it does not ask for a key")
    if order.nodes > 1:
        notes.append(
            "the nodes talk to each other without a key: keep them in a network of their own"
        )
    if order.host not in {_LOOPBACK, "localhost", "::1"}:
        notes.append(
            "/health and /metrics answer without the key: close the port to all but clients"
        )
    return notes
