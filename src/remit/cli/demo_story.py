"""The demo's story, act by act: a governed order, and another one whose worker dies.

Owns: what is shown and what is claimed. Each claim is checked against the kernel's records or the providers' books,
which share nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final

import orjson

from remit.cli.demo_shop import CAPTURE, SIMULATORS, Shop, documents, sample_order, small_order
from remit.cli.demo_stage import Child, Stage, write_secrets
from remit.cli.output import short_id, short_run
from remit.cli.session import Session
from remit.clock import monotonic
from remit.core.states import RunStatus
from remit.errors import NotFoundError
from remit.ids import PrincipalId, RunId, WorkerId
from remit.ports.store import Approval, Principal, RunSummary, StoredReceipt, WebhookEndpoint

LEASE_SECONDS: Final = 5
"""Short, so that another worker takes over while you watch; the default is 20 s."""

HOLD_SECONDS: Final = 30.0
SERVICE: Final = PrincipalId("commerce")
SECRETS: Final = {
    "stripe_api_key": "sk_test_",
    "shopify_access_token": "shpat_",
    "printful_token": "pf_",
    "sendgrid_api_key": "SG.",
    "shopify_webhook_secret": "",
    "printful_webhook_secret": "",
}


@dataclass(slots=True)
class Story:
    """What the acts share."""

    stage: Stage
    session: Session
    shop: Shop
    secrets: dict[str, str] = field(repr=False)
    workers: list[Child] = field(default_factory=list)
    url: str = ""
    endpoints: dict[str, str] = field(default_factory=dict)

    def hook(self, source: str) -> str:
        """Return the address that a provider posts to."""
        return f"{self.url}/webhooks/{self.endpoints[source]}"

    async def run_of(self, order: dict[str, Any]) -> RunSummary | None:
        """Return the run of an order; its submission key names the order, so there is one at most."""
        runs = await self.session.reader.list_runs(self.session.tenant_id, name="order-fulfilment", limit=10)
        found = [run for run in runs if await self._orders(run) == str(order["id"])]
        return found[0] if found else None

    async def _orders(self, run: RunSummary) -> str:
        loaded = await self.session.reader.read_run(self.session.tenant_id, run.run_id)
        return str(orjson.loads(loaded.input)["order_id"])

    async def state_of(self, run_id: RunId) -> RunSummary:
        """Return a run as it stands."""
        return await self.session.reader.get_run(self.session.tenant_id, run_id)

    def waits_for(self, run_id: RunId, what: str) -> Callable[[], Awaitable[RunSummary | None]]:
        """Return the question whether a run waits for something."""

        async def ask() -> RunSummary | None:
            run = await self.state_of(run_id)
            if run.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
                self.stage.claim(f"the run goes on, it is {run.status}", holds=False, evidence=run.error)
            return run if run.status == RunStatus.WAITING and what in (run.waiting_for or "") else None

        return ask

    def has_completed(self, run_id: RunId) -> Callable[[], Awaitable[RunSummary | None]]:
        """Return the question whether a run is complete."""

        async def ask() -> RunSummary | None:
            run = await self.state_of(run_id)
            if run.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
                self.stage.claim(f"the run completes, it {run.status}", holds=False, evidence=run.error)
            return run if run.status == RunStatus.COMPLETED else None

        return ask

    async def receipts(self, run_id: RunId) -> list[StoredReceipt]:
        """Return a run's receipts."""
        return await self.session.reader.list_receipts(self.session.tenant_id, run_id=run_id, limit=100)


async def start_simulators(stage: Stage) -> Shop:
    """Start the four providers."""
    child = await stage.start(
        "simulators", "-m", SIMULATORS, "--data-dir", str(stage.folder / "simulators"), "--until-stdin-closes"
    )
    return Shop(url=child.ready["url"], token=child.ready["token"])


def make_secrets(folder: Path) -> tuple[Path, dict[str, str]]:
    """Write the tenant's secrets."""
    return write_secrets(folder, SECRETS)


async def set_up(story: Story, secrets_file: Path) -> None:
    """Start the processes, and tell Remit what this business may do and who posts to it."""
    stage = story.stage
    stage.act("1  A small business, and its remit")
    serving = ["--data-dir", str(stage.folder), "--format", "json", "--until-stdin-closes"]
    serving += ["--lease-seconds", str(LEASE_SECONDS), "--secrets-file", str(secrets_file)]
    api, first, second = await asyncio.gather(
        stage.start("api", "-m", "remit.cli", "up", "--no-worker", "--port", "0", *serving),
        stage.start("worker-1", "-m", "remit.cli", "worker", *serving),
        stage.start("worker-2", "-m", "remit.cli", "worker", *serving),
    )
    story.url = api.ready["url"]
    story.workers += [first, second]
    stage.say(
        f"Running here: PostgreSQL (embedded), the HTTP API (process {api.pid}), two workers (processes {first.pid} "
        f"and {second.pid}), and simulators of Stripe, Shopify, Printful and SendGrid. Nothing leaves this machine."
    )
    remit, workflow = documents(stage.folder, simulators_url=story.shop.url)
    stage.say(
        "A remit file says which tools may be used, how far, and who must agree; a workflow says what to do. Both are "
        f"checked and stored. (All of this lives in {stage.folder}; commands are shown without --data-dir.)"
    )
    await stage.must("apply", str(remit), str(workflow))
    tenant_id = story.session.tenant_id
    directory = story.session.kernel.store.directory
    await directory.put_principal(Principal(tenant_id=tenant_id, principal_id=SERVICE, kind="service"))
    for source in ("shopify", "printful"):
        endpoint = await story.session.kernel.store.endpoints.put_endpoint(
            WebhookEndpoint(
                endpoint_id=token_urlsafe(24),
                tenant_id=tenant_id,
                source=source,
                secret_name=f"{source}_webhook_secret",
                principal_id=SERVICE,
            )
        )
        story.endpoints[source] = endpoint.endpoint_id


async def receive_order(story: Story) -> RunSummary:
    """Let a signed webhook start the first run."""
    stage, order = story.stage, sample_order()
    stage.act("2  An order comes in")
    stage.say(
        f"Shopify posts its orders/create webhook: order {order['name']}, {order['total_price']} {order['currency']}."
    )
    await story.shop.place(order)
    forged = await story.shop.notify(order, url=story.hook("shopify"), secret="0" * 64)
    stage.claim("a forged delivery is refused (401) and stores nothing", holds=forged == 401, evidence=forged)
    genuine = await story.shop.notify(order, url=story.hook("shopify"), secret=story.secrets["shopify_webhook_secret"])
    stage.claim("the signed one is taken (200)", holds=genuine == 200, evidence=genuine)
    again = await story.shop.notify(order, url=story.hook("shopify"), secret=story.secrets["shopify_webhook_secret"])
    runs = await story.session.reader.list_runs(story.session.tenant_id, limit=10)
    stage.claim("delivered twice, it still starts one run", holds=(again, len(runs)) == (200, 1), evidence=again)
    found = await story.run_of(order)
    if found is None:
        raise NotFoundError("there is no run of the order")
    return found


async def ask_for_approval(story: Story, run_id: RunId) -> Approval:
    """Show the run waiting, with exactly what will run, and refuse the wrong people."""
    stage = story.stage
    stage.act("3  Money waits for a second person")
    await stage.until("the capture waits for an approval", story.waits_for(run_id, "approval of capture"))
    stage.say(
        "The payment is authorised and the goods are drafted. Taking more than 100.00 needs a person, says the remit:"
    )
    await stage.must("runs", "show", short_run(run_id))
    pending = await story.session.kernel.store.approvals.list(story.session.tenant_id)
    stage.claim(
        "one request waits, and Stripe has taken nothing", holds=(len(pending), await story.shop.captures()) == (1, [])
    )
    approval = pending[0]
    await stage.must("approvals", "show", short_id(approval.approval_id))
    stage.say("")
    stage.say("Whoever asked cannot agree, nor can somebody without that role:")
    for principal in (SERVICE, "operator"):
        answer = await stage.type("approvals", "approve", short_id(approval.approval_id), "--as", principal)
        is_refused = answer.exit_code == 2 and "PERMISSION_DENIED" in answer.errors
        stage.claim(f"{principal} is refused", holds=is_refused, evidence=answer.errors)
    still = await story.session.kernel.store.approvals.get(story.session.tenant_id, approval.approval_id)
    stage.claim("the request is as it was", holds=still == approval)
    return approval


async def approve_and_ship(story: Story, run_id: RunId, approval: Approval) -> RunSummary:
    """Decide as the approver; then the goods are made, and shipped with a signed webhook."""
    stage = story.stage
    stage.act("4  The approver agrees, and the order goes on")
    words = ("approvals", "approve", short_id(approval.approval_id), "--as", "approver")
    await stage.must(*words, "--digest", approval.digest[:8], "--reason", "known customer", "--yes")
    await stage.until("the run waits for the shipment", story.waits_for(run_id, "printful.shipment_sent"))
    captures = await story.shop.captures()
    amounts = [capture["amount_minor"] for capture in captures]
    stage.claim("Stripe took 409.94 USD, once", holds=amounts == [40_994], evidence=amounts)
    stage.say(
        "The run waits for the parcel: it is a row in the database, no process is kept busy. Then the parcel leaves, "
        "and Printful's signed webhook comes in."
    )
    status = await story.shop.ship(url=story.hook("printful"), secret=story.secrets["printful_webhook_secret"])
    stage.claim("it is taken (200)", holds=status == 200, evidence=status)
    return await stage.until("the order is complete", story.has_completed(run_id))


async def prove(story: Story, run_id: RunId) -> None:
    """Show tree, receipts and replay of a finished run."""
    stage = story.stage
    stage.act("5  What happened, and the proof")
    await stage.must("runs", "show", short_run(run_id))
    await stage.must("runs", "receipts", short_run(run_id))
    receipts = await story.receipts(run_id)
    done = [(await story.shop.effects(name)) for name in ("stripe", "printful", "shopify", "sendgrid")]
    count = sum(len(effects) for effects in done)
    stage.claim(
        f"the providers' own books hold {count} effects, and each has its receipt",
        holds=count == len(receipts) > 0,
        evidence=[effect["operation"] for effects in done for effect in effects],
    )
    await replay(story, run_id)


async def replay(story: Story, run_id: RunId) -> None:
    """Fold the journal again and compare."""
    stage = story.stage
    await stage.must("runs", "replay", short_run(run_id))
    report = await story.session.kernel.runs.replay(story.session.tenant_id, run_id)
    recorded = (await story.state_of(run_id)).state_hash
    stage.claim(
        "replayed from its journal, the run has the same state hash and the same receipts", holds=report.is_verified
    )
    assert recorded is not None


async def kill_worker(story: Story) -> RunSummary:
    """Kill a worker after the provider was charged and before anybody could know; another one finishes."""
    stage, shop, order = story.stage, story.shop, small_order()
    stage.act("6  A worker dies at the worst moment")
    stage.say(
        f"Order {order['name']}, {order['total_price']} {order['currency']}: below the limit, so nobody is asked. "
        "This time Stripe takes the money, but its answer does not arrive; and then somebody kills its worker."
    )
    await shop.place(order)
    await shop.lose_answer_of(CAPTURE, hold_seconds=HOLD_SECONDS)
    status = await shop.notify(order, url=story.hook("shopify"), secret=story.secrets["shopify_webhook_secret"])
    stage.claim("the signed webhook is taken (200)", holds=status == 200, evidence=status)
    run = await stage.until("the second run exists", lambda: story.run_of(order))
    await stage.until("Stripe has taken the money", lambda: _second_capture(shop))
    owner = await _owner(story, run.run_id)
    await owner.kill()
    killed = monotonic()
    before = await story.state_of(run.run_id)
    stage.claim(
        f"Stripe has charged, the journal does not know it, and {owner.name} (process {owner.pid}) is dead: kill -9",
        holds=before.status == RunStatus.RUNNING and len(await shop.captures()) == 2,
        evidence=before.status,
    )
    stage.say(
        f"Its lease of {LEASE_SECONDS} s runs out. The other worker takes the run, finds in its journal that the "
        "capture was about to be sent, and asks Stripe again, with the same key."
    )
    await stage.until("the other worker goes on", story.waits_for(run.run_id, "printful.shipment_sent"), seconds=30)
    stage.say(f"Taken over after {monotonic() - killed:.1f} s.")
    status = await shop.ship(url=story.hook("printful"), secret=story.secrets["printful_webhook_secret"])
    stage.claim("the parcel's signed webhook is taken (200)", holds=status == 200, evidence=status)
    return await stage.until("the second order is complete", story.has_completed(run.run_id))


async def compare_books(story: Story, run_id: RunId) -> None:
    """Hold Stripe's book against the receipts: asked twice, charged once."""
    stage, shop = story.stage, story.shop
    await stage.must("runs", "show", short_run(run_id))
    captures = (await shop.captures())[1:]
    requests = (await shop.capture_requests())[1:]
    keys = {request["external_key"] for request in requests}
    receipts = [one.receipt for one in await story.receipts(run_id) if one.receipt.step == "capture"]
    stage.claim(
        f"Stripe was asked {len(requests)} times with {len(keys)} key, and charged once: 83.74 USD",
        holds=len(requests) >= 2 and len(keys) == 1 and [one["amount_minor"] for one in captures] == [8_374],
        evidence=requests,
    )
    has_one_receipt = len(receipts) == 1 and receipts[0].external_key == captures[0]["external_key"]
    stage.claim("there is one receipt for it, with the key that Stripe saw", holds=has_one_receipt, evidence=receipts)
    await replay(story, run_id)


async def _second_capture(shop: Shop) -> bool | None:
    return True if len(await shop.captures()) == 2 else None


async def _owner(story: Story, run_id: RunId) -> Child:
    """Return the worker that owns a run."""
    for child in story.workers:
        beat = await story.session.kernel.store.dispatch.heartbeat(WorkerId(child.ready["worker_id"]))
        if any(claim.run_id == run_id for claim in beat.owned):
            return child
    raise NotFoundError(f"no worker owns run {run_id}")
