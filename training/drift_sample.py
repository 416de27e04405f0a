"""Tickets of one stretch of time as a table: what drift is looked for in."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from model.decision import ready_for_auto
from model.document import read
from model.pipeline import Pipeline
from model.prediction import Prediction
from model.segmenter import Segmenter
from model.ticket import Ticket

COLUMNS = ("text", "words", "leaf", "confidence", "abstained", "length", "unknown", "overridden")
_BATCH = 256


def drift_sample(tickets: Sequence[Ticket], decided: Sequence[bool | None], pipeline: Pipeline) -> pd.DataFrame:
    """Predict tickets and keep what drift is looked for in; both sides of a comparison need the same bundle.

    Args:
        tickets: n tickets.
        decided: for each whether a person chose another leaf than was proposed; None where nobody looked.
        pipeline: predicts.

    Returns:
        n rows: masked `text`, the same as `words` joined by blanks, proposed `leaf`, `confidence`, `abstained` (not sure enough for `auto`, whatever is
        switched on), `length` in characters, `unknown` (share of words never seen in training; NaN without a bundle),
        `overridden` (1, 0 or NaN).
    """
    rows: list[Mapping[str, Any]] = []
    segmenter = Segmenter(pipeline.policy.dictionary)
    for start in range(0, len(tickets), _BATCH):
        part = tickets[start : start + _BATCH]
        texts = [_text(ticket, pipeline) for ticket in part]
        words = [" ".join(segmenter.cut(text)) for text in texts]
        told = zip(texts, words, pipeline.predict(part), _unknown(texts, pipeline), strict=True)
        rows += [{"text": text, "words": cut, **_row(text, made, share)} for text, cut, made, share in told]
    frame = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    return frame.assign(overridden=np.array([np.nan if one is None else float(one) for one in decided]))


def _row(text: str, prediction: Prediction, unknown: float) -> Mapping[str, Any]:
    return {
        "leaf": prediction.category.code, "confidence": prediction.category.confidence,
        "abstained": not ready_for_auto(prediction.decision, prediction.reasons), "length": len(text), "unknown": unknown,
    }  # fmt: skip


def _text(ticket: Ticket, pipeline: Pipeline) -> str:
    decision = pipeline.policy.decision
    return read(ticket, decision.max_characters, decision.head_characters).text


def _unknown(texts: Sequence[str], pipeline: Pipeline) -> Sequence[float]:
    if pipeline.bundle is None:
        return [float("nan")] * len(texts)
    shares: list[float] = pipeline.bundle.classifier.scores(texts)[2].tolist()
    return shares
