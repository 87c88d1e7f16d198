"""An event loop whose clock is a number: nothing waits, everything happens in one order.

Owns: virtual time, and the order of callbacks: first in, first out, and timers by instant. The kernel's real
coroutines run on it unchanged, thousands of times faster than they could wait.
Does not know: what runs on it. It has no sockets, no threads and no signals: whatever asks for them fails.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar, cast

from remit.errors import InvariantViolated, OperationError

Result = TypeVar("Result")

_Ready = tuple[asyncio.Handle, Callable[..., object], tuple[Any, ...], Context]


class VirtualLoop:
    """Runs coroutines in virtual time; one loop for each execution. It is a loop by what it can do, not by descent.

    ``waits_max`` is how often the clock may move: what goes on longer goes round in circles.
    """

    def __init__(self, *, waits_max: int) -> None:
        self._as_loop = cast("asyncio.AbstractEventLoop", self)
        self._now = 0.0
        self._waits_left = waits_max
        self._ready: deque[_Ready] = deque()
        self._timers: list[tuple[float, int, _Ready]] = []
        self._timer_count = 0
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._main: asyncio.Task[Any] | None = None
        self.is_stuck = False
        self.unhandled: list[BaseException] = []
        """Errors of tasks that ended, save those of the world."""

    def time(self) -> float:
        """Return virtual seconds since the loop began."""
        return self._now

    def run(self, main: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end, then cancel whatever is left.

        Raises:
            InvariantViolated: it waits for something that cannot happen any more, or goes round in circles.
        """
        outer = events._get_running_loop()  # noqa: SLF001 - this is how a loop says that it runs
        events._set_running_loop(None)  # noqa: SLF001
        events._set_running_loop(self._as_loop)  # noqa: SLF001
        try:
            self._main = task = self.create_task(main)
            try:
                while not task.done():
                    self._turn()
            finally:
                self._end_tasks()
            return task.result()
        finally:
            events._set_running_loop(outer)  # noqa: SLF001

    def _turn(self) -> None:
        """Run what is ready, or else move the clock to the next timer."""
        if not self._ready:
            self._advance()
        for _ in range(len(self._ready)):
            handle, callback, args, context = self._ready.popleft()
            if not handle.cancelled():
                context.run(callback, *args)

    def _advance(self) -> None:
        while self._timers:
            when, _, ready = heapq.heappop(self._timers)
            if ready[0].cancelled():
                continue
            self._waits_left -= 1
            if self._waits_left < 0:
                self.is_stuck = True
                raise InvariantViolated("it goes on and on")
            self._now = max(self._now, when)
            self._ready.append(ready)
            return
        self.is_stuck = True
        raise InvariantViolated("every task waits, and no timer is set")

    def _end_tasks(self) -> None:
        self._timers.clear()
        left = [task for task in self._tasks if not task.done()]
        for task in left:
            task.cancel()
        while any(not task.done() for task in left) and self._ready:
            self._turn()

    # --- what asyncio asks of a loop -------------------------------------------------------------------------------

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Run a callback in this turn, or the next."""
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self._as_loop, context)
        self._ready.append((handle, callback, args, context))
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback some virtual seconds from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at an instant of the loop's clock."""
        context = copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self._as_loop, context)
        self._timer_count += 1
        heapq.heappush(self._timers, (when, self._timer_count, (handle, callback, args, context)))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self._as_loop)

    def create_task(
        self,
        coro: Coroutine[Any, Any, Result],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Result]:
        """Schedule a coroutine."""
        task: asyncio.Task[Result] = asyncio.Task(coro, loop=self._as_loop, name=name, context=context)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine that nobody waits for."""
        self._tasks[self.create_task(work)] = None

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None and task is not self._main and not isinstance(error, OperationError):
            # The world's faults are somebody's to wait for, and this cannot tell whether anybody does.
            self.unhandled.append(error)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep an error that nobody waited for."""
        error = context.get("exception")
        self.unhandled.append(error if isinstance(error, BaseException) else RuntimeError(context["message"]))

    def get_debug(self) -> bool:
        """Return false: asyncio's own checks would slow every seed down."""
        return False

    def is_running(self) -> bool:
        """Return true: nothing asks while it does not run."""
        return True

    def is_closed(self) -> bool:
        """Return false: a loop holds nothing that would have to be closed."""
        return False
