"""Two tools, and a kernel around them: ``python tools.py``."""

import asyncio
from pathlib import Path

from remit import Kernel, tool

HERE = Path(__file__).parent


@tool("hello.compose")
def compose(name: str) -> str:
    """Write a greeting; changes nothing, so it may run again."""
    return f"Hello, {name}!"


@tool("hello.post", side_effect="HARD_WRITE", operation="post")
def post(audience: str, text: str) -> dict[str, str]:
    """Post a greeting. It changes the world and cannot be looked up, so Remit sends it at most once."""
    print(f"  posted to {audience}: {text}")
    return {"audience": audience, "text": text}


async def main() -> None:
    """Run the orchestration once, for one person."""
    async with Kernel(tools=[compose, post], business=HERE / "remit.yaml") as kernel:
        run = await kernel.run(HERE / "hello.yaml", {"name": "Ada", "audience": "Ada"})
        print(f"  run {run.run_id}: {run.status}")


if __name__ == "__main__":
    asyncio.run(main())
