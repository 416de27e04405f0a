from pathlib import Path

import pytest

from model.policy import Policy
from model.segmenter import Segmenter

ODD = [
    "", " ", "a", "ABC-12.5%", "a_b 中abc国", "12.5度 wifi", "😀停电😀", "㐀㐁停电", "\U00020000停电", "é停电ñ",
    "停电\r\n停电\t x", "⟦电话⟧停电", "-+#&.", "عربي停电", "한국어", "日本語カタカナ", "\ufffd停", "外包的原因上不去",
]  # fmt: skip


@pytest.fixture(scope="module")
def segmenter(policy: Policy) -> Segmenter:
    return Segmenter(policy.dictionary)


@pytest.fixture(scope="module")
def fallback(policy: Policy) -> Segmenter:
    return Segmenter(policy.dictionary, fallback=True)


def test_words_of_the_trade_stay_whole(segmenter: Segmenter) -> None:
    words = segmenter.cut("台区经理说峰谷分时和阶梯电价的违约金")
    assert {"台区经理", "阶梯电价", "违约金"} <= set(words)


def test_placeholders_stay_whole(segmenter: Segmenter) -> None:
    assert "⟦姓名⟧" in segmenter.cut("⟦姓名⟧女士的电表")


@pytest.mark.parametrize("text", ["停电⟦没有人来修理这个电表箱子", "停电 三小时\n没人管", "⟦电话⟧⟦⟧x", *ODD])
def test_the_pieces_joined_are_the_text(segmenter: Segmenter, text: str) -> None:
    assert "".join(segmenter.pieces(text)) == text
    assert "".join(segmenter.cut(text)) == "".join(text.split())


def test_rust_and_python_cut_every_sample_alike(segmenter: Segmenter, fallback: Segmenter, labelled) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("rjieba", reason="no rjieba wheel for this machine: jieba cuts alone")
    for text in (*ODD, *(ticket.text for ticket in labelled)):
        assert segmenter.pieces(text) == fallback.pieces(text)


def test_the_dictionary_has_at_least_three_hundred_entries(policy: Policy) -> None:
    lines = policy.dictionary.read_text(encoding="utf-8").splitlines()
    words = [line.split()[0] for line in lines if line.strip()]
    assert len(set(words)) == len(words) >= 300


@pytest.mark.parametrize("with_jieba", [False, True])
def test_two_segmenters_do_not_share_a_dictionary(policy: Policy, tmp_path: Path, with_jieba: bool) -> None:
    own = tmp_path / "d.txt"
    own.write_text("某某特殊词汇 2000 n\n\n某某特殊\n", encoding="utf-8")
    assert Segmenter(own, fallback=with_jieba).cut("某某特殊词汇") == ["某某特殊词汇"]
    assert Segmenter(policy.dictionary, fallback=with_jieba).cut("某某特殊词汇") != ["某某特殊词汇"]
