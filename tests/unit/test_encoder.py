import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.calibration import Calibration, CueJoint, Exits
from model.cascade import join_leaves
from model.document import read
from model.encoder import Encoder, EncoderSettings, encoder_text, windows
from model.ticket import Ticket


@given(st.integers(0, 900), st.integers(0, 40), st.integers(60, 300))
def test_windows_hold_every_token_in_order_and_none_is_too_long(count: int, overlap: int, width: int) -> None:
    tokens = [0, *range(10, 10 + count), 2]
    cut = windows(tokens, EncoderSettings(window=width, overlap=overlap))
    assert all(len(window) <= width and window[0] == 0 and window[-1] == 2 for window in cut)
    assert sorted({token for window in cut for token in window[1:-1]}) == list(range(10, 10 + count))
    assert all(
        a[1:-1][-overlap:] == b[1:-1][:overlap] for a, b in itertools.pairwise(cut) if overlap and len(b) > overlap + 2
    )


def test_a_short_text_is_one_window() -> None:
    assert windows([0, 5, 6, 2], EncoderSettings()) == [[0, 5, 6, 2]]


def test_the_encoder_reads_who_says_what_and_no_relay_header() -> None:
    spoken = encoder_text(read(Ticket("客服:您好\n客户:我家停电了,电话13812345678")), "query: ")
    assert spoken == "query: 通话 客服:您好 客户:我家停电了,电话[电话]"
    relayed = encoder_text(read(Ticket("【12345热线转办】诉求内容:我家停电了")), "")
    assert relayed.startswith("转办 ")
    assert "12345" not in relayed
    assert encoder_text(read(Ticket("客户反映停电")), "") == "记录 客户反映停电"


class _Session:
    """Stands for ONNX Runtime: a token's vector is its id and its square; padding must not count."""

    def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert names == ["mean", "most"]
        ids, mask = inputs["input_ids"].astype(float), inputs["attention_mask"]
        assert ((ids > 0) == (mask == 1)).all()
        both = np.stack([ids, ids**2], axis=-1)
        mean = both.sum(1) / mask.sum(1, keepdims=True)
        return [mean, both.max(1)]


class _Tokenizer:
    def encode_batch(self, texts: list[str]) -> list[object]:
        return [type("E", (), {"ids": [1, *(ord(c) % 50 + 2 for c in text), 60]})() for text in texts]


def _encoder(settings: EncoderSettings) -> Encoder:
    heads = {
        "leaves": ["a", "b"],
        "cues": ["safety"],
        "weights": np.ones((4, 3)),
        "intercepts": np.array([0.0, 1.0, 2.0]),
    }
    return Encoder(_Session(), _Tokenizer(), heads, settings)


def test_a_long_ticket_is_pooled_over_all_its_windows() -> None:
    documents = [read(Ticket("停电" * 40)), read(Ticket("电费")), read(Ticket("表坏了" * 30))]
    encoder = _encoder(EncoderSettings(prefix="", window=20, overlap=0))
    pooled = encoder.pooled(documents)
    for row, tokens in enumerate(encoder.tokens(documents)):
        seen = np.array([token for window in windows(tokens, encoder.settings) for token in window], float)
        assert pooled[row] == pytest.approx([seen.mean(), (seen**2).mean(), seen.max(), (seen**2).max()])
    leaves, cues = encoder.scores(documents)
    assert leaves.shape == (3, 2)
    assert cues[:, 0] == pytest.approx(pooled.sum(axis=1) + 2)


def test_who_may_leave_before_the_encoder() -> None:
    exits = Exits({"a": 0.9}, {"safety": 0.1, "theft": 0.2})
    assert Exits.from_dict(exits.to_dict()) == exits
    assert exits.passes({"a": 0.95, "b": 0.05}, {"safety": 0.05, "theft": 0.0})
    assert not exits.passes({"a": 0.8, "b": 0.2}, {"safety": 0.05, "theft": 0.0})
    assert not exits.passes({"a": 0.95, "b": 0.05}, {"safety": 0.3, "theft": 0.0})
    assert not exits.passes({"b": 1.0, "a": 0.0}, {"safety": 0.0, "theft": 0.0})


def test_shares_decide_who_is_heard() -> None:
    linear, encoder = np.array([[0.9, 0.1]]), np.array([[0.0, 5.0]])
    rules = np.log([[0.5, 0.5]])
    alone = Calibration({}, linear_share=1.0, encoder_share=0.0)
    other = Calibration({}, linear_share=0.0, encoder_share=1.0)
    assert join_leaves(linear, encoder, rules, alone)[0] == pytest.approx([0.9, 0.1])
    assert join_leaves(linear, encoder, rules, other)[0].argmax() == 1


def test_a_calibration_survives_the_manifest() -> None:
    calibration = Calibration({"a": 0.8}, 0.1, {"safety": CueJoint(1.0, 2.0, -3.0, 0.4, 0.5)}, 0.9, 0.7)
    assert Calibration.from_dict(calibration.to_dict()) == calibration
    assert calibration.cues["safety"].probability(1.0, 0.0, 2.0) > calibration.cues["safety"].probability(1.0, 0.0, 0.0)
