"""Letters to other offices come along with the hotline's relays: no crew is sent out for them, none is routed unread lightly."""

from dataclasses import replace

import pytest

from model.pipeline import Pipeline
from model.ticket import Ticket

LETTER = "希望公交公司把这条路线改道走学校北门,幼儿园门口上学放学的时候车太多,孩子们过马路非常不方便,请有关领导重视并尽快回复我们家长"
CRY = ("着火了着火了快来人", "着火了", "楼道着火了,你们赶紧来", "我家起火了快来")


def _every_safety(pipeline: Pipeline) -> Pipeline:
    """The same pipeline with a classifier that sees danger everywhere."""
    assert pipeline.bundle is not None
    calibration = pipeline.bundle.calibration
    cues = {**calibration.cues, "safety": replace(calibration.cues["safety"], threshold=-1.0)}
    bundle = replace(pipeline.bundle, calibration=replace(calibration, cues=cues))
    return Pipeline(pipeline.policy, bundle)


def test_a_classifier_alone_raises_no_danger_in_a_letter_that_names_nothing_of_a_utility(linear_pipeline: Pipeline) -> None:
    alarmed = _every_safety(linear_pipeline)
    letter, about_power, short, fire = alarmed.predict(
        [Ticket(LETTER), Ticket(LETTER + ",路边电线杆也歪了"), Ticket("孩子们过马路很不方便"), Ticket(LETTER + "。校门口冒着黑烟,着火了快来人")]
    )
    assert not letter.safety.raised
    assert letter.safety.probability <= 0.05
    assert letter.route.desk != linear_pipeline.policy.routing.safety.desk
    assert about_power.safety.raised
    assert short.safety.raised
    assert fire.safety.raised


@pytest.mark.parametrize("text", CRY)
def test_a_cry_for_help_is_danger_without_any_other_word(
    text: str, rules_pipeline: Pipeline, linear_pipeline: Pipeline
) -> None:
    for pipeline in (rules_pipeline, linear_pipeline):
        assert pipeline.predict([Ticket(text)])[0].safety.raised


@pytest.mark.parametrize("text", ["没着火,就是灯不亮", "要是着火了怎么办", "担心着火了快来不及跑"])
def test_a_fire_that_is_not_there_is_no_cry(text: str, rules_pipeline: Pipeline) -> None:
    assert "safety.fire_cry" not in rules_pipeline.predict([Ticket(text)])[0].rules_fired
