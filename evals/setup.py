"""What is under test in a run: the model, its weights, the prompts and the index."""

from agent.llm.choice import Choice
from agent.llm.pool.approval import Setup, prompts_hash
from agent.llm.pool.config import read_pool
from knowledge.settings import Settings
from serving.agent_runs import open_index


def setup_of(choice: Choice, settings: Settings) -> Setup | None:
    """Return what is under test; None without a model.

    The revision is the one that the file of the pool states for the model of this name.

    Args:
        choice: The model under test.
        settings: Where pool and index are.
    """
    if choice.llm is None:
        return None
    identity = choice.llm.identity
    rows = {} if settings.llm_pool is None else read_pool(settings.llm_pool).models
    row = rows.get(identity.name)
    searcher, _ = open_index(settings)
    return Setup(
        model=identity.name,
        sha256=identity.sha256,
        revision="" if row is None else row.revision,
        server=identity.server,
        prompts_sha256=prompts_hash(),
        index_sha256=searcher.sha256 if searcher is not None else "",
    )
