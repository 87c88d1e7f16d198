"""Plans to orchestrations: what a plan says becomes steps, gates, scopes and bounds."""

from remit.plans.compiling.compiling import Compilation, compile_plan
from remit.plans.compiling.settings import DEFAULTS, CompileSettings

__all__ = ["DEFAULTS", "Compilation", "CompileSettings", "compile_plan"]
