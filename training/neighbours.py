"""The training tickets most like a ticket, as the bundle's own features see it: where a mistake may come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.neighbors import NearestNeighbors

from model.document import read
from model.labels import text_hash
from model.linear import LinearClassifier
from model.ticket import LabelledTicket, Ticket

_COUNT = 3


@dataclass(frozen=True)
class Neighbour:
    """A training ticket: its label, masked text, and cosine similarity in [0, 1]."""

    id: str
    category: str
    similarity: float
    text: str


def nearest(
    classifier: LinearClassifier,
    train: Sequence[LabelledTicket],
    asked: Sequence[LabelledTicket],
    *,
    count: int = _COUNT,
) -> list[tuple[Neighbour, ...]]:
    """Neighbours by TF-IDF cosine over words and characters.

    Args:
        classifier: fitted; gives the features.
        train: what it learned from.
        asked: n tickets.
        count: how many neighbours.

    Returns:
        For each ticket its neighbours, nearest first; never the ticket itself.
    """
    if not train or not asked:
        return [() for _ in asked]
    known, wanted = masked(train), masked(asked)
    search = NearestNeighbors(n_neighbors=min(count + 1, len(train)), metric="cosine", algorithm="brute")
    search.fit(classifier.matrix(classifier.prepare(known)))
    distances, rows = search.kneighbors(classifier.matrix(classifier.prepare(wanted)))
    found = []
    for ticket, near, far in zip(asked, rows.tolist(), distances.tolist(), strict=True):
        others = [
            Neighbour(train[row].id, train[row].category, max(0.0, 1.0 - distance), known[row])
            for row, distance in zip(near, far, strict=True)
            if text_hash(train[row].text) != text_hash(ticket.text)
        ]
        found.append(tuple(others[:count]))
    return found


def masked(tickets: Sequence[LabelledTicket]) -> list[str]:
    """What classifiers see of tickets.

    Args:
        tickets: labelled.

    Returns:
        Normalised and masked texts.
    """
    return [read(Ticket(ticket.text)).text for ticket in tickets]
