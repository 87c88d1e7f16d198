"""The simulators from outside: start and stop the process, script faults, read the books.

Owns: the process and the control API's client, synchronous, for tests and the demo. Does not know: the kernel.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
import orjson

from remit.core.canonical import JsonValue
from remit.errors import CapacityError, InputInvalidError
from remit_commerce.simulators.faults import Fault, FaultKind

STOP_SECONDS: Final = 5.0
CONTROL_SECONDS: Final = 30.0
PROVIDERS: Final = ("stripe", "shopify", "printful", "sendgrid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulators:
    """A running simulator process as tests see it."""

    url: str
    token: str = field(repr=False)
    pid: int

    def endpoints(self) -> dict[str, str]:
        """Return each provider's base URL, by the endpoint names of the tools' contracts."""
        return {name: f"{self.url}/{name}" for name in PROVIDERS}

    def fault(self, provider: str, kind: FaultKind | str, **options: Any) -> None:
        """Append a fault to the script; options are the fields of `Fault`."""
        self.add_faults([Fault(provider=provider, kind=FaultKind(kind), **options)])

    def add_faults(self, faults: Sequence[Fault]) -> None:
        """Append faults to the script."""
        self._call("POST", "/faults", msgspec.to_builtins(list(faults)))

    def pending_faults(self) -> list[JsonValue]:
        """Return the faults that were not played yet."""
        pending: list[JsonValue] = self._call("GET", "/faults")
        return pending

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._call("DELETE", "/faults")

    def advance(self, seconds: int) -> None:
        """Move the providers' clock."""
        self._call("POST", "/clock", {"seconds": seconds})

    def book(self, provider: str) -> dict[str, Any]:
        """Return a provider's whole book: ``effects``, ``requests``, ``objects``."""
        book: dict[str, Any] = self._call("GET", f"/book/{provider}")
        return book

    def effects(self, provider: str | None = None) -> list[dict[str, Any]]:
        """Return what the providers did, each with its ``provider``."""
        names = PROVIDERS if provider is None else (provider,)
        return [{"provider": name, **effect} for name in names for effect in self.book(name)["effects"]]

    def seed_order(self, order: Mapping[str, JsonValue], *, access_token: str | None = None) -> str:
        """Add a Shopify order in REST shape and return its global id."""
        answer = self._call("POST", "/shopify/orders", {"order": dict(order), "access_token": access_token})
        return str(answer["order_id"])

    def choose_plan(self, points_per_second: int) -> None:
        """Move the shop to the plan with this restore rate of query cost: 100, 200, 1,000 or 2,000."""
        self._call("POST", "/shopify/plan", {"points_per_second": points_per_second})

    def printful_orders(self) -> list[dict[str, Any]]:
        """Return all Printful orders."""
        orders: list[dict[str, Any]] = self._call("GET", "/printful/orders")
        return orders

    def move_printful_order(self, order_id: str, status: str) -> None:
        """Move a Printful order, as the factory would."""
        self._call("POST", "/printful/status", {"order_id": order_id, "status": status})

    def ship(
        self, order_id: str, *, url: str | None = None, secret: str | None = None, retries: int = 0
    ) -> dict[str, Any]:
        """Ship a confirmed Printful order and, with an address, send its signed webhook; return event and delivery."""
        body = {"order_id": order_id, "url": url, "secret": secret, "retries": retries}
        answer: dict[str, Any] = self._call("POST", "/printful/shipments", body)
        return answer

    def send_webhook(
        self, source: str, *, url: str, secret: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a body signed as the provider would, and return the answer's ``status`` and ``body``."""
        delivery = {
            "source": source,
            "url": url,
            "secret": secret,
            "body": body.decode(),
            "headers": dict(headers or {}),
        }
        answer: dict[str, Any] = self._call("POST", "/webhooks", delivery)
        return answer

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        content = None if body is None else orjson.dumps(body)
        with httpx2.Client(trust_env=False, timeout=CONTROL_SECONDS) as client:
            reply = client.request(method, f"{self.url}/_control{path}", headers=headers, content=content)
        if reply.status_code != 200:
            raise InputInvalidError(f"the simulators refused {method} {path}: {reply.status_code} {reply.text[:300]}")
        return orjson.loads(reply.content)


class SimulatorProcess:
    """The simulators' process. It ends with the process that started it."""

    def __init__(self, data_dir: Path, *, port: int = 0, module: str = "remit_commerce.simulators") -> None:
        self._data_dir = data_dir
        self._port = port
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Simulators:
        """Start the process and return it once it listens.

        Raises:
            CapacityError: it ended before it was ready; its own message went to standard error.
        """
        assert self._process is None
        command = [sys.executable, "-m", self._module, "--until-stdin-closes"]
        command += ["--data-dir", str(self._data_dir), "--port", str(self._port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CapacityError(f"the simulators ended with {self._process.wait()} before they were ready")
        ready = orjson.loads(line)
        return Simulators(url=ready["url"], token=ready["token"], pid=ready["pid"])

    def stop(self) -> None:
        """End the process in good order."""
        if self._process is not None:
            self._process.terminate()
            self._finish()

    def kill(self) -> None:
        """End the process with SIGKILL; its books stay as they were answered."""
        if self._process is not None:
            self._process.kill()
            self._finish()

    def _finish(self) -> None:
        assert self._process is not None
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None


@contextlib.contextmanager
def running_simulators(data_dir: Path) -> Iterator[Simulators]:
    """Run the simulators while the block runs."""
    process = SimulatorProcess(data_dir)
    try:
        yield process.start()
    finally:
        process.stop()
