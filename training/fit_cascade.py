"""Fit a cascade: linear classifier, fine-tuned encoder, and how they are joined. Reads from top to bottom."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import Contents, EncoderFiles, save_bundle
from model.calibration import CUES
from model.encoder import Encoder
from model.policy import Policy
from model.ticket import LabelledTicket
from training.calibrate import calibrate
from training.card import model_card
from training.dataset import digest
from training.encoder_fit import cue_names, fit_encoder
from training.export import export
from training.finetune import FinetuneSettings
from training.fit import FitSettings, Prepared, Progress, about, check, fit_classifier, out_of_fold, prepare
from training.pretrained import Pretrained, open_encoder, pretrained
from training.split import author_folds
from training.stack import EncoderHeld, stack


@dataclass(frozen=True)
class CascadeSettings:
    """How a cascade is fitted. `source`: a hub id, a local folder, or "" for the packaged encoder."""

    linear: FitSettings = field(default_factory=FitSettings)
    encoder: FinetuneSettings = field(default_factory=FinetuneSettings)
    folds: int = 3
    source: str = ""


def fit_cascade(
    tickets: Sequence[LabelledTicket],
    policy: Policy,
    output: Path,
    work: Path,
    settings: CascadeSettings,
    *,
    key: str | None = None,
    progress: Progress = print,
) -> str:
    """Fit on labelled tickets and save the bundle.

    Args:
        tickets: the training side, at least two authors and two leaves.
        policy: taxonomy, rules, thresholds.
        output: folder of the bundle.
        work: folder of checkpoints and finished folds; a run that was killed goes on from there.
        settings: of all parts.
        key: signs the manifest where given.
        progress: told what goes on.

    Returns:
        The bundle's id.

    Raises:
        InvalidLabels: fewer than two leaves or two authors.
    """
    check(tickets)
    work = work / digest(tickets)[:12]  # another batch of labels starts anew
    data = prepare(tickets, policy)
    progress(f"线性分类器:{settings.linear.folds} 折")
    held = out_of_fold(data, policy, settings.linear)
    temperature, first, metrics = calibrate(held, policy, settings.linear.read)
    source = pretrained(settings.source or None, data.texts, work / "pretrained", layers=settings.encoder.layers)
    values = _out_of_fold(data, policy, source, work, settings, held.codes, progress)
    second, exits, stacked = stack(held, values, first, temperature, policy, settings.linear.read)
    progress("编码器:全部训练工单")
    final = _fit(data, range(len(tickets)), policy, source, work / "final", settings)
    classifier = fit_classifier(data, range(len(tickets)), policy, settings.linear)
    classifier.temperature_ = temperature
    description = about(data, asdict(settings), {**metrics, **{f"cascade_{n}": v for n, v in stacked.items()}})
    description["pretrained"] = source.origin
    card = model_card(tickets, {**metrics, **stacked}, policy)
    files = EncoderFiles(final, second, exits)
    return save_bundle(Contents("cascade", classifier, first, policy, description, card, files), output, key)


def _out_of_fold(
    data: Prepared,
    policy: Policy,
    source: Pretrained,
    work: Path,
    settings: CascadeSettings,
    codes: Sequence[str],
    progress: Progress,
) -> EncoderHeld:
    """Values of an encoder that never saw a ticket's author; a finished fold is read back after a kill."""
    leaves = np.zeros((len(data.tickets), len(codes)))
    cues = np.zeros((len(data.tickets), len(CUES)))
    for number, (train, rows) in enumerate(author_folds(data.tickets, settings.folds, settings.encoder.seed), 1):
        done = work / f"fold{number}.npz"
        if not done.is_file():
            progress(f"编码器:第 {number} 折,共 {settings.folds} 折")
            served = Encoder.load(_fit(data, train, policy, source, work / f"fold{number}", settings))
            fold_leaves, fold_cues = served.scores([data.documents[row] for row in rows])
            own = [list(served.classes_).index(code) for code in codes]
            np.savez(done, leaves=fold_leaves[:, own], cues=fold_cues[:, : len(CUES)])
        with np.load(done) as file:
            leaves[rows], cues[rows] = file["leaves"], file["cues"]
    return EncoderHeld(leaves, cues)


def _fit(
    data: Prepared, rows: Sequence[int], policy: Policy, source: Pretrained, folder: Path, settings: CascadeSettings
) -> Path:
    """Fine-tune on some rows and export; gives the folder of the served files."""
    model, tokenizer = open_encoder(source.folder)
    tuned = fit_encoder(data, rows, None, model, tokenizer, policy, folder / "run", settings.encoder, resume=True)
    names: tuple[Any, Any] = (policy.taxonomy.codes, cue_names(policy))
    export(tuned, source.folder / "tokenizer.json", *names, folder / "served", settings.encoder)
    return folder / "served"
