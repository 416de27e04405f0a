"""Splits that keep each author on one side, so that a score says how we do on people we never heard."""

from collections.abc import Sequence

from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from model.labels import text_hash
from model.ticket import LabelledTicket


def author_of(ticket: LabelledTicket) -> str:
    """Who wrote a ticket; one without author stands alone.

    Args:
        ticket: labelled.

    Returns:
        A group name.
    """
    return ticket.author or text_hash(ticket.text)


def author_folds(tickets: Sequence[LabelledTicket], folds: int, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Folds by author, leaves spread as evenly as authors allow.

    Args:
        tickets: n labelled tickets.
        folds: at least 2; fewer are made where there are fewer authors.
        seed: of the shuffling.

    Returns:
        (training rows, held-out rows) for each fold.
    """
    groups = [author_of(ticket) for ticket in tickets]
    leaves = [ticket.category for ticket in tickets]
    count = max(2, min(folds, len(set(groups))))
    enough = min(leaves.count(leaf) for leaf in set(leaves)) >= count
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed) if enough else GroupKFold(count)
    return [(train.tolist(), held.tolist()) for train, held in splitter.split(leaves, leaves, groups)]
