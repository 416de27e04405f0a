"""An explanation by a real cascade, with the encoder asked for every ticket. Slow; needs the extra `train`."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.bundle import load_bundle
from model.calibration import CUES, Exits
from model.document import read
from model.occlusion import occlude
from model.pipeline import Pipeline
from model.ticket import LabelledTicket, Ticket
from triage import Triage

pytestmark = pytest.mark.slow
TEXT = "上个月欠费停了电,当天就交清了,到第二天中午才来电,冰箱里的东西全坏了,要求赔,电话13812345678"


def _pipeline(folder: Path, exits: Exits) -> Pipeline:
    bundle = load_bundle(folder)
    assert bundle.second is not None
    return Pipeline(bundle.policy, replace(bundle, second=replace(bundle.second, exits=exits)))


@pytest.fixture(scope="module")
def always(cascade_folder: Path) -> Pipeline:
    return _pipeline(cascade_folder, Exits({}, {}))


def test_what_the_encoder_rests_on_stands_in_the_ticket_and_never_in_a_mask(
    always: Pipeline, held_side: tuple[LabelledTicket, ...]
) -> None:
    triage = Triage(always)
    for text in (TEXT, *(ticket.text for ticket in held_side[:8])):
        explained = triage.explain(text)
        assert explained["answered_by"] == "encoder"
        words = explained.encoder[explained.encoder["kind"] == "word"]
        assert words["weight"].is_monotonic_decreasing
        assert all(word in read(Ticket(text)).text for word in explained.encoder["text"])
        assert not words["text"].str.contains("[⟦⟧]").any()
    html = triage.explain(TEXT)._repr_html_()
    assert "编码器看重什么" in html
    assert "13812345678" not in html


def test_the_same_ticket_is_explained_alike_each_time(always: Pipeline) -> None:
    document, bundle = read(Ticket(TEXT)), always.bundle
    assert bundle is not None
    assert bundle.second is not None
    leaf = always.predict([Ticket(TEXT)])[0].category.code
    once, again = (occlude(bundle.second.encoder, document, leaf, bundle.classifier.segmenter) for _ in range(2))
    assert once == again
    assert once is not None
    assert once.clauses


def test_a_ticket_that_left_before_the_encoder_says_that_it_was_not_read(cascade_folder: Path) -> None:
    codes = load_bundle(cascade_folder).policy.taxonomy.codes
    everyone = _pipeline(cascade_folder, Exits(dict.fromkeys(codes, 0.0), dict.fromkeys(CUES, 1.0)))
    explained = Triage(everyone).explain(TEXT)
    assert explained["answered_by"] == "linear"
    assert explained.encoder.empty
    assert "编码器没有读这一条" in explained._repr_html_()
