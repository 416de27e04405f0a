"""One battery for every classifier of ours."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from model.errors import NotFitted
from model.linear import LinearClassifier
from model.policy import BUILT_IN
from model.reasons import character_weights, word_reasons
from model.rule_classifier import RuleClassifier
from training.fit import prepare

MAKERS = {
    "rules": lambda: RuleClassifier(),
    "linear": lambda: LinearClassifier(BUILT_IN / "dictionary.txt"),
}
TEXTS = ["停电三小时了没人管", "这个月电费多扣了两百块", "电表冒烟了", ""]


@pytest.fixture(scope="module")
def training(train_side, policy):  # type: ignore[no-untyped-def]
    data = prepare(train_side[::3], policy)
    return data.texts, data.leaves


@pytest.fixture(scope="module", params=MAKERS)
def classifier(request, training):  # type: ignore[no-untyped-def]
    return MAKERS[request.param]().fit(*training)


@pytest.mark.parametrize("kind", MAKERS)
def test_it_can_be_cloned_and_its_constructor_only_stores(kind: str) -> None:
    fresh = MAKERS[kind]()
    copy = clone(fresh)
    assert copy.get_params() == fresh.get_params()
    assert {key for key in vars(fresh) if key.endswith("_")} == set()


@pytest.mark.parametrize("kind", MAKERS)
def test_before_fit_it_says_so(kind: str) -> None:
    with pytest.raises(NotFitted, match="fit"):
        MAKERS[kind]().predict_proba(TEXTS)


def test_fit_returns_itself_and_learned_names_end_in_an_underscore(classifier) -> None:  # type: ignore[no-untyped-def]
    learned = set(vars(classifier)) - set(classifier.get_params())
    assert learned
    assert all(name.endswith("_") for name in learned)


def test_rows_sum_to_one_in_the_order_of_the_classes(classifier) -> None:  # type: ignore[no-untyped-def]
    proba = classifier.predict_proba(TEXTS)
    assert proba.shape == (len(TEXTS), len(classifier.classes_))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert list(classifier.predict(TEXTS)) == [classifier.classes_[i] for i in proba.argmax(axis=1)]


def test_a_list_a_series_and_a_generator_give_the_same(classifier) -> None:  # type: ignore[no-untyped-def]
    expected = classifier.predict_proba(TEXTS)
    np.testing.assert_array_equal(classifier.predict_proba(pd.Series(TEXTS, index=[5, 6, 7, 8])), expected)
    np.testing.assert_array_equal(classifier.predict_proba(text for text in TEXTS), expected)


def test_no_text_gives_no_row(classifier) -> None:  # type: ignore[no-untyped-def]
    assert classifier.predict_proba([]).shape == (0, len(classifier.classes_))


def test_a_ticket_alone_and_in_a_batch_gets_the_same_answer(classifier) -> None:  # type: ignore[no-untyped-def]
    together = classifier.predict_proba(TEXTS)
    for row, text in enumerate(TEXTS):
        np.testing.assert_allclose(classifier.predict_proba([text])[0], together[row], atol=1e-12)


def test_plain_matters_are_recognised(classifier) -> None:  # type: ignore[no-untyped-def]
    assert classifier.predict(["停电三小时了,整个小区没电,抢修的人还没到"])[0] == "other.outage"
    assert classifier.predict(["申请验表一个月了没人来,校表结果也不给"])[0] == "metering.verification"


@pytest.fixture(scope="module")
def linear(train_side, policy):  # type: ignore[no-untyped-def]
    data = prepare(train_side[::3], policy)
    truth = {"safety": [ticket.safety for ticket in data.tickets]}
    return LinearClassifier(BUILT_IN / "dictionary.txt").fit(data.texts, data.leaves, truth)


def test_its_state_holds_no_class_of_ours_and_survives_a_round_trip(linear, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import joblib

    from model import safe_joblib

    joblib.dump(linear.state(), tmp_path / "x.joblib")
    assert b"cmodel" not in (tmp_path / "x.joblib").read_bytes()
    again = LinearClassifier.from_state(safe_joblib.load(tmp_path / "x.joblib"), BUILT_IN / "dictionary.txt")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), linear.predict_proba(TEXTS))


@pytest.mark.parametrize("text", ["停电三小时了没人管", "客服代表:您好\n客户:电费1047.66元太多\n客户:再说一遍电费"])
@pytest.mark.parametrize("target", ["billing.charge", "other.outage", "safety"])
def test_word_reasons_are_exact(linear, text: str, target: str) -> None:  # type: ignore[no-untyped-def]
    leaves, cues = linear.logits([text])
    names = [*linear.classes_, *linear.cues_]
    value = (leaves if target != "safety" else cues)[0][names.index(target) if target != "safety" else 0]
    intercept = linear.intercepts_[names.index(target)]
    assert character_weights(linear, text, target).sum() + intercept == pytest.approx(value, abs=1e-9)


def test_the_strongest_word_is_the_telling_one(linear) -> None:  # type: ignore[no-untyped-def]
    text = "昨天晚上开始停电,到现在没来电"
    reasons = word_reasons(linear, text, "other.outage", 5)
    assert any("电" in text[r.start : r.end] for r in reasons)
    assert [r.weight for r in reasons] == sorted((r.weight for r in reasons), reverse=True)
