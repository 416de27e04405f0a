"""Which labelled tickets a bundle has learned from."""

from collections.abc import Sequence

from model.labels import text_hash
from model.pipeline import Pipeline
from model.ticket import LabelledTicket


def count_seen(pipeline: Pipeline, tickets: Sequence[LabelledTicket]) -> int:
    """How many tickets the bundle was trained on.

    Args:
        pipeline: holds the bundle, or none.
        tickets: about to be measured.

    Returns:
        Their number; figures on them are too good.
    """
    return len(_learned(pipeline, tickets))


def learned_from(
    pipeline: Pipeline, tickets: Sequence[LabelledTicket], measured: Sequence[LabelledTicket]
) -> tuple[LabelledTicket, ...]:
    """What peers may learn from and neighbours come from: the bundle's own tickets where they are at hand.

    Args:
        pipeline: holds the bundle, or none.
        tickets: labelled tickets that may hold those of the bundle.
        measured: left out, so that nothing is measured on what it learned.

    Returns:
        Tickets that the bundle learned from; where it knows none of them, all that were given.
    """
    own = _learned(pipeline, tickets)
    taken = {text_hash(ticket.text) for ticket in measured}
    return tuple(ticket for ticket in own or tickets if text_hash(ticket.text) not in taken)


def learned_rows(pipeline: Pipeline, texts: Sequence[str]) -> set[int]:
    """Which texts the bundle was trained on.

    Args:
        pipeline: holds the bundle, or none.
        texts: n texts as they stand in a labelled file.

    Returns:
        Their rows, from 0.
    """
    known = set(pipeline.bundle.manifest["data"]["rows"].values()) if pipeline.bundle else set()
    return {row for row, text in enumerate(texts) if text_hash(text)[:16] in known}


def _learned(pipeline: Pipeline, tickets: Sequence[LabelledTicket]) -> list[LabelledTicket]:
    return [tickets[row] for row in sorted(learned_rows(pipeline, [ticket.text for ticket in tickets]))]
