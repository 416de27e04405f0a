"""The training tickets most like a ticket, as the bundle's own features see it: where a mistake may come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.neighbors import NearestNeighbors

from model.document import read
from model.labels import text_hash
from model.linear import LinearClassifier
from model.ticket import LabelledTicket, Ticket

COUNT = 3


@dataclass(frozen=True)
class Neighbour:
    """A training ticket: its label, masked text, and cosine similarity in [0, 1]."""

    id: str
    category: str
    similarity: float
    text: str


class Neighbourhood:
    """Training tickets, indexed once for many questions.

    Args:
        classifier: fitted; gives the features.
        train: labelled tickets, at least one.
    """

    def __init__(self, classifier: LinearClassifier, train: Sequence[LabelledTicket]) -> None:
        self._classifier, self._train, self._texts = classifier, train, masked(train)
        self._hashes = [text_hash(ticket.text) for ticket in train]
        self._search = NearestNeighbors(metric="cosine", algorithm="brute")
        self._search.fit(classifier.matrix(classifier.prepare(self._texts)))

    def near(self, texts: Sequence[str], *, count: int = COUNT) -> list[tuple[Neighbour, ...]]:
        """Neighbours by TF-IDF cosine over words and characters.

        Args:
            texts: n texts as sent.
            count: how many neighbours, at least one.

        Returns:
            For each text its neighbours, nearest first; never the text itself.
        """
        wanted = self._classifier.matrix(self._classifier.prepare([read(Ticket(text)).text for text in texts]))
        distances, rows = self._search.kneighbors(wanted, n_neighbors=min(count + 1, len(self._train)))
        found = []
        for text, near, far in zip(texts, rows.tolist(), distances.tolist(), strict=True):
            others = [
                self._neighbour(row, distance)
                for row, distance in zip(near, far, strict=True)
                if self._hashes[row] != text_hash(text)
            ]
            found.append(tuple(others[:count]))
        return found

    def _neighbour(self, row: int, distance: float) -> Neighbour:
        ticket = self._train[row]
        return Neighbour(ticket.id, ticket.category, max(0.0, 1.0 - distance), self._texts[row])


def nearest(
    classifier: LinearClassifier,
    train: Sequence[LabelledTicket],
    asked: Sequence[LabelledTicket],
    *,
    count: int = COUNT,
) -> list[tuple[Neighbour, ...]]:
    """Neighbours among training tickets, as `Neighbourhood.near` finds them.

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
    return Neighbourhood(classifier, train).near([ticket.text for ticket in asked], count=count)


def masked(tickets: Sequence[LabelledTicket]) -> list[str]:
    """What classifiers see of tickets.

    Args:
        tickets: labelled.

    Returns:
        Normalised and masked texts.
    """
    return [read(Ticket(ticket.text)).text for ticket in tickets]
