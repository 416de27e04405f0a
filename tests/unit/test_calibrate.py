import numpy as np
import pytest
from scipy.special import softmax

from model.calibration import Calibration, CueJoint, default_calibration
from model.policy import Policy
from training.calibrate import expected_calibration_error, fit_temperature, leaf_thresholds


def _ece(proba: np.ndarray, truth: np.ndarray) -> float:
    return expected_calibration_error(proba.max(axis=1), proba.argmax(axis=1) == truth)


def test_temperature_undoes_overconfidence() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, 2000)
    values = np.eye(3)[truth] + generator.normal(0, 0.8, (2000, 3))
    temperature = fit_temperature(values * 10, truth)
    assert _ece(softmax(values * 10 / temperature, axis=1), truth) < 0.05
    assert _ece(softmax(values * 10, axis=1), truth) > 0.10


def test_a_threshold_holds_its_precision_and_hopeless_leaves_never_go_out_alone(policy: Policy) -> None:
    codes = list(policy.taxonomy.codes)
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 13, 4000)
    values = np.eye(13)[truth] * 3 + generator.normal(0, 1, (4000, 13))
    values[truth == 0] = generator.normal(0, 1, ((truth == 0).sum(), 13))
    values[truth == 1, 0] += 6
    proba = softmax(values, axis=1)
    thresholds = leaf_thresholds(proba, truth, codes, policy)
    assert thresholds[codes[0]] > 1
    for column, code in list(enumerate(codes))[2:]:
        chosen = (proba.argmax(axis=1) == column) & (proba.max(axis=1) >= thresholds[code])
        assert (truth[chosen] == column).mean() >= policy.decision.target_precision - 0.03


def test_a_joint_grows_with_both_witnesses() -> None:
    joint = CueJoint(2.0, 1.0, -1.0, 0.5)
    assert joint.probability(0, 0) < joint.probability(1, 0) < joint.probability(1, 1) < 1
    assert joint.probability(1e9, 0) == pytest.approx(1)
    assert joint.probability(-1e9, 0) == pytest.approx(0)


def test_a_calibration_survives_the_manifest(policy: Policy) -> None:
    calibration = default_calibration(policy.taxonomy.codes, policy.decision)
    assert Calibration.from_dict(calibration.to_dict()) == calibration


def test_rules_alone_raise_a_cue_exactly_at_the_policy_weight(policy: Policy) -> None:
    calibration = default_calibration(policy.taxonomy.codes, policy.decision)
    joint, weight = calibration.cues["malicious"], policy.decision.flag_rule_weight
    assert joint.probability(0, weight) >= joint.threshold > joint.probability(0, weight * 0.9)
