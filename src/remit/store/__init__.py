"""The store on PostgreSQL: the only SQL of the project, and the embedded server."""

from remit.store.approvals import PostgresApprovals
from remit.store.database import Database
from remit.store.directory import PostgresDirectory
from remit.store.dispatch import PostgresDispatch
from remit.store.embedded import EmbeddedServer, Lifetime, ServerAddress
from remit.store.endpoints import PostgresEndpoints
from remit.store.inbox import PostgresInbox
from remit.store.journal import PostgresJournal
from remit.store.opening import PostgresStore, app_url_of, embedded_server, open_store
from remit.store.outbox import PostgresOutbox
from remit.store.reader import PostgresReader
from remit.store.reservation import PostgresReservation
from remit.store.session import Observer, Session

__all__ = [
    "Database",
    "EmbeddedServer",
    "Lifetime",
    "Observer",
    "PostgresApprovals",
    "PostgresDirectory",
    "PostgresDispatch",
    "PostgresEndpoints",
    "PostgresInbox",
    "PostgresJournal",
    "PostgresOutbox",
    "PostgresReader",
    "PostgresReservation",
    "PostgresStore",
    "ServerAddress",
    "Session",
    "app_url_of",
    "embedded_server",
    "open_store",
]
