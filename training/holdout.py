"""What a batch keeps back: tickets that the challenger never learns from, so that the gate can measure on them."""

from collections.abc import Sequence

from model.labels import text_hash
from model.ticket import LabelledTicket
from training.near import near_groups
from training.split import author_of

SHARE = 0.25


def hold_out(tickets: Sequence[LabelledTicket], share: float = SHARE) -> list[bool]:
    """Which tickets of a batch are kept back. Authors, and texts that are nearly the same, stay on one side.

    Args:
        tickets: n tickets. One whose `split` is `train`, `dev` or `test` is not asked: `train` is learned from.
        share: how much of the others to keep back, at least.

    Returns:
        n truth values; the same for the same tickets in any order. All False where they are one group.
    """
    groups = _groups(tickets)
    open_rows = [row for row, ticket in enumerate(tickets) if ticket.split is None]
    sizes: dict[str, int] = {}
    for row in open_rows:
        sizes[groups[row]] = sizes.get(groups[row], 0) + 1
    kept: set[str] = set()
    for group in sorted(sizes)[:-1]:  # names are hashes: an order that nobody chose
        if sum(sizes[name] for name in kept) >= share * len(open_rows):
            break
        kept.add(group)
    return [
        groups[row] in kept if ticket.split is None else ticket.split != "train" for row, ticket in enumerate(tickets)
    ]


def _groups(tickets: Sequence[LabelledTicket]) -> list[str]:
    """Names of groups: joined where one author, or one near text, is in both."""
    near = near_groups([ticket.text for ticket in tickets])
    parent: dict[object, object] = {}

    def root(item: object) -> object:
        while parent.setdefault(item, item) != item:
            item = parent[item]
        return item

    for number, ticket in zip(near, tickets, strict=True):
        parent[root(number)] = root(author_of(ticket))
    names: dict[object, str] = {}
    for number, ticket in zip(near, tickets, strict=True):
        name, top = text_hash(author_of(ticket)), root(number)
        names[top] = min(names.get(top, name), name)
    return [names[root(number)] for number in near]
