from collections.abc import Sequence

import numpy as np
import pytest

from model.document import Document, read
from model.occlusion import LONGEST, occlude
from model.policy import Policy
from model.segmenter import Segmenter
from model.ticket import Ticket


class _Encoder:
    """Stands for the encoder: a leaf's value is the weight of the wordings that are still there."""

    classes_ = np.array(["billing.charge", "other.outage"])
    wordings = {"电费": 3.0, "扣": 1.0, "停电": 2.0}  # noqa: RUF012 - a fake

    def __init__(self) -> None:
        self.texts: list[str] = []

    def scores(self, documents: Sequence[Document]) -> tuple[np.ndarray, np.ndarray]:
        self.texts += [document.text for document in documents]
        values = [[self._value(d.text, ("电费", "扣")), self._value(d.text, ("停电",))] for d in documents]
        return np.array(values), np.zeros((len(documents), 0))

    def _value(self, text: str, words: Sequence[str]) -> float:
        return sum(self.wordings[word] for word in words if word in text)


@pytest.fixture(scope="module")
def segmenter(policy: Policy) -> Segmenter:
    return Segmenter(policy.dictionary)


def _parts(document: Document, reasons: Sequence[object]) -> list[str]:
    return [document.text[r.start : r.end] for r in reasons]  # type: ignore[attr-defined]


def test_the_clause_and_the_words_that_a_leaf_rests_on_come_out_first(segmenter: Segmenter) -> None:
    document = read(Ticket("您好,我想问一下,上月电费扣了两遍,家里没有停电"))
    found = occlude(_Encoder(), document, "billing.charge", segmenter)  # type: ignore[arg-type]
    assert found is not None
    assert _parts(document, found.clauses) == ["上月电费扣了两遍"]
    assert _parts(document, found.words)[:2] == ["电费", "扣"]
    assert found.words[0].weight == pytest.approx(3.0)
    assert found.clauses[0].weight == pytest.approx(4.0)


def test_what_speaks_for_another_leaf_is_no_reason(segmenter: Segmenter) -> None:
    document = read(Ticket("电费扣了两遍,家里没有停电"))
    found = occlude(_Encoder(), document, "billing.charge", segmenter)  # type: ignore[arg-type]
    assert found is not None
    assert not [part for part in _parts(document, (*found.clauses, *found.words)) if "停电" in part]


def test_a_relay_header_and_what_was_masked_are_not_looked_at(segmenter: Segmenter) -> None:
    encoder = _Encoder()
    document = read(Ticket("【12345热线转办】诉求内容:电费扣了两遍,请回电话13812345678"))
    found = occlude(encoder, document, "billing.charge", segmenter)  # type: ignore[arg-type]
    assert found is not None
    assert all("12345" in text for text in encoder.texts)
    assert not [part for part in _parts(document, found.words) if "⟦" in part or "⟧" in part]


def test_a_ticket_of_very_many_clauses_costs_no_more_readings_than_one_of_a_few(segmenter: Segmenter) -> None:
    encoder = _Encoder()
    occlude(encoder, read(Ticket("电费扣了两遍,没人管," * 80)), "billing.charge", segmenter)  # type: ignore[arg-type]
    assert len(encoder.texts) <= 30


@pytest.mark.parametrize(
    ("text", "leaf"),
    [("电费" * LONGEST, "billing.charge"), ("电费扣了两遍", "metering.device")],
    ids=["long", "unknown leaf"],
)
def test_nothing_is_said_of_a_very_long_text_or_a_leaf_the_encoder_never_learned(
    segmenter: Segmenter, text: str, leaf: str
) -> None:
    assert occlude(_Encoder(), read(Ticket(text)), leaf, segmenter) is None  # type: ignore[arg-type]
