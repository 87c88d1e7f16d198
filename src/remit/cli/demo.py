"""``remit demo``: a governed order on this machine, from a signed webhook to receipts."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import typer

from remit.cli import demo_story as acts
from remit.cli.demo_shop import Shop
from remit.cli.demo_stage import Stage, prepare_folder
from remit.cli.options import Options, options_of, single
from remit.cli.output import short_run
from remit.cli.session import open_session, run_in_loop, settings_of
from remit.clock import monotonic
from remit.settings import Settings
from remit.store.embedded import default_data_dir

app, command = single(
    "Run a governed order on this machine in under a minute: a signed webhook, an approval, receipts and a replay; "
    "then kill a worker in the middle of a second order. Every claim is checked; exit code 4 if one does not hold."
)


@command
def demo(context: typer.Context) -> None:
    """Play the demo in a folder of its own; the folder stays, so that you can look around."""
    options = options_of(context)
    began = monotonic()
    folder = (options.data_dir or default_data_dir() / "demo").absolute()
    leftovers = prepare_folder(folder)
    run_in_loop(_demo(options, folder, leftovers=leftovers, began=began))


async def _demo(options: Options, folder: Path, *, leftovers: list[Path], began: float) -> None:
    own = replace(settings_of(options), data_dir=folder, database_url=None, database_app_url=None, tenant="default")
    stage = Stage(folder=folder, settings=own)
    stage.say(
        "Remit runs agents and workflows within their remit. Watch it handle an order: what it may do, who must agree, "
        "and proof of everything that happened."
    )
    cleaning = [asyncio.to_thread(shutil.rmtree, path, ignore_errors=True) for path in leftovers]
    sweeping = asyncio.gather(*cleaning)
    try:
        shop = await acts.start_simulators(stage)
        await _play(stage, shop, own)
    finally:
        await stage.close()
        await sweeping
    _say_goodbye(stage, seconds=monotonic() - began)


async def _play(stage: Stage, shop: Shop, settings: Settings) -> None:
    secrets_file, values = acts.make_secrets(stage.folder)
    async with open_session(Options(data_dir=stage.folder), settings=settings) as session:
        story = acts.Story(stage=stage, session=session, shop=shop, secrets=values)
        await acts.set_up(story, secrets_file)
        first = await acts.receive_order(story)
        approval = await acts.ask_for_approval(story, first.run_id)
        await acts.approve_and_ship(story, first.run_id, approval)
        await acts.prove(story, first.run_id)
        second = await acts.kill_worker(story)
        await acts.compare_books(story, second.run_id)
        await stage.close()
    stage.act("Look around")
    for words in (
        ("runs", "list"),
        ("runs", "trace", short_run(second.run_id)),
        ("approvals", "list", "--all"),
        ("events", "list"),
        ("definitions", "show", "order-fulfilment"),
    ):
        stage.say(f"  remit {' '.join(words)} --data-dir {shlex.quote(str(stage.folder))}")


def _say_goodbye(stage: Stage, *, seconds: float) -> None:
    stage.say("")
    stage.say(f"All {stage.claims} claims were checked, in {seconds:.0f} s. Begin with your own: remit init FOLDER")
