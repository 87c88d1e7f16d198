"""The structure of Markdown texts, with places."""

from remit.plans.markdown.blocks import Block, Cell, Code, Heading, ListItem, Paragraph, Rule, Table
from remit.plans.markdown.reading import read_blocks

__all__ = ["Block", "Cell", "Code", "Heading", "ListItem", "Paragraph", "Rule", "Table", "read_blocks"]
