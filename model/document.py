"""A ticket's text on its way: as sent → clipped → normalised → masked, with turns and the alignment back."""

from bisect import bisect_left
from dataclasses import dataclass

from model.privacy import mask
from model.text import CLOSE, OPEN, Aligned, clip, normalise
from model.ticket import Ticket
from model.turns import AGENT, CUSTOMER, HEADER, Segment, split_turns

_SPEAKER_LABEL = {"agent": "客服代表", "customer": "客户"}


@dataclass(frozen=True, slots=True)
class Document:
    """What rules and classifiers see of a ticket.

    `text` is masked; `aligned` leads back to the text as sent. `sent` is the text as sent, `content_length`
    how much of it is the ticket's `content` (turns of a transcript field are read behind it).
    """

    sent: str
    content_length: int
    aligned: Aligned
    segments: tuple[Segment, ...]
    masked_spans: tuple[tuple[int, int], ...]
    clipped: bool

    @property
    def text(self) -> str:
        """Normalised and masked text."""
        return self.aligned.text

    @property
    def body(self) -> str:
        """The text without relay headers."""
        return "\n".join(self.text[s.start : s.end] for s in self.segments if s.speaker != HEADER).strip()

    def overlaps_mask(self, start: int, end: int) -> bool:
        """Whether a span of `text` touches a placeholder.

        Args:
            start: first character.
            end: one past the last.

        Returns:
            True if it does.
        """
        piece = self.text[start:end]
        return OPEN in piece or CLOSE in piece or self.text.rfind(OPEN, 0, start) > self.text.rfind(CLOSE, 0, start)

    def sent_span(self, start: int, end: int) -> tuple[int, int] | None:
        """The span in the ticket's `content` as sent.

        Args:
            start: first character in `text`.
            end: one past the last.

        Returns:
            Code points of `content`; None where the span lies in the transcript field or touches a mask.
        """
        first, last = self.aligned.span(start, end)
        masked = any(first < b and a < last for a, b in self.masked_spans)
        return None if masked or last > self.content_length else (first, last)

    def masked_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the text as sent stands in `text`; the way back of `sent_span`.

        Args:
            start: first character as sent.
            end: one past the last.

        Returns:
            Start and end in `text`; equal where nothing of the span was kept.
        """
        index = self.aligned.index
        if index is None:
            return start, end
        return bisect_left(index, start), bisect_left(index, end)


def read(ticket: Ticket, max_characters: int = 20_000, head_characters: int = 15_000) -> Document:
    """Prepare a ticket's text.

    Args:
        ticket: as received.
        max_characters: of a longer text only head and tail are read.
        head_characters: how much of that is the head.

    Returns:
        The document.
    """
    sent = ticket.content if ticket.content.strip() else ""
    length = len(sent)
    if ticket.transcript:
        turns = "\n".join(f"{_SPEAKER_LABEL[turn.speaker]}:{turn.text}" for turn in ticket.transcript)
        sent = f"{sent}\n{turns}" if sent else turns
    clipped = clip(sent, max_characters, head_characters)
    normal = clipped.then(normalise(clipped.text))
    masked = mask(normal.text)
    aligned = normal.then(masked.aligned)
    spans = tuple(normal.span(start, end) for start, end, _ in masked.kinds)
    return Document(sent, length, aligned, split_turns(aligned.text), spans, len(sent) > max_characters)


__all__ = ["AGENT", "CUSTOMER", "HEADER", "Document", "read"]
