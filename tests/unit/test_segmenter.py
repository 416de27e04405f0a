import pytest

from model.policy import Policy
from model.segmenter import Segmenter


@pytest.fixture(scope="module")
def segmenter(policy: Policy) -> Segmenter:
    return Segmenter(policy.dictionary)


def test_words_of_the_trade_stay_whole(segmenter: Segmenter) -> None:
    words = segmenter.cut("台区经理说峰谷分时和阶梯电价的违约金")
    assert {"台区经理", "阶梯电价", "违约金"} <= set(words)


def test_placeholders_stay_whole(segmenter: Segmenter) -> None:
    assert "⟦姓名⟧" in segmenter.cut("⟦姓名⟧女士的电表")


def test_a_stray_bracket_does_no_harm(segmenter: Segmenter) -> None:
    text = "停电⟦没有人来修理这个电表箱子"
    assert segmenter.cut_with_offsets(text)
    for word, start in segmenter.cut_with_offsets(text):
        assert text[start : start + len(word)] == word


def test_offsets_point_at_the_words(segmenter: Segmenter) -> None:
    text = "停电 三小时\n没人管"
    for word, start in segmenter.cut_with_offsets(text):
        assert text[start : start + len(word)] == word


def test_the_dictionary_has_at_least_three_hundred_entries(policy: Policy) -> None:
    lines = policy.dictionary.read_text(encoding="utf-8").splitlines()
    words = [line.split()[0] for line in lines if line.strip()]
    assert len(set(words)) == len(words) >= 300


def test_two_segmenters_do_not_share_a_dictionary(policy: Policy, tmp_path) -> None:  # type: ignore[no-untyped-def]
    own = tmp_path / "d.txt"
    own.write_text("某某特殊词汇 2000 n\n", encoding="utf-8")
    assert Segmenter(own).cut("某某特殊词汇") == ["某某特殊词汇"]
    assert Segmenter(policy.dictionary).cut("某某特殊词汇") != ["某某特殊词汇"]
