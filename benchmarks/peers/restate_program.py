"""Restate: its own server process with its default durability, and a Python service behind hypercorn over HTTP/2."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.peers.harness import Engine, gather_many, serve

READY_SECONDS_MAX = 60
TIMEOUT_SECONDS = 120
CONNECTIONS_MAX = 300


class RestateEngine:
    """A client of the ingress."""

    is_remote = True

    def __init__(self, client: httpx.AsyncClient, *, ingress: str, admin: str) -> None:
        self.first_step_at: dict[str, float] = {}
        self._client = client
        self._ingress = ingress
        self._admin = admin
        self._finished = 0

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        answer = await self._call("sequence", {"steps": steps, "key": key})
        if key and answer["first_step_at"] is not None:
            self.first_step_at[key] = answer["first_step_at"]
        return answer["result"]

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        return await self._call("fan_out", steps)

    async def results(self, outcomes: list[Any]) -> list[Any]:
        return outcomes

    async def finished(self) -> int:
        """Return how many invocations answered; that none is left is asked of the server, which forgets ended ones."""
        query = "select count(*) as open from sys_invocation where status <> 'completed'"
        answer = await self._client.post(
            f"{self._admin}/query", json={"query": query}, headers={"accept": "application/json"}
        )
        answer.raise_for_status()
        return self._finished - answer.json()["rows"][0]["open"]

    async def _call(self, handler: str, request: Any) -> Any:
        answer = await self._client.post(f"{self._ingress}/bench/{handler}", json=request)
        answer.raise_for_status()
        self._finished += 1
        return answer.json()


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine: a server with an empty folder, and the service registered with it."""
    folder = Path(os.environ["BENCH_FOLDER"])
    ingress, admin, node, service = (free_port() for _ in range(4))
    with contextlib.ExitStack() as started:
        environment = {
            **os.environ,
            "RESTATE_BIND_IP": "127.0.0.1",
            "RESTATE_BIND_PORT": str(node),
            "RESTATE_ADVERTISED_HOST": "127.0.0.1",
            "RESTATE_INGRESS__BIND_PORT": str(ingress),
            "RESTATE_ADMIN__BIND_PORT": str(admin),
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "error",
        }
        serving = [server_program(), "--no-logo", "--listen-mode", "tcp", "--node-name", "n1", "--base-dir", folder]
        server = started.enter_context(running(serving, environment))
        (folder.parent / "server.pid").write_text(str(server.pid), encoding="utf-8")
        hypercorn = Path(sys.executable).parent / "hypercorn"
        bind = ["--bind", f"127.0.0.1:{service}", "--worker-class", "uvloop", "--log-level", "warning"]
        started.enter_context(running([hypercorn, *bind, "benchmarks.peers.restate_service:app"], dict(os.environ)))
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False) as client:
            urls = {"ingress": f"http://127.0.0.1:{ingress}", "admin": f"http://127.0.0.1:{admin}"}
            await until(lambda: listens(service))
            await until(lambda: answers(client, f"{urls['admin']}/health"))
            await register(client, urls["admin"], f"http://127.0.0.1:{service}")
            await until(lambda: answers(client, f"{urls['ingress']}/restate/health"))
            yield RestateEngine(client, **urls)


def server_program() -> Path:
    """Return the server's binary, which comes with a package of its own for each platform."""
    system = {"Linux": "linux", "Darwin": "darwin"}[platform.system()]
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
    packages = Path(sys.prefix) / "node" / "node_modules" / "@restatedev"
    return packages / f"restate-server-{system}-{machine}" / "bin" / "restate-server"


@contextlib.contextmanager
def running(command: list[Any], environment: dict[str, str]) -> Any:
    """Run a process for as long as we live."""
    process = subprocess.Popen([str(part) for part in command], env=environment, stdout=2)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


async def register(client: httpx.AsyncClient, admin: str, service: str) -> None:
    """Make the service known to the server."""
    await client.post(f"{admin}/deployments", json={"uri": service, "force": True})
    (await client.get(f"{admin}/services/bench")).raise_for_status()


async def until(is_done: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(READY_SECONDS_MAX):
        while not await is_done():  # noqa: ASYNC110 - another process could not be waited for otherwise
            await asyncio.sleep(0.1)


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    """Whether something answers there."""
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False


async def listens(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    serve(opened)
