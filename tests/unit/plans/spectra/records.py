"""Records of SPECTRA plans in tests."""

from pathlib import Path

from remit.diagnostics import Diagnostics
from remit.plans.spectra import SpectraPlan, read_spectra
from remit.plans.texts import PlanReporter, read_text

SEED = Path(__file__).parents[3] / "plans" / "seeds" / "spectra-payments-audit-plan.md"

HEAD = "# SPECTRA Execution Plan\n\n## Project: Shop\n## Level: 0\n## Generated: 2026-02-10\n\n"
TASK = """\
## Task 001: Add login
- [ ] 001: Add login
- AC:
  - POST /login returns 200.
- Files: src/login.ts
- Verify: `npm test login`
"""


def record(text: str | bytes, *, level: int | None = None) -> SpectraPlan:
    """Return the record of a text, whatever is found in it."""
    raw = text if isinstance(text, bytes) else text.encode()
    diagnostics = Diagnostics()
    read = read_text(raw, path="plan.md", diagnostics=diagnostics)
    assert read is not None
    return read_spectra(read, PlanReporter(read, diagnostics), level=level).plan
