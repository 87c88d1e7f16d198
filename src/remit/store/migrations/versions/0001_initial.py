"""Make the first version of the schema."""

from remit.store.migrate import run_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = (
    "partitions",
    "records",
    "submit_v1",
    "append_phases",
    "append_v1",
    "load_v1",
    "outbox_v1",
    "dispatch_v1",
    "suspects_v1",
    "inbox_v1",
    "approvals_v1",
    "reservation_v1",
)


def upgrade() -> None:
    """Create tables, then functions, then say who may do what."""
    run_file("migrations/0001_initial.up.sql")
    for name in FUNCTIONS:
        run_file(f"functions/{name}.sql")
    run_file("migrations/0001_security.up.sql")


def downgrade() -> None:
    """Drop everything but the schema itself."""
    run_file("migrations/0001_initial.down.sql")
