"""Remit files: YAML in, business config out."""

from remit.plans.business.compiling import BusinessResult, compile_business

__all__ = ["BusinessResult", "compile_business"]
