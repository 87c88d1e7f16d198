"""Function tools: a plain function as a tool.

Owns: ``FunctionTool``: arguments become the annotated types, the answer becomes JSON, and a synchronous function runs
in a thread. Does not know: how the contract was found (``inference``), or whether the call is allowed (the pipeline).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

import msgspec

from remit.core.canonical import JsonValue
from remit.errors import ToolError
from remit.governance.contracts import ToolContract
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.tools.inference import Shape

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

Lookup = Callable[[Mapping[str, JsonValue], ToolContext], Awaitable[LookupResult]]


class FunctionTool(Generic[Parameters, Answer]):
    """A tool whose work is one function. Calling the tool itself calls the function, as its own tests want to."""

    __slots__ = ("_contract", "_function", "_is_coroutine", "_lookup", "_shape")

    def __init__(
        self,
        function: Callable[Parameters, Answer],
        *,
        contract: ToolContract,
        shape: Shape,
        lookup: Lookup | None = None,
    ) -> None:
        self._function = function
        self._contract = contract
        self._shape = shape
        self._lookup = lookup
        self._is_coroutine = inspect.iscoroutinefunction(function)

    def __call__(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        """Call the function directly, past every check: for tests of the function, and for other functions."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<tool {self._contract.name} {self._contract.version}>"

    @property
    def contract(self) -> ToolContract:
        """Return the contract; the same object each time."""
        return self._contract

    @property
    def lookup(self) -> Lookup | None:
        """Return the read-only search for a call's effect, or ``None``."""
        return self._lookup

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Do the work once.

        A synchronous function runs in a thread. When its time is over the call ends, but the thread cannot be stopped:
        functions that wait long should be asynchronous.

        Raises:
            ToolError: the function raised it, or the arguments or the answer do not fit the annotations.
        """
        keywords = self._keywords(arguments, context)
        function: Callable[..., Any] = self._function
        answer = await function(**keywords) if self._is_coroutine else await asyncio.to_thread(function, **keywords)
        if isinstance(answer, ToolResult):
            return answer
        output = self._output(answer)
        return ToolResult(output=output, external_reference=self._reference(output))

    def _keywords(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> dict[str, Any]:
        try:
            keywords = self._shape.keywords(arguments)
        except msgspec.ValidationError as error:
            raise ToolError(
                f"expected arguments of {self._contract.name} as annotated, got others: {error}",
                reason="ARGUMENTS_UNUSABLE",
            ) from error
        if self._shape.context_name is not None:
            keywords[self._shape.context_name] = context
        return keywords

    def _output(self, answer: object) -> JsonValue:
        try:
            output: JsonValue = msgspec.to_builtins(answer, str_keys=True)
        except (TypeError, msgspec.ValidationError) as error:
            raise ToolError(
                f"expected JSON data, a record or a ToolResult from {self._contract.name}, got "
                f"{type(answer).__name__}; the work is done, but its result is lost",
                effect="unknown" if self._contract.has_effect else "none",
                reason="RESULT_UNUSABLE",
            ) from error
        return output

    def _reference(self, output: JsonValue) -> str | None:
        path = self._contract.external_reference_path
        if path is None:
            return None
        found: JsonValue = output
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return str(found) if isinstance(found, str | int) else None
