"""A prediction as the store keeps it, without a word of the ticket, and the answers made from it again."""

from collections.abc import Callable, Iterator
from typing import Any

from model.document import Document
from model.prediction import Prediction
from serving.store.columns import Json

SENT = "sent"  # key of the offsets into the text as sent; `start` and `end` of a stored item are of the masked text


def stored_body(prediction: Prediction, document: Document) -> Json:
    """The form that is kept: evidence as offsets into the masked text, and into the text as sent, without words.

    Args:
        prediction: of the ticket.
        document: its text, masked, with the alignment.

    Returns:
        JSON-ready; holds codes, numbers and the policy's own wording.
    """

    def kept(item: Json) -> Json:
        start, end = document.masked_span(item["start"], item["end"])
        rest = {key: value for key, value in item.items() if key in ("for", "weight")}
        return {"start": start, "end": end, SENT: [item["start"], item["end"]], **rest}

    return _with_evidence(prediction.to_dict(), kept)


def answer_as_sent(body: Json, content: str) -> Json:
    """The answer to whoever sent the ticket: offsets and words of the text as sent, as `POST /v1/predict` gives them.

    Args:
        body: as stored.
        content: the ticket's text as sent; a retry brings it again.

    Returns:
        The prediction of the contract.
    """

    def worded(item: Json) -> Json:
        start, end = item[SENT]
        rest = {key: value for key, value in item.items() if key in ("for", "weight")}
        return {"start": start, "end": end, "text": content[start:end], **rest}

    return _with_evidence(body, worded)


def answer_masked(body: Json, text: str | None) -> Json:
    """The answer to whoever reads a stored ticket: offsets and words of the masked text.

    Args:
        body: as stored.
        text: the masked text; None after a deletion, when no evidence is left either.

    Returns:
        The prediction of the contract.
    """

    def worded(item: Json) -> Json:
        rest = {key: value for key, value in item.items() if key != SENT}
        return {**rest, "text": (text or "")[item["start"] : item["end"]]}

    return _with_evidence(body, worded)


def without_evidence(body: Json) -> Json:
    """What is left of a prediction after its ticket was deleted.

    Args:
        body: as stored.

    Returns:
        The same with every list of evidence empty.
    """
    return {**body, **{key: {**body[key], "evidence": []} for key in ("safety", "escalation")}, "evidence": [],
            "flags": {name: {**flag, "evidence": []} for name, flag in body["flags"].items()}}  # fmt: skip


def _with_evidence(body: Json, change: Callable[[Json], Json]) -> Json:
    """A copy with every item of evidence changed."""
    copy = {**body, "flags": {name: {**flag} for name, flag in body["flags"].items()}}
    copy |= {key: {**body[key]} for key in ("safety", "escalation")}
    for holder in _holders(copy):
        holder["evidence"] = [change(item) for item in holder["evidence"]]
    return copy


def _holders(body: Json) -> Iterator[dict[str, Any]]:
    yield body
    yield body["safety"]
    yield body["escalation"]
    yield from body["flags"].values()
