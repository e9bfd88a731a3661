from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from serving.storage.schema import prepare
from serving.storage.tables import METADATA
from tests.serving.storage.databases import KINDS, database_of


@pytest.mark.parametrize("kind", KINDS)
def test_the_migrations_give_the_tables_that_the_code_has(kind: str, tmp_path: Path) -> None:
    with database_of(kind, tmp_path) as database:
        prepare(database)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            differences = compare_metadata(context, METADATA)
    assert differences == [], "write a revision under serving/storage/migrations/versions"
