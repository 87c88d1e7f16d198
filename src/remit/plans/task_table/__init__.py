"""Task tables: tasks in Markdown tables, with the tables and drawings around them."""

from remit.plans.task_table.front import likeness, read
from remit.plans.task_table.record import TaskTable
from remit.plans.task_table.updating import set_field, set_state
from remit.plans.task_table.writing import write

__all__ = ["TaskTable", "likeness", "read", "set_field", "set_state", "write"]
