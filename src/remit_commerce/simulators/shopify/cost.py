"""What a query costs, and the bucket it is paid from.

Owns: the vendor's published rules (an object 1, scalars nothing, a connection as many as its ``first``, a mutation 10;
at most 1,000 points for one query; a bucket that fills with so many points a second). The vendor does not publish every
field's cost: this is an upper estimate, so what is too dear here may be allowed there, and not the other way round.
Does not know: what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import get_argument_values, get_variable_values

from remit_commerce.simulators.book import JsonObject
from remit_commerce.simulators.shopify.graph import admin_schema

QUERY_COST_MAX: Final = 1_000
MUTATION_COST: Final = 10
BUCKET_SECONDS: Final = 20
"""The bucket holds this many seconds of its restore rate: 2,000 points on the standard plan."""

RESTORE_RATES: Final = (100, 200, 1_000, 2_000)
"""Points a second on the standard, advanced, Plus and enterprise plans."""


class CostBucket:
    """The leaky buckets of all callers, refilled by the simulated clock. In memory: a restart fills them."""

    def __init__(self) -> None:
        self.restore_rate = RESTORE_RATES[0]
        self._levels: dict[str, tuple[float, float]] = {}

    @property
    def capacity(self) -> int:
        """Return how many points a full bucket holds."""
        return self.restore_rate * BUCKET_SECONDS

    def available(self, account: str, *, now: float) -> float:
        """Return a caller's points."""
        level, at = self._levels.get(account, (float(self.capacity), now))
        return min(float(self.capacity), level + max(0.0, now - at) * self.restore_rate)

    def spend(self, account: str, cost: int, *, now: float) -> float:
        """Take points and return what is left."""
        left = self.available(account, now=now) - cost
        self._levels[account] = (left, now)
        return left

    def status(self, account: str, cost: int, *, actual: int | None, now: float) -> JsonObject:
        """Return what every answer carries in ``extensions.cost``."""
        throttle: JsonObject = {
            "maximumAvailable": self.capacity,
            "currentlyAvailable": int(self.available(account, now=now)),
            "restoreRate": self.restore_rate,
        }
        return {"requestedQueryCost": cost, "actualQueryCost": actual, "throttleStatus": throttle}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    variables: Any
    fragments: Mapping[str, FragmentDefinitionNode]


def requested_cost(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
    """Return the most that an operation may cost."""
    schema = admin_schema()
    values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    known = _Document(variables={} if isinstance(values, list) else values, fragments=fragments)
    if operation.operation is OperationType.MUTATION:
        return MUTATION_COST * len(operation.selection_set.selections)
    assert schema.query_type is not None
    return _cost_of(operation.selection_set, schema.query_type, known)


def actual_cost(data: Any) -> int:
    """Return what an answer really cost: its objects, without the wrappers of connections."""
    if isinstance(data, Sequence) and not isinstance(data, str):
        return sum(actual_cost(item) for item in data)
    if not isinstance(data, Mapping):
        return 0
    inner = sum(actual_cost(value) for name, value in data.items() if name != "pageInfo")
    return inner + (0 if {"nodes", "edges", "node"} & data.keys() else 1)


def _cost_of(selections: SelectionSetNode | None, parent: Any, known: _Document) -> int:
    total = 0
    for node in selections.selections if selections is not None else ():
        match node:
            case FieldNode():
                total += _cost_of_field(node, parent, known)
            case FragmentSpreadNode():
                fragment = known.fragments[node.name.value]
                total += _cost_of(fragment.selection_set, _named(fragment, parent), known)
            case InlineFragmentNode():
                total += _cost_of(node.selection_set, _named(node, parent), known)
            case _:
                pass
    return total


def _cost_of_field(node: FieldNode, parent: Any, known: _Document) -> int:
    field = parent.fields.get(node.name.value)
    if field is None or node.selection_set is None or node.name.value == "pageInfo":
        return 0
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return 0
    inner = _cost_of(node.selection_set, kind, known)
    if node.name.value in {"edges", "nodes"} or kind.name.endswith("Edge"):
        return inner + (1 if node.name.value == "nodes" else 0)
    arguments = get_argument_values(field, node, known.variables)
    size = arguments.get("first") or arguments.get("last")
    if kind.name.endswith("Connection"):
        return int(size or 0) * inner
    return int(size or 1) * (1 + inner)


def _named(node: FragmentDefinitionNode | InlineFragmentNode, parent: Any) -> Any:
    condition = node.type_condition
    return parent if condition is None else admin_schema().type_map[condition.name.value]
