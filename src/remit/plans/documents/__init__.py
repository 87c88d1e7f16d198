"""Strict, position-preserving reading of YAML and JSON."""

from remit.plans.documents.decoding import DOCUMENT_BYTES_MAX, EXPRESSIONS_MAX, VALUES_MAX
from remit.plans.documents.json_reader import read_json_within
from remit.plans.documents.reading import read_document
from remit.plans.documents.tree import (
    Document,
    Entry,
    Invalid,
    Mapping,
    Node,
    Pointer,
    Scalar,
    Sequence,
    describe,
    follow,
    plain_value,
    shorten,
)

__all__ = [
    "DOCUMENT_BYTES_MAX",
    "EXPRESSIONS_MAX",
    "VALUES_MAX",
    "Document",
    "Entry",
    "Invalid",
    "Mapping",
    "Node",
    "Pointer",
    "Scalar",
    "Sequence",
    "describe",
    "follow",
    "plain_value",
    "read_document",
    "read_json_within",
    "shorten",
]
