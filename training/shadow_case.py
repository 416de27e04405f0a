"""One ticket of a shadow run: what people decided, what the bundle would have done, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.decision import AUTO
from model.policy import Policy
from model.routing import route
from model.ticket import Ticket

AVOIDED, CAUSED, BOTH_WRONG, OTHER = "avoided", "caused", "both_wrong", "other"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a ticket goes: its leaf, None where nobody noted one, and its desk without the extra way of danger."""

    leaf: str | None
    desk: str


@dataclass(frozen=True, slots=True)
class ShadowCase:
    """A ticket with three ways: `first` and `final` as people decided, `ours` as the bundle proposed.

    `final` is None where nobody decided a second time; then the first decision counts as right. `text` is masked, and
    `evidence` are spans of it. `ready`: the ticket would go to its desk unread if its leaf were switched on.
    """

    id: str
    text: str
    first: Way
    final: Way | None
    ours: Way
    confidence: float
    ready: bool
    reasons: tuple[str, ...]
    evidence: tuple[tuple[int, int], ...] = ()
    bundle: str | None = None

    @property
    def truth(self) -> Way:
        """What counts as right."""
        return self.final or self.first

    @property
    def same_leaf(self) -> bool:
        """Whether our leaf is the right one; where nobody noted a leaf, whether our desk is."""
        return self.ours.leaf == self.truth.leaf if self.truth.leaf else self.same_desk

    @property
    def same_desk(self) -> bool:
        """Whether our desk is the right one."""
        return self.ours.desk == self.truth.desk

    @property
    def first_was_wrong(self) -> bool:
        """Whether people sent the ticket to a wrong desk at first."""
        return self.final is not None and self.first.desk != self.final.desk

    @property
    def outcome(self) -> str:
        """`avoided`, `caused` (unread to a wrong desk that people had right), `both_wrong`, or `other`."""
        if self.first_was_wrong:
            return AVOIDED if self.same_desk else BOTH_WRONG
        return CAUSED if self.ready and not self.same_desk else OTHER


def desk_of(leaf: str, secondary: Sequence[str], policy: Policy) -> str:
    """The desk that leads on a leaf; the extra way of danger is left out, since it does not depend on the leaf.

    Args:
        leaf: its code.
        secondary: further leaves, whose units complained of get nothing.
        policy: the table of routes.

    Returns:
        The desk.
    """
    return route(Ticket("工单"), leaf, AUTO, policy.routing, danger=False, secondary=secondary).desk
