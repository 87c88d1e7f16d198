"""Alembic's entry point: writes the script that `remit.store.migrate` runs.

Does not know: any database. The version table lives in ``remit``.
"""

from alembic import context

context.configure(
    dialect_name="postgresql",
    version_table="schema_versions",
    version_table_schema="remit",
    transactional_ddl=False,
)
context.run_migrations()
