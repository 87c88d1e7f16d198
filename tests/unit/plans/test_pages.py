"""The examples of the reference pages compile."""

import re
from pathlib import Path

from remit.governance.contracts import ToolContract
from remit.plans.bounds import BOUNDS
from remit.plans.business import compile_business
from remit.plans.business.tables import APPROVAL_RULE, BREAKER, SCOPE, SUBSCRIPTION
from remit.plans.business.tables import DOCUMENT as REMIT_FILE
from remit.plans.fields import FieldTable
from remit.plans.orchestration import compile_orchestration
from remit.plans.orchestration.tables import DOCUMENT, GATE, LOOP, PARAMETER, RETRY, STEP, TRIGGER, WAIT
from tests.unit.plans.reading import lines

PAGES = Path(__file__).parents[3] / "docs" / "reference"
EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def page(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def example(name: str) -> bytes:
    found = EXAMPLE.search(page(name))
    assert found is not None
    return found[1].encode()


def contract(name: str, *arguments: str) -> ToolContract:
    properties = {argument: {} for argument in arguments}
    return ToolContract(name=name, input_schema={"type": "object", "properties": properties})


def unmentioned(text: str, *tables: FieldTable) -> set[str]:
    """Return the fields and other names that a page does not mention."""
    names = {name for table in tables for name in table.names | table.other_names.keys()}
    return {name for name in names if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text)}


def test_orchestration_page_compiles_and_names_every_field() -> None:
    """
    The example of the page is a valid document, and no field is left out.
    """
    contracts = {
        "shopify.order.get": contract("shopify.order.get", "id"),
        "stripe.pi.authorize": contract("stripe.pi.authorize", "amount"),
    }
    result = compile_orchestration(example("orchestration.md"), path="a.yaml", contracts=contracts)
    tables = (DOCUMENT, STEP, RETRY, WAIT, LOOP, GATE, TRIGGER, PARAMETER, BOUNDS)

    assert [] == lines(result.diagnostics)
    assert set() == unmentioned(page("orchestration.md"), *tables)


def test_remit_file_page_compiles_and_names_every_field() -> None:
    """
    The example of the page is a valid remit file, and no field is left out.
    """
    result = compile_business(example("remit-file.md"), path="remit.yaml")

    assert [] == lines(result.diagnostics)
    assert set() == unmentioned(page("remit-file.md"), REMIT_FILE, SCOPE, APPROVAL_RULE, BREAKER, SUBSCRIPTION)
