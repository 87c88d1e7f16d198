"""Write ``docs/assurance/README.md`` anew from the promises and the records of the campaigns.

python -m tests.assurance
"""

import sys

from tests.assurance.page import PAGE, render
from tests.assurance.promises import read_promises

if __name__ == "__main__":
    PAGE.write_text(render(read_promises()), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
