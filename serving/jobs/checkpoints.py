"""Where the steps of agent runs are kept: in the service's own database unless told otherwise."""

from sqlalchemy.engine import make_url

from knowledge.settings import Settings
from serving.storage.database import Database


def checkpoint_place(settings: Settings, database: Database) -> str:
    """Return what `agent.graph.checkpoints.open_checkpoints` opens for the service's runs.

    Args:
        settings: `checkpoints`, where a site keeps them apart.
        database: Of the service.
    """
    if settings.checkpoints is not None:
        return settings.checkpoints
    url = make_url(database.url)
    if database.is_sqlite:
        return url.database or "memory"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
