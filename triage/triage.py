"""What analysts call from Python: lists and pandas in, predictions and pandas out."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from model.errors import InvalidTicket, UnreadableInput
from model.pipeline import Pipeline
from model.rows import Row
from model.ticket import TEXT_KEYS, Ticket, ticket_from
from triage.compose import build_pipeline
from triage.output import COLUMNS, flat
from triage.settings import SAMPLES, Settings

if TYPE_CHECKING:
    from triage.analysis.explanation import Explanation
    from triage.analysis.library import Library

BATCH = 256
BATCH_CHARACTERS = 4_000_000  # tickets of enormous length are predicted in smaller batches


class Triage:
    """Triage of complaint tickets.

    Args:
        pipeline: predicts; use `Triage.load()` to get one.
        labelled: file or folder of labelled tickets that `explain`, `similar` and `errors` compare with.
    """

    def __init__(self, pipeline: Pipeline, labelled: str | Path = SAMPLES) -> None:
        self.pipeline = pipeline
        self.labelled = Path(labelled)

    @classmethod
    def load(cls, bundle: str | Path | None = None, *, labelled: str | Path = SAMPLES) -> "Triage":
        """Open a bundle, or the configured one, or the champion; rules alone where there is none at all.

        Args:
            bundle: folder of a bundle.
            labelled: file or folder of labelled tickets to compare with; need not be there for `predict`.

        Returns:
            A triage ready to predict.

        Raises:
            BundleError: the bundle is missing or refused.
        """
        return cls(build_pipeline(Settings(), Path(bundle) if bundle else None), labelled)

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

    def explain(self, ticket: Any) -> "Explanation":
        """One prediction, and why: words, the encoder's clauses, rules, labelled tickets like it, reasons against `auto`.

        Args:
            ticket: a text, a mapping or a ticket.

        Returns:
            The prediction as a dict (`evidence` holds words with their part in the decision value), with its grounds as
            `words`, `encoder`, `rules`, `similar`, `why`; shown as HTML in Jupyter.
        """
        from triage.analysis.explain import explain
        from triage.analysis.explanation import Explanation

        read = _to_ticket(Row(1, ticket))
        if isinstance(read, InvalidTicket):
            return Explanation(_error(1, read), None)
        return explain(self.pipeline, read, self._library)

    def similar(self, ticket: Any, n: int = 3) -> pd.DataFrame:
        """Labelled tickets most like one.

        Args:
            ticket: a text, a mapping or a ticket.
            n: how many, at least one.

        Returns:
            `id`, `category`, `category_name`, `similarity` (cosine over words and characters, 0 to 1), `text` (masked);
            nearest first, never the text itself.

        Raises:
            InvalidTicket: there is no text.
            NotFitted: rules answer alone, so nothing tells what is alike.
            UnreadableInput: there are no labelled tickets.
        """
        from triage.analysis.explain import names_of
        from triage.analysis.library import neighbour_frame

        near = self._library.near(ticket_from(ticket).content, n)
        return neighbour_frame(near, names_of(self.pipeline.policy))

    def compare(self, other: "Triage", tickets: pd.DataFrame) -> pd.DataFrame:
        """Tickets that another triage sees differently; with a column `category`, what flips to wrong stands first.

        Args:
            other: the one that may follow this one.
            tickets: with a text column, and labels where they are known.

        Returns:
            One row for each changed ticket; see `triage.analysis.compare.compare`.

        Raises:
            UnreadableInput: no text column.
            UnknownLeaf: a label that the taxonomy does not have.
        """
        from triage.analysis.compare import compare

        return compare(self.predict, other.predict, tickets, self.pipeline.policy.taxonomy)

    def errors(self, tickets: pd.DataFrame) -> pd.DataFrame:
        """Labelled tickets that are predicted wrongly, each beside the labelled tickets most like it.

        Args:
            tickets: with a text column and `category`; cues count where there are columns for them.

        Returns:
            One row for each wrong ticket; see `triage.analysis.errors.errors`.

        Raises:
            UnreadableInput: no text column, or no `category`.
            InvalidLabels: rows that must be mended.
        """
        from triage.analysis.errors import errors

        return errors(self.pipeline, tickets, self._library)

    @cached_property
    def _library(self) -> "Library":
        from triage.analysis.library import Library

        return Library(self.pipeline, self.labelled)

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
                    yield _error(number, result)

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


def _error(number: int, error: InvalidTicket) -> dict[str, Any]:
    return {"row": number, "error": {"code": error.code, "message": str(error)}}


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
