"""Versions side by side: a schema that moves under running workers, and data that moves to a newer server."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from dataclasses import asdict
from pathlib import Path

import asyncpg
import msgspec
import pytest

from campaigns.planting import Bug, plant
from remit.errors import StoreUnavailableError, TenantContextError, UnsafeDatabaseError
from remit.ids import RunId
from remit.settings import programs_of
from remit.store import Database
from remit.store.binaries import find_programs
from remit.store.database import SCHEMA_VERSION
from remit.store.migrate import status
from remit.testing.database import ScratchDatabase, pristine_database
from tests.integration.runtime.stage import Stage
from tests.integration.store.newcomer import RUNS, Told, tools
from tests.servers import Servers

ROOT = Path(__file__).resolve().parents[3]
NEXT = "0002"
SECONDS_MAX = 60.0

NEXT_SCHEMA = Bug(
    name="next schema",
    file="remit/store/database.py",
    old=f'SCHEMA_VERSION: Final = "{SCHEMA_VERSION}"',
    new=f'SCHEMA_VERSION: Final = "{NEXT}"',
)
NEXT_MIGRATION = f'''
from remit.store.migrate import run_file

revision = "{NEXT}"
down_revision = "{SCHEMA_VERSION}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/{NEXT}.up.sql")


def downgrade() -> None:
    run_file("migrations/{NEXT}.down.sql")
'''
UP = """
alter table remit.runs add column rehearsal text;
alter table remit.heads add column rehearsal_count integer not null default 0;
create table remit.rehearsals (tenant_id text, name text, primary key (tenant_id, name));
alter table remit.rehearsals enable row level security;
alter table remit.rehearsals force row level security;
create function remit.rehearse_v2() returns integer language sql as 'select 2';
"""
DOWN = """
drop function remit.rehearse_v2();
drop table remit.rehearsals;
alter table remit.heads drop column rehearsal_count;
alter table remit.runs drop column rehearsal;
"""
PRIVILEGES = """
select c.relname || ' ' || p from pg_class c, unnest(array['select', 'insert', 'update', 'delete', 'truncate']) p
where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege('remit_app', c.oid, p)
union all
select p.oid::regprocedure || ' ' || p.proowner::regrole || ' ' || p.prosecdef from pg_proc p
where p.pronamespace = 'remit'::regnamespace and has_function_privilege('remit_app', p.oid, 'execute')
union all
select c.relname || ' ' || c.relowner::regrole || ' ' || c.relrowsecurity || c.relforcerowsecurity from pg_class c
where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p')
union all
select tablename || ' ' || policyname || ' ' || roles::text || ' ' || coalesce(qual, '') || coalesce(with_check, '')
from pg_policies where schemaname = 'remit'
order by 1
"""


def plant_next_version(folder: Path) -> dict[str, str]:
    """The environment of the next version: ours with one more migration, as the rules for migrations allow it."""
    environment = plant(folder, NEXT_SCHEMA)
    migrations = folder / "src/remit/store/migrations"
    (migrations / "versions" / f"{NEXT}_rehearsal.py").write_text(NEXT_MIGRATION, encoding="utf-8")
    (migrations / f"{NEXT}.up.sql").write_text(UP, encoding="utf-8")
    (migrations / f"{NEXT}.down.sql").write_text(DOWN, encoding="utf-8")
    return environment


async def run_process(*command: str, environment: dict[str, str] | None = None, said: bytes = b"") -> bytes:
    """What a process prints that has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(SECONDS_MAX):
        output, errors = await process.communicate(said)
    assert 0 == process.returncode, errors.decode()
    return output


class Busy:
    """A worker that is kept busy: one run after the other, until told to stop."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ended: list[RunId] = []
        self._news: asyncio.Queue[str] = asyncio.Queue()
        self._is_told_to_stop = False

    async def work(self) -> None:
        """Run runs and note how they end."""
        while not self._is_told_to_stop:
            try:
                run = await self.stage.run(self.stage.step("t.work"))
            except StoreUnavailableError:
                # A reader that met the migration's locks head-on is told to ask again.
                await asyncio.sleep(0)
                continue
            self.ended.append(run.run_id)
            self._news.put_nowait(run.status)

    async def more(self, count: int = 3) -> None:
        """Return when so many runs that were begun from now on have ended, all of them well."""
        while not self._news.empty():
            assert "completed" == self._news.get_nowait()
        async with asyncio.timeout(SECONDS_MAX):
            assert {"completed"} == {await self._news.get() for _ in range(count + 1)}

    def stop(self) -> None:
        """Let the run in hand be the last."""
        self._is_told_to_stop = True


async def test_old_workers_go_on_while_the_schema_moves(pristine: ScratchDatabase, tmp_path: Path) -> None:
    """
    Workers of this version go on while the next one's migration runs, beside its workers, and after it was taken back.
    """
    environment = plant_next_version(tmp_path) | {"DATABASE_URL": pristine.owner_url}
    migrate = (sys.executable, "-c", "from remit.cli import main; main()", "db")
    newcomer = (sys.executable, "-m", "tests.integration.store.newcomer")
    async with Stage(pristine, *tools()) as stage:
        await stage.ask_before("t.pay")
        waiting = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(waiting, "approval of pay")
        busy = Busy(stage)
        async with asyncio.TaskGroup() as group:
            group.create_task(busy.work())
            await busy.more()
            await run_process(*migrate, "upgrade", environment=environment)
            moved = await status(pristine.owner_url)
            await busy.more()
            with pytest.raises(UnsafeDatabaseError, match="use the newer Remit"):
                await Database(pristine.app_url).connect()
            said = await run_process(*newcomer, environment=environment, said=msgspec.json.encode(asdict(pristine)))
            await busy.more()
            await run_process(*migrate, "downgrade", "--to", SCHEMA_VERSION, "--yes", environment=environment)
            await busy.more()
            busy.stop()
        verified = [await stage.is_replayed(run_id) for run_id in [waiting, *busy.ended]]

    assert NEXT == moved[0]
    told = msgspec.json.decode(said.splitlines()[-1], type=Told)
    assert Told(schema_version=NEXT, completed=RUNS + 1, verified=RUNS + 1) == told
    assert 12 < len(busy.ended)
    assert all(verified)
    assert (SCHEMA_VERSION, SCHEMA_VERSION) == await status(pristine.owner_url)


async def read_privileges(url: str) -> list[str]:
    """Who may do what, and the policies, in words."""
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(PRIVILEGES)]
    finally:
        await connection.close()


async def move(old: ScratchDatabase, new: ScratchDatabase, folder: Path) -> None:
    """Dump a database of version 15 and restore it in one of version 18 that has no schema yet."""
    connection = await asyncpg.connect(new.admin_url)
    await connection.execute("drop schema remit cascade")
    await connection.close()
    dump = str(folder / "remit.dump")
    programs = {major: find_programs(major, programs_of(major)) for major in (15, 18)}
    await run_process(str(programs[15] / "pg_dump"), "--format=custom", f"--file={dump}", old.admin_url)
    await run_process(str(programs[18] / "pg_restore"), "--exit-on-error", f"--dbname={new.admin_url}", dump)


async def ask_without_tenant(stage: Stage) -> None:
    """Ask for rows without saying whose."""
    async with stage.kernel.store.database.session() as session:
        await session.fetch({"probe": "select 1 from remit.runs"}, "probe")


async def test_data_of_15_goes_on_in_18(servers: Servers, tmp_path: Path) -> None:
    """
    A dump of version 15 restored in 18 has the same rights and policies; its runs go on, and their journals verify.
    """
    async with pristine_database(servers.of(15)) as old, pristine_database(servers.of(18)) as new:
        async with Stage(old, *tools()) as stage:
            await stage.ask_before("t.pay")
            finished = await stage.run(stage.step("t.work"))
            waiting = await stage.submit(stage.step("t.pay"))
            await stage.wait_for(waiting, "approval of pay")
        await move(old, new, tmp_path)
        before, after = await read_privileges(old.admin_url), await read_privileges(new.admin_url)
        work, pay = tools()
        async with Stage(new, work, pay) as stage:
            major = stage.kernel.store.database.server_version.partition(".")[0]
            with pytest.raises(TenantContextError):
                await ask_without_tenant(stage)
            await stage.ask_before("t.pay")
            await stage.decide(await stage.approval())
            ended = await stage.end(waiting)
            verified = [await stage.is_replayed(run_id) for run_id in (finished.run_id, waiting)]

    assert "18" == major
    assert 60 < len(before)
    assert before == after
    assert ("completed", 1) == (ended.status, len(pay.effects))
    assert [True, True] == verified
