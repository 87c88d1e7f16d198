"""Showing plans: as a tree in the terminal, as a drawing, as a page, and as data."""

from remit.plans.showing.document import document_schema, plan_document
from remit.plans.showing.page import render_page
from remit.plans.showing.svg import render_svg
from remit.plans.showing.tree import Look, TreeLine, tree_of, tree_text
from remit.plans.showing.view import PlanView, view_plan

__all__ = [
    "Look",
    "PlanView",
    "TreeLine",
    "document_schema",
    "plan_document",
    "render_page",
    "render_svg",
    "tree_of",
    "tree_text",
    "view_plan",
]
