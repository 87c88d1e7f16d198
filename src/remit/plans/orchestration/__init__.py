"""Orchestration documents: YAML or JSON in, definition out."""

from remit.plans.orchestration.compiling import CompileResult, compile_orchestration

__all__ = ["CompileResult", "compile_orchestration"]
