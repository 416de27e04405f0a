"""Fit a cascade: linear classifier, fine-tuned encoder, and how they are joined. Reads from top to bottom."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import Contents, EncoderFiles, save_bundle
from model.calibration import CUES
from model.encoder import Encoder
from model.labels import digest
from model.manifest import MANIFEST
from model.policy import Policy
from model.ticket import LabelledTicket
from training.card import about, model_card
from training.encoder_fit import cue_names, fit_encoder
from training.export import export, keep_weights
from training.finetune import FinetuneSettings, TriageEncoder
from training.fit import FitSettings, Prepared, Progress, fit_linear
from training.pretrained import RECORD, Pretrained, open_encoder, pretrained
from training.ranks import leads, meet
from training.split import author_folds
from training.stack import EncoderHeld, stack


@dataclass(frozen=True)
class CascadeSettings:
    """How a cascade is fitted. `source`: a hub id, a local folder, or "" for the packaged encoder.

    `encoder_alone`: a bundle that decides by encoder and rules; the linear classifier only stands by for lack of time.
    """

    linear: FitSettings = field(default_factory=FitSettings)
    encoder: FinetuneSettings = field(default_factory=FinetuneSettings)
    encoder_folds: int = 3
    encoder_alone: bool = False
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
        The bundle's id. Under `accelerate launch` all processes fine-tune together and the first one writes.

    Raises:
        InvalidLabels: fewer than two leaves or two authors.
    """
    work = work / digest(tickets)[:12]  # another batch of labels starts anew
    say = progress if leads() else _silent
    linear = fit_linear(tickets, policy, settings.linear, progress=say)
    source = _pretrained(linear.data, work / "pretrained", settings)
    run = _Run(linear.data, policy, source, work, settings, say)
    alone = settings.encoder_alone
    second, exits, stacked = stack(linear, run.out_of_fold(linear.held.codes), policy, settings.linear.read, alone=alone)
    final, weights = run.finish()
    metrics = {**linear.metrics, **{f"cascade_{n}": v for n, v in stacked.items()}}
    description = {**about(tickets, asdict(settings), metrics), "pretrained": source.origin, "weights": weights}
    card = model_card(tickets, {**linear.metrics, **stacked}, policy)
    files = EncoderFiles(final, second, exits)
    kind = "encoder" if alone else "cascade"
    if leads():
        save_bundle(Contents(kind, linear.classifier, linear.calibration, policy, description, card, files), output, key)
    meet()
    return str(json.loads((output / MANIFEST).read_text(encoding="utf-8"))["id"])


@dataclass(frozen=True)
class _Run:
    """Everything that fine-tuning a part of the tickets needs."""

    data: Prepared
    policy: Policy
    source: Pretrained
    work: Path
    settings: CascadeSettings
    say: Progress

    def out_of_fold(self, codes: Sequence[str]) -> EncoderHeld:
        """Values of an encoder that never saw a ticket's author; a finished fold is read back after a kill."""
        data, settings = self.data, self.settings
        leaves = np.zeros((len(data.tickets), len(codes)))
        cues = np.zeros((len(data.tickets), len(CUES)))
        for number, (train, rows) in enumerate(author_folds(data.tickets, settings.encoder_folds, settings.encoder.seed), 1):
            done = self.work / f"fold{number}.npz"
            if not done.is_file():
                self.say(f"编码器:第 {number} 折,共 {settings.encoder_folds} 折")
                served = Encoder.load(self.export(f"fold{number}", self.tune(f"fold{number}", train)))
                fold_leaves, fold_cues = served.scores([data.documents[row] for row in rows])
                own = [list(served.classes_).index(code) for code in codes]
                if leads():
                    np.savez(done, leaves=fold_leaves[:, own], cues=fold_cues[:, : len(CUES)])
            meet()
            with np.load(done) as file:
                leaves[rows], cues[rows] = file["leaves"], file["cues"]
        return EncoderHeld(leaves, cues)

    def finish(self) -> tuple[Path, str]:
        """Learn from all tickets; gives the folder of the served files and the name of the weights kept."""
        self.say("编码器:全部训练工单")
        tuned = self.tune("final", range(len(self.data.tickets)))
        kept = keep_weights(tuned, self.source.folder, self.work / "final") if leads() else ""
        return self.export("final", tuned), kept

    def tune(self, name: str, rows: Sequence[int]) -> TriageEncoder:
        """Fine-tune on some rows, from the last checkpoint where there is one."""
        encoder, tokenizer = open_encoder(self.source.folder)
        folder, settings = self.work / name / "run", self.settings.encoder
        return fit_encoder(
            self.data, rows, None, encoder, tokenizer, self.policy, folder, settings, resume=True, progress=self.say
        )

    def export(self, name: str, tuned: TriageEncoder) -> Path:
        """The folder of the files that a bundle serves."""
        folder = self.work / name / "served"
        if leads():
            names: tuple[Any, Any] = (self.policy.taxonomy.codes, cue_names(self.policy))
            export(tuned, self.source.folder, *names, folder, self.settings.encoder)
        meet()
        return folder


def _pretrained(data: Prepared, folder: Path, settings: CascadeSettings) -> Pretrained:
    """The first process makes the folder, all read it."""
    if leads():
        pretrained(settings.source or None, data.texts, folder, layers=settings.encoder.layers)
    meet()
    return Pretrained(folder, **json.loads((folder / RECORD).read_text(encoding="utf-8")))


def _silent(_: str) -> None:
    """Processes that do not lead say nothing."""
