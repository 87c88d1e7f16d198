"""``remit plan``: plan documents checked, shown, converted and compiled; no database is needed."""

from __future__ import annotations

from remit.cli.options import Noun
from remit.cli.plan_check import check_plans
from remit.cli.plan_compile import CompilingCommand, compile_file
from remit.cli.plan_convert import convert_plan
from remit.cli.plan_lsp import serve_editor
from remit.cli.plan_reading import ReadingCheckCommand, ReadingCommand
from remit.cli.plan_schema import print_schema
from remit.cli.plan_show import show_plan

plan = Noun("Check plan documents, show what is in them, and compile them to definitions.")
app = plan.app

plan.verb("check", kind=ReadingCheckCommand)(check_plans)
plan.verb("show", kind=ReadingCommand)(show_plan)
plan.verb("convert", kind=ReadingCommand)(convert_plan)
plan.verb("compile", kind=CompilingCommand)(compile_file)
plan.verb("schema")(print_schema)
plan.verb("lsp", kind=ReadingCommand)(serve_editor)
