"""The kernel's Prometheus metrics: every name, unit and label in one place.

Owns: one registry per kernel (two kernels may live in one process). Labels are closed sets: never an id, never data.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
_STUCK = (
    ("", "Runs that should move and do not."),
    ("_age_seconds", "For how long the oldest of them has not."),
)


class Metrics:
    """Counters of one kernel; children are cached because a label look-up costs more than the count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._append_seconds = Histogram(
            "remit_append_seconds", "Time of one append call.", buckets=_SECONDS, registry=registry
        )
        self._append_runs = Counter("remit_append_runs", "Runs advanced by append calls.", registry=registry)
        self._append_retries = Counter(
            "remit_append_retries", "Append calls sent again after an outage.", registry=registry
        )
        self._actions = Counter("remit_actions", "Actions by outcome.", ["outcome"], registry=registry)
        self._refusals = Counter("remit_refusals", "Actions refused, by code.", ["code"], registry=registry)
        self._runs = Counter("remit_runs_finished", "Runs finished, by status.", ["status"], registry=registry)
        self._lost = Counter(
            "remit_runs_lost", "Owned runs lost, by answer of the append.", ["outcome"], registry=registry
        )
        self._sweeps = Counter("remit_sweeps", "Sweeps made.", registry=registry)
        self._swept = Counter("remit_runs_reclaimed", "Runs taken from workers whose lease expired.", registry=registry)
        self._webhooks = Counter(
            "remit_webhooks", "Webhook deliveries by result.", ["source", "result"], registry=registry
        )
        self._owned = Gauge("remit_runs_owned", "Runs that this worker owns now.", registry=registry)
        self._parked = Counter("remit_effects_parked", "Effects parked for a person.", registry=registry)
        self._heartbeat = Gauge(
            "remit_heartbeat_monotonic_seconds", "Monotonic instant of the last heartbeat.", registry=registry
        )
        self._relayed = Counter(
            "remit_outbox_attempts", "Attempts to deliver, by what the message is then.", ["status"], registry=registry
        )
        self._relay_seconds = Histogram(
            "remit_outbox_attempt_seconds", "Time of one attempt to deliver.", buckets=_SECONDS, registry=registry
        )
        self._relaying = Gauge("remit_outbox_in_flight", "Attempts to deliver under way.", registry=registry)
        self._stuck, self._stuck_seconds = (
            Gauge(f"remit_runs_stuck{name}", text, ["reason"], registry=registry) for name, text in _STUCK
        )
        self._children: dict[tuple[str, str], Counter] = {}

    def _child(self, counter: Counter, name: str, label: str) -> Counter:
        child = self._children.get((name, label))
        if child is None:
            child = self._children[(name, label)] = counter.labels(label)
        return child

    def appended(self, run_count: int, seconds: float) -> None:
        """Count one append call."""
        self._append_seconds.observe(seconds)
        self._append_runs.inc(run_count)

    def append_retried(self) -> None:
        """Count an append call that had to be sent again."""
        self._append_retries.inc()

    def acted(self, outcome: str) -> None:
        """Count one finished action by the kind of its outcome."""
        self._child(self._actions, "actions", outcome).inc()

    def refused(self, code: str) -> None:
        """Count a refusal by its stable code."""
        self._child(self._refusals, "refusals", code).inc()

    def parked(self) -> None:
        """Count an effect that a person must settle."""
        self._parked.inc()

    def finished(self, status: str) -> None:
        """Count a finished run."""
        self._child(self._runs, "runs", status).inc()

    def lost(self, outcome: str) -> None:
        """Count a run that is no longer ours."""
        self._child(self._lost, "lost", outcome).inc()

    def swept(self, run_count: int) -> None:
        """Count a sweep and what it reclaimed."""
        self._sweeps.inc()
        self._swept.inc(run_count)

    def received(self, source: str, result: str) -> None:
        """Count a webhook delivery."""
        self._webhooks.labels(source, result).inc()

    def relayed(self, status: str, seconds: float) -> None:
        """Count an attempt to deliver a message by what the message is now: delivered, pending (again) or dead."""
        self._child(self._relayed, "relayed", status).inc()
        self._relay_seconds.observe(seconds)

    def relaying(self, attempt_count: int) -> None:
        """Set how many attempts to deliver are under way."""
        self._relaying.set(attempt_count)

    def stuck(self, by_reason: Mapping[str, tuple[int, float]]) -> None:
        """Set how many runs are stuck and for how many seconds the oldest is, for every reason there is."""
        for reason, (run_count, seconds) in by_reason.items():
            self._stuck.labels(reason).set(run_count)
            self._stuck_seconds.labels(reason).set(seconds)

    def owns(self, run_count: int) -> None:
        """Set how many runs are owned."""
        self._owned.set(run_count)

    def heartbeat(self, monotonic_seconds: float) -> None:
        """Note a heartbeat."""
        self._heartbeat.set(monotonic_seconds)

    def render(self) -> bytes:
        """Return the text exposition format."""
        return generate_latest(self.registry)
