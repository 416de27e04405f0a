"""A cue in the store: read from its row, written back, shown to users."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from model.policy.cue_schema import CuesFile
from model.ticket import CHINA
from serving.cues.cue import CONFIRMERS, STATE_NAMES, Attached, Attachment, Confirmation, Cue, State
from serving.cues.life import UNIT, missing
from serving.cues.people import Person
from serving.store.columns import Json
from serving.store.tables import StoredCue


@dataclass(frozen=True, slots=True)
class CueRecord:
    """A cue of a ticket with its version, which grows with every step."""

    ticket_id: str
    version: int
    raised_at: datetime
    changed_at: datetime
    cue: Cue

    def to_dict(self, rules: CuesFile, now: datetime) -> Json:
        """What the API answers and the console shows.

        Args:
            rules: evidence lists.
            now: decides whether the cue is in force.

        Returns:
            The cue with its evidence list, what still lacks, and what may be done once it is confirmed.
        """
        cue = self.cue
        entry = rules.flags[cue.flag]
        lacking = {item.code for item in missing(cue, entry)}
        return {
            "ticket_id": self.ticket_id,
            "flag": cue.flag,
            "version": self.version,
            "state": str(cue.state),
            "state_name": STATE_NAMES[cue.state],
            "in_force": cue.in_force(now),
            "unit": cue.unit,
            "unit_named_by": cue.evidence[UNIT].by if UNIT in cue.evidence else None,
            "raised_at": _shown(self.raised_at),
            "changed_at": _shown(self.changed_at),
            "expires_at": _shown(cue.expires_at) if cue.expires_at else None,
            "confirmable": entry.confirmable,
            "confirmers_needed": CONFIRMERS if entry.confirmable else 0,
            "confirmed_by": [{"name": one.by.name, "at": _shown(one.at)} for one in cue.confirmed_by],
            "evidence": [
                {
                    "item": i.code,
                    "name": i.name,
                    "day": i.date,
                    "complete": i.code not in lacking,
                    **_found(cue.evidence.get(i.code)),
                }
                for i in entry.items
            ],
            "allows": entry.allows,
            "section": entry.section,
        }


def from_row(row: StoredCue, called_at: datetime) -> CueRecord:
    """Read a cue.

    Args:
        row: of the store.
        called_at: when the complaint was accepted, else received.

    Returns:
        The record; a row that claims to be active without two people's confirmation raises ValueError.
    """
    cue = Cue(
        flag=row.flag,
        called_at=called_at,
        unit=row.unit,
        state=State(row.state),
        evidence=MappingProxyType({code: _attached(code, value) for code, value in row.evidence.items()}),
        confirmed_by=tuple(_confirmation(value) for value in row.confirmed_by.get("people", [])),
        expires_at=row.expires_at,
    )
    return CueRecord(row.ticket_id, row.version, row.raised_at, row.changed_at, cue)


def write_back(row: StoredCue, cue: Cue, at: datetime) -> None:
    """Put a cue into its row and count the version on.

    Args:
        row: of the store, in a write transaction.
        cue: after a step.
        at: when.
    """
    row.state, row.unit, row.expires_at = str(cue.state), cue.unit, cue.expires_at
    row.evidence = {code: _evidence(value) for code, value in cue.evidence.items()}
    row.confirmed_by = {"people": [_person(one) for one in cue.confirmed_by]}
    row.changed_at, row.version = at, row.version + 1


def _shown(time: datetime) -> str:
    return time.astimezone(CHINA).isoformat()


def _found(attached: Attached | None) -> Json:
    if attached is None:
        return {"by": None, "at": None, "reference": None, "date": None}
    return _evidence(attached) | {"at": _shown(attached.at)}


def _evidence(attached: Attached) -> Json:
    given = attached.attachment
    dated = given.dated.isoformat() if given.dated else None
    return {"by": attached.by, "at": attached.at.isoformat(), "reference": given.reference, "date": dated}


def _attached(code: str, value: Mapping[str, str]) -> Attached:
    dated = date.fromisoformat(value["date"]) if value.get("date") else None
    return Attached(Attachment(code, value["reference"], dated), value["by"], datetime.fromisoformat(value["at"]))


def _person(one: Confirmation) -> Json:
    return {"name": one.by.name, "unit": one.by.unit, "at": one.at.isoformat()}


def _confirmation(value: Mapping[str, str]) -> Confirmation:
    return Confirmation(Person(value["name"], value["unit"]), datetime.fromisoformat(value["at"]))
