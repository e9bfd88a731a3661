"""Open what this installation keeps."""

from knowledge.settings import Settings
from serving.storage.database import Database
from serving.storage.files import FileStore
from serving.storage.schema import prepare


def open_storage(settings: Settings) -> tuple[Database, FileStore]:
    """Return the database, at the tables of this version, and the file store.

    Raises:
        InvalidValueError: The database URL is none that is taken.
        UnavailableError: The database or the data folder cannot be used.
    """
    database = Database.of(settings)
    prepare(database)
    return database, FileStore(settings.data_dir)
