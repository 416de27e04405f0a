"""What analysts call from Python: lists and pandas in, predictions and pandas out."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from model.errors import InvalidTicket, UnreadableInput
from model.pipeline import Pipeline
from model.rows import Row
from model.ticket import TEXT_KEYS, Ticket, ticket_from
from triage.compose import build_pipeline
from triage.output import COLUMNS, flat
from triage.settings import Settings

BATCH = 256
BATCH_CHARACTERS = 4_000_000  # tickets of enormous length are predicted in smaller batches


class Triage:
    """Triage of complaint tickets.

    Args:
        pipeline: predicts; use `Triage.load()` to get one.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    @classmethod
    def load(cls, bundle: str | Path | None = None) -> "Triage":
        """Open a bundle, or the configured one, or the champion; rules alone where there is none at all.

        Args:
            bundle: folder of a bundle.

        Returns:
            A triage ready to predict.

        Raises:
            BundleError: the bundle is missing or refused.
        """
        return cls(build_pipeline(Settings(), Path(bundle) if bundle else None))

    def predict(self, tickets: Any, *, explain: bool = False) -> Any:
        """Predict tickets.

        Args:
            tickets: a string or mapping (one ticket), a list of them, a Series of texts, or a DataFrame with a
                text column (`content`, `text`, `受理内容` …).
            explain: give exact word reasons as evidence.

        Returns:
            For one ticket a dict, for a list a list of dicts (contract, section 3; a row that cannot be a ticket
            gives `{"row", "error"}`), for pandas a DataFrame with the same index.

        Raises:
            UnreadableInput: a DataFrame without a text column.
        """
        if isinstance(tickets, pd.Series):
            values = [_cell(value) or "" for value in tickets.tolist()]
            return self._frame(values, tickets.index, explain=explain)
        if isinstance(tickets, pd.DataFrame):
            if not set(TEXT_KEYS) & set(tickets.columns):
                raise UnreadableInput(f"DataFrame 没有正文列({'、'.join(TEXT_KEYS)});请改列名")
            values = [{str(k): _cell(v) for k, v in row.items()} for row in tickets.to_dict("records")]
            return self._frame(values, tickets.index, explain=explain)
        if isinstance(tickets, str | dict | Ticket):
            return next(self.predict_rows([Row(1, tickets)], explain=explain))
        return list(self.predict_rows((Row(n, value) for n, value in enumerate(tickets, 1)), explain=explain))

    def explain(self, text: str) -> dict[str, Any]:
        """One prediction with the exact words that speak for it.

        Args:
            text: a ticket's text.

        Returns:
            The prediction; `evidence` holds words with their part in the decision value.
        """
        explained: dict[str, Any] = self.predict(text, explain=True)
        return explained

    def predict_rows(self, rows: Iterable[Row], *, explain: bool = False) -> Iterator[dict[str, Any]]:
        """One result for each row, in order, in bounded memory.

        Args:
            rows: readable or not.
            explain: give exact word reasons.

        Yields:
            Predictions with `row`, or `{"row", "error": {"code", "message"}}`.
        """
        for batch in _batches((row.number, _to_ticket(row)) for row in rows):
            tickets = [ticket for _, ticket in batch if isinstance(ticket, Ticket)]
            predictions = iter(self.pipeline.predict(tickets, explain=explain))
            for number, result in batch:
                if isinstance(result, Ticket):
                    yield {"row": number, **next(predictions).to_dict()}
                else:
                    yield {"row": number, "error": {"code": result.code, "message": str(result)}}

    def _frame(self, values: list[Any], index: Any, *, explain: bool) -> pd.DataFrame:
        rows = self.predict_rows((Row(n, value) for n, value in enumerate(values, 1)), explain=explain)
        return pd.DataFrame([flat(row) for row in rows], index=index, columns=list(COLUMNS))


def _to_ticket(row: Row) -> Ticket | InvalidTicket:
    if row.error:
        return row.error
    try:
        return ticket_from(row.value)
    except InvalidTicket as error:
        return error


def _batches(
    tickets: Iterable[tuple[int, Ticket | InvalidTicket]],
) -> Iterator[list[tuple[int, Ticket | InvalidTicket]]]:
    batch, characters = [], 0
    for number, ticket in tickets:
        batch.append((number, ticket))
        if isinstance(ticket, Ticket):
            characters += len(ticket.content) + sum(len(turn.text) + 50 for turn in ticket.transcript)
        if len(batch) == BATCH or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _cell(value: Any) -> Any:
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value
