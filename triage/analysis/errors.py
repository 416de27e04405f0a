"""Labelled tickets that a triage gets wrong, with the labelled tickets most like them and the words behind."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from model.calibration import CUES
from model.pipeline import Pipeline
from model.prediction import Prediction
from model.ticket import LabelledTicket, Ticket
from training.evaluated import Evaluated, run
from training.mistakes import beginning
from training.neighbours import COUNT, Neighbour, masked, nearest
from triage.analysis.frames import labelled_frame
from triage.analysis.library import Library

COLUMNS = (
    "label", "category", "confidence", "decision", "missed", "false_alarms", "evidence",
    *(f"nearest_{number}" for number in range(1, COUNT + 1)), "text",
)  # fmt: skip


def errors(pipeline: Pipeline, frame: pd.DataFrame, library: Library) -> pd.DataFrame:
    """Find what is wrong.

    Args:
        pipeline: predicts.
        frame: labelled tickets; see `triage.analysis.frames.labelled_frame`. A cue counts only where there is a column.
        library: labelled tickets; what the bundle learned from is shown beside each error.

    Returns:
        One row for each wrong ticket, with the frame's own index and the columns `COLUMNS`: `missed` and `false_alarms`
        name cues, `evidence` the words behind the proposed leaf, `text` is masked. Missed danger first, then wrong
        leaves, the most confident ones first.
    """
    labelled = labelled_frame(frame, pipeline.policy.taxonomy)
    data = run(pipeline, labelled.tickets)
    missed, false = ({cue: _cue(data, cue, missing=side) for cue in labelled.cues} for side in (True, False))
    wrong = np.flatnonzero(
        ~data.right | np.any([np.zeros(len(frame), bool), *missed.values(), *false.values()], axis=0)
    )
    danger = missed.get("safety", np.zeros(len(frame), bool))
    rows = sorted(wrong.tolist(), key=lambda row: (not danger[row], bool(data.right[row]), -data.confidence[row]))
    tickets = [labelled.tickets[row] for row in rows]
    near = _near(pipeline, tickets, library.learned(labelled.tickets))
    told = zip(tickets, _explained(pipeline, tickets), near, masked(tickets), strict=True)
    table = [
        {**_row(*one), "missed": _names(missed, row), "false_alarms": _names(false, row)}
        for row, one in zip(rows, told, strict=True)
    ]
    return pd.DataFrame(table, columns=list(COLUMNS), index=frame.index[rows])


def _cue(data: Evaluated, cue: str, *, missing: bool) -> Any:
    """Where a cue was missed, or raised for nothing."""
    labelled, raised = data.labelled(cue), data.raised(cue)
    return labelled & ~raised if missing else raised & ~labelled


def _names(found: dict[str, Any], row: int) -> str:
    return "|".join(cue for cue in CUES if cue in found and found[cue][row])


def _near(
    pipeline: Pipeline, asked: Sequence[LabelledTicket], learned: Sequence[LabelledTicket]
) -> list[tuple[Neighbour, ...]]:
    return nearest(pipeline.bundle.classifier, learned, asked) if pipeline.bundle else [() for _ in asked]


def _explained(pipeline: Pipeline, tickets: Sequence[LabelledTicket]) -> list[Prediction]:
    return pipeline.predict([Ticket(ticket.text) for ticket in tickets], explain=True)


def _row(ticket: LabelledTicket, proposed: Prediction, near: Sequence[Neighbour], text: str) -> dict[str, Any]:
    first = proposed.category
    beside = {
        f"nearest_{n}": f"{one.category} {one.similarity:.2f} {one.id} {beginning(one.text)}"
        for n, one in enumerate(near, 1)
    }
    return {
        "label": ticket.category, "category": first.code, "confidence": round(first.confidence, 4),
        "decision": proposed.decision, "evidence": "|".join(e.text for e in proposed.evidence), **beside, "text": text,
    }  # fmt: skip
