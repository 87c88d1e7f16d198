"""LangGraph: a state graph with its PostgreSQL saver and ``durability="sync"``, which stores each step before the next.

With ``BENCH_API=tasks`` the functional API, whose tasks' results are stored in the background.
"""

from __future__ import annotations

import asyncio
import contextlib
import operator
import os
import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.peers.harness import Engine, gather_many, payload, serve

POOL_SIZE = 20
IS_FUNCTIONAL = os.environ.get("BENCH_API") == "tasks"
first_step_at: dict[str, float] = {}


class SequenceState(TypedDict, total=False):
    """State of a sequence."""

    key: str
    last: dict[str, Any]


class FanOutState(TypedDict, total=False):
    """State of a fan-out."""

    steps: int
    number: int
    done: Annotated[list[Any], operator.add]


@task
async def step(number: int, key: str) -> dict[str, Any]:
    """Return a payload."""
    if key:
        first_step_at.setdefault(key, time.perf_counter())
    return payload(number)


def sequence_graph(saver: Any, steps: int) -> Any:
    """Return a graph of steps one after another."""

    def node(number: int) -> Any:
        async def work(state: SequenceState) -> SequenceState:
            if number == 0 and state.get("key"):
                first_step_at.setdefault(state["key"], time.perf_counter())
            return {"last": payload(number)}

        return work

    graph = StateGraph(SequenceState)
    previous = START
    for number in range(steps):
        graph.add_node(f"s{number}", node(number))
        graph.add_edge(previous, f"s{number}")
        previous = f"s{number}"
    graph.add_edge(previous, END)
    return graph.compile(checkpointer=saver)


def fan_out_graph(saver: Any) -> Any:
    """Return a graph that sends its steps out at once."""

    async def start(_: FanOutState) -> FanOutState:
        return {}

    async def work(state: FanOutState) -> FanOutState:
        return {"done": [payload(state["number"])]}

    graph = StateGraph(FanOutState)
    graph.add_node("start", start)
    graph.add_node("work", work)
    graph.add_edge(START, "start")
    graph.add_conditional_edges(
        "start", lambda state: [Send("work", {"number": number}) for number in range(state["steps"])], ["work"]
    )
    graph.add_edge("work", END)
    return graph.compile(checkpointer=saver)


def functional(saver: Any) -> tuple[Any, Any]:
    """Return both workloads in the functional API."""

    @entrypoint(checkpointer=saver)
    async def sequence(request: dict[str, Any]) -> Any:
        result = None
        for number in range(request["steps"]):
            result = await step(number, request["key"])
        return result

    @entrypoint(checkpointer=saver)
    async def fan_out(request: dict[str, Any]) -> Any:
        return await asyncio.gather(*(step(number, "") for number in range(request["steps"])))

    return sequence, fan_out


class LangGraphEngine:
    """LangGraph in this process."""

    def __init__(self, saver: Any, pool: AsyncConnectionPool[Any]) -> None:
        self.first_step_at = first_step_at
        self._saver = saver
        self._pool = pool
        self._graphs: dict[int, Any] = {}
        self._fan_out = fan_out_graph(saver)
        self._functional = functional(saver)
        self._runs = 0

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        if IS_FUNCTIONAL:
            return await self._invoke(self._functional[0], {"steps": steps, "key": key})
        if steps not in self._graphs:
            self._graphs[steps] = sequence_graph(self._saver, steps)
        state = await self._invoke(self._graphs[steps], {"key": key, "last": {}})
        return state["last"]

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        if IS_FUNCTIONAL:
            return await self._invoke(self._functional[1], {"steps": steps})
        state = await self._invoke(self._fan_out, {"steps": steps, "done": []})
        return state["done"]

    async def results(self, outcomes: list[Any]) -> list[Any]:
        return outcomes

    async def finished(self) -> int:
        async with self._pool.connection() as connection:
            found = await connection.execute("select count(distinct thread_id) as runs from checkpoints")
            row = await found.fetchone()
        return row["runs"]

    async def _invoke(self, graph: Any, request: dict[str, Any]) -> Any:
        config = {"configurable": {"thread_id": str(uuid.uuid4())}, "recursion_limit": 100}
        return await graph.ainvoke(request, config, durability="sync")


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    url = os.environ["BENCH_DATABASE_URL"]
    async with AsyncConnectionPool(url, min_size=POOL_SIZE, max_size=POOL_SIZE, kwargs=options, open=False) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield LangGraphEngine(saver, pool)


if __name__ == "__main__":
    serve(opened)
