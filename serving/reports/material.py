"""What reports are written from: complaints of the store or of a file, and what could not be used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from model.policy import Policy
from serving.cues.cue import State
from serving.cues.ledger import Case

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 20  # row numbers or ticket ids in one sentence


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a file that a report cannot count: row numbers by reason, and how many lie outside its time."""

    errors: Mapping[int, str] = field(default_factory=dict)
    undated: tuple[int, ...] = ()
    outside: int = 0

    @property
    def wrong(self) -> int:
        """Rows that somebody has to mend."""
        return len(self.errors) + len(self.undated)

    def sentences(self) -> tuple[str, ...]:
        """What a report says of them.

        Returns:
            Chinese sentences with the row numbers; none where everything was counted.
        """
        said = []
        if self.errors:
            codes = sorted(set(self.errors.values()))
            said.append(f"{len(self.errors)} 行不是工单({'、'.join(codes)}),没有计入:{_rows(tuple(self.errors))}")
        if self.undated:
            said.append(f"{len(self.undated)} 行没有受理时间(accepted_at),没有计入:{_rows(self.undated)}")
        if self.outside:
            said.append(f"{self.outside} 行的受理时间不在统计期内,没有计入本期")
        return tuple(said)


@dataclass(frozen=True, slots=True)
class FilingNote:
    """A filing that the program suggested for a ticket; `after` tells that nobody had registered it before the complaint."""

    ticket_id: str
    code: str
    name: str
    after: bool


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket that is not closed, and its next clock: the earliest that still runs."""

    ticket_id: str
    desk: str
    status: str
    safety: bool
    due: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingCue:
    """A cue that is not ended."""

    ticket_id: str
    flag: str
    state: State
    unit: str | None
    raised_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Post:
    """Where rules and bundle stand, and how many keys there are by role. No key and no holder is named."""

    bundle: str | None
    keys: tuple[tuple[str, int], ...]
    own_files: tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """Everything that a report may show. The frame has the columns of `serving.hotspots.frame`, oldest ticket first."""

    frame: "pd.DataFrame"
    policy: Policy
    made: datetime
    stored: bool
    cases: tuple[Case, ...] = ()
    filings: tuple[FilingNote, ...] = ()
    left_out: LeftOut = field(default_factory=LeftOut)

    def leaf_name(self, code: str | None) -> str:
        """What a leaf is called.

        Args:
            code: of a leaf, or None for all.

        Returns:
            Its Chinese name; the code itself where the taxonomy has it no longer.
        """
        if code is None:
            return "全部"
        return self.policy.taxonomy.leaf(code).name if code in self.policy.taxonomy else code


def tickets_of(frame: "pd.DataFrame") -> Iterator[Any]:
    """Rows of the frame.

    Args:
        frame: of complaints.

    Yields:
        Each with the columns as attributes.
    """
    yield from frame.itertuples()


def _rows(numbers: tuple[int, ...]) -> str:
    shown = "、".join(str(number) for number in numbers[:_LISTED])
    more = f" 等 {len(numbers)} 行" if len(numbers) > _LISTED else ""
    return f"第 {shown} 行{more}"
