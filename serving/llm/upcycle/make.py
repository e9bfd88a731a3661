"""Make a mixture of experts of a dense model, check it against the dense model, and write it."""

import copy
import shutil
import tempfile
import warnings
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge.errors import ContractError, UnavailableError
from knowledge.weights_cache import require_space
from serving.llm.upcycle import extra
from serving.llm.upcycle.card import card
from serving.llm.upcycle.dense import Dense
from serving.llm.upcycle.equal import ROUNDINGS, TOLERANCE, difference, outputs, set_top_k
from serving.llm.upcycle.plan import Dtype, Plan
from serving.llm.upcycle.record import Difference, Parameters, Record, write_record
from serving.llm.upcycle.shape import CLASSES, config_fields
from serving.llm.upcycle.weights import upcycled

Tell = Callable[[str], None]
_BYTES = {"bfloat16": 2, "float32": 4}
_TEMPLATE = "chat_template.jinja"


def write_upcycle(dense: Dense, plan: Plan, out: Path, tell: Tell | None = None) -> Record:
    """Return the record of a checkpoint that was made, checked and written to a new folder.

    Args:
        dense: The dense model; it is left as it is.
        plan: What to make.
        out: Folder to write; it must not exist, or be empty.
        tell: Told what is done.

    Raises:
        ContractError: The dense model cannot be upcycled exactly, or the folder is taken.
        UnavailableError: Its outputs are not those of the dense model, or the disk is full.
    """
    told = tell or _silent
    torch, transformers = extra.torch(), extra.transformers()
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise ContractError(str(out), "exists already", "name a new folder")
    told("making the mixture")
    mixture = _mixture(dense, plan, torch, transformers)
    parameters = count(mixture, dense.model)
    require_space(out.parent, parameters.total * _BYTES[plan.dtype], beside=0)
    told("comparing it with the dense model")
    found = _checked(dense, mixture, plan, torch)
    record = Record(
        plan=plan,
        source=dense.source,
        parameters=parameters,
        differences=found,
        versions={"torch": torch.__version__, "transformers": transformers.__version__},
    )
    told("writing it")
    _write(mixture, dense.tokenizer, record, out)
    return record


def count(mixture: Any, dense: Any) -> Parameters:
    """Return the sizes of a mixture and of the dense model that it was made of."""
    total, active = counted(mixture)
    return Parameters(total=total, active=active, dense=sum(p.numel() for p in dense.parameters()))


def counted(mixture: Any) -> tuple[int, int]:
    """Return how many numbers a mixture has, and how many of them work on one token.

    Counted over its tensors, tied ones once: of the routed experts top-k work on a token.
    """
    total = sum(p.numel() for p in mixture.parameters())
    stacked = [p for name, p in mixture.named_parameters() if ".mlp.experts." in name]
    routed = sum(p.numel() for p in stacked)
    experts = stacked[0].shape[0]
    return total, total - routed + routed * mixture.config.num_experts_per_tok // experts


def template() -> str:
    """Return the chat template with tools."""
    return files("serving.llm.upcycle").joinpath(_TEMPLATE).read_text(encoding="utf-8")


def _mixture(dense: Dense, plan: Plan, torch: Any, transformers: Any) -> Any:
    config_class, model_class = (getattr(transformers, name) for name in CLASSES[plan.form])
    config = config_class(**config_fields(dense.model.config.to_dict(), plan))
    mixture = model_class(config)
    wanted = {name: tuple(tensor.shape) for name, tensor in mixture.state_dict().items()}
    mixture.load_state_dict(upcycled(dense.model.state_dict(), wanted, plan, torch), strict=True)
    mixture.tie_weights()
    return mixture.eval()


def _checked(dense: Dense, mixture: Any, plan: Plan, torch: Any) -> tuple[Difference, ...]:
    """Return the differences in float32 for one, top-k and all experts, then as it is written."""
    wanted = sorted({1, plan.top_k, plan.experts})
    expected = outputs(dense.model, dense.tokenizer, torch)

    def differ(top_k: int, dtype: Dtype, tolerance: float) -> Difference:
        set_top_k(mixture, top_k)
        seen = outputs(mixture, dense.tokenizer, torch)
        found = difference(expected, seen, top_k=top_k, dtype=dtype, tolerance=tolerance)
        if not found.equal:
            raise UnavailableError(
                "upcycled model",
                f"a logit differs by {found.largest:.3g} from the dense model's "
                f"({dtype}, top-{top_k}; {found.tolerance:.3g} is allowed)",
                "it was not written; another version of transformers may compute otherwise",
            )
        return found

    found = [differ(top_k, "float32", TOLERANCE) for top_k in wanted]
    if plan.dtype == "bfloat16":
        rounded = outputs(copy.deepcopy(dense.model).to(torch.bfloat16), dense.tokenizer, torch)
        allowed = ROUNDINGS * float((rounded - expected).abs().max())
        mixture.to(torch.bfloat16)
        found += [differ(top_k, "bfloat16", allowed) for top_k in wanted]
    set_top_k(mixture, plan.top_k)
    return tuple(found)


def _write(mixture: Any, tokenizer: Any, record: Record, out: Path) -> None:
    """Write everything beside the folder, then give it its name."""
    tokenizer.chat_template = template()
    made = Path(tempfile.mkdtemp(dir=out.parent, prefix=f"{out.name}.partial-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mixture.save_pretrained(made, safe_serialization=True)
            tokenizer.save_pretrained(made)
        write_record(record, made)
        (made / "README.md").write_text(card(record), encoding="utf-8")
        made.chmod(0o755)
        if out.exists():
            out.rmdir()
        made.rename(out)
    except OSError as error:
        raise UnavailableError(str(out), f"cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _silent(what: str) -> None:
    """Say nothing."""
