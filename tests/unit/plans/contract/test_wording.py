"""Word rules: what builds, what verifies, and what nobody can tell."""

import pytest

from remit.plans.contract.placeholders import placeholder_in
from remit.plans.contract.wording import Aim, aim_of


@pytest.mark.parametrize(
    ("title", "text", "aim"),
    [
        ("Implement Redis stream producer in internal/store/redis/", "", Aim.BUILDS),
        ("Produce coverage matrix", "", Aim.VERIFIES),
        ("Produce a coverage matrix of all event classes", "in docs/coverage.md", Aim.VERIFIES),
        ("Create an evidence pack for the release", "", Aim.VERIFIES),
        ("Audit the fee decoder", "", Aim.VERIFIES),
        ("Test that replays are idempotent", "", Aim.VERIFIES),
        ("Verify and fix the cursor", "", Aim.BUILDS),
        ("Verify webhook signatures", "Reject unsigned deliveries in internal/http/webhooks.go", Aim.BUILDS),
        ("Generate coverage reports in tools/coverage/main.go", "", Aim.BUILDS),
        ("Implement the coverage matrix page", "", Aim.BUILDS),
        ("Create matrix multiplication kernel", "", Aim.BUILDS),
        ("Sidecar decoder hardening", "Harden the decoder against truncated blocks", Aim.BUILDS),
        ("Improve things", "", Aim.VAGUE),
        ("Improve latency of `Store.append`", "", Aim.BUILDS),
        ("[Plan #3] Improve the store", "", Aim.VAGUE),
        ("Spike: explore caching", "", Aim.VAGUE),
        ("Cleanup", "", Aim.VAGUE),
        ("Cleanup", "Remove the old cursor", Aim.BUILDS),
        ("Payment plan table", "", Aim.UNTOLD),
        ("Verify signatures of webhooks", "", Aim.UNTOLD),
        ("Validate all incoming requests", "", Aim.UNTOLD),
        ("Document the API", "", Aim.DOCUMENTS),
        ("Update the API docs", "", Aim.DOCUMENTS),
        ("Write a runbook for outages", "", Aim.DOCUMENTS),
        ("Add a docs generator", "", Aim.BUILDS),
        ("Document the flags in cmd/indexer/main.go", "", Aim.BUILDS),
        ("Implementar el productor de eventos", "", Aim.UNTOLD),
        ("\u5b9e\u73b0\u4e8b\u4ef6\u6d41", "", Aim.UNTOLD),
    ],
)
def test_aim_is_told_by_words(title: str, text: str, aim: Aim) -> None:
    """
    A task that makes papers or only looks verifies, one that names code builds, one that writes about it documents;
    other languages tell nothing.
    """
    assert aim == aim_of(title, text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<name>", "<name>"),
        (" TODO ", "TODO"),
        ("\N{HORIZONTAL ELLIPSIS}", "\N{HORIZONTAL ELLIPSIS}"),
        ("...", "..."),
        ("TODO: write it", "TODO: write it"),
        ("in internal/<package name>/", "<package name>"),
        ("TODO list: show items", None),
        ("Render <button> elements", None),
        ("List<Item> of a<b and c>d", None),
        ("a < b > c", None),
        ("Wait \N{HORIZONTAL ELLIPSIS} then go", None),
    ],
)
def test_placeholder_is_told_from_text(text: str, found: str | None) -> None:
    """
    What a template leaves open is found; code and words that look like it are not.
    """
    place = placeholder_in(text)

    assert found == (None if place is None else text[slice(*place)])
