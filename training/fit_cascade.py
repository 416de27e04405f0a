"""Fit a cascade: linear classifier, fine-tuned encoder, and how they are joined. Reads from top to bottom."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import Contents, EncoderFiles, save_bundle
from model.calibration import CUES
from model.encoder import Encoder
from model.labels import digest, text_hash
from model.manifest import MANIFEST
from model.policy import Policy
from model.ticket import LabelledTicket
from training.card import about, model_card
from training.encoder_fit import cue_names, fit_encoder, with_heads
from training.export import export, keep_weights
from training.finetune import FinetuneSettings, TriageEncoder
from training.fit import FitSettings, Prepared, Progress, fit_linear
from training.pretrained import RECORD, Pretrained, open_encoder, pretrained
from training.ranks import leads, meet
from training.split import author_folds
from training.stack import stack
from training.warm import Former, Matrix, Seen, read_former


@dataclass(frozen=True)
class CascadeSettings:
    """How a cascade is fitted. `source`: a hub id, a local folder, or "" for the packaged encoder.

    `encoder_alone`: a bundle that decides by encoder and rules; the linear classifier only stands by for lack of time.
    `warm`: folder `weights-<hash>` of an earlier fit to go on from, for `warm_epochs` at `warm_rate` of the usual rates;
    only tickets that fit had not seen are then scored anew for calibration, by its own encoder.
    """

    linear: FitSettings = field(default_factory=FitSettings)
    encoder: FinetuneSettings = field(default_factory=FinetuneSettings)
    encoder_folds: int = 3
    encoder_alone: bool = False
    source: str = ""
    warm: Path | None = None
    warm_epochs: int = 3
    warm_rate: float = 1.0


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
        UnusableEncoder: the earlier fit is not whole, or of other categories.
    """
    former = read_former(settings.warm, policy.taxonomy.codes, cue_names(policy)) if settings.warm else None
    work = work / "-".join([digest(tickets)[:12], *_warm(former).values()])  # another batch of labels starts anew
    say = progress if leads() else _silent
    linear = fit_linear(tickets, policy, settings.linear, progress=say)
    run = _Run(linear.data, policy, _pretrained(linear.data, work / "pretrained", settings), work, settings, say, former)
    seen = run.out_of_fold(linear.held.codes)
    second, exits, stacked = stack(linear, seen.held, policy, settings.linear.read, alone=settings.encoder_alone)
    final, weights = run.finish(seen)
    metrics = linear.metrics | {f"cascade_{n}": v for n, v in stacked.items()}
    made = {"pretrained": run.source.origin, "weights": weights, **_warm(former)}
    description = about(tickets, asdict(replace(settings, warm=None)), metrics) | made
    parts = linear.classifier, linear.calibration, policy, description
    card, files = model_card(tickets, linear.metrics | stacked, policy), EncoderFiles(final, second, exits)
    if leads():
        save_bundle(Contents("encoder" if settings.encoder_alone else "cascade", *parts, card, files), output, key)
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
    former: Former | None = None

    def out_of_fold(self, codes: Sequence[str]) -> Seen:
        """Values of encoders that never saw a ticket: by author, or those of the earlier fit and of its encoder."""
        leaves, cues = self._by_former(codes, self.former) if self.former else self._by_fold(codes)
        return Seen([text_hash(ticket.text) for ticket in self.data.tickets], codes, CUES, leaves, cues)

    def _by_former(self, codes: Sequence[str], former: Former) -> tuple[Matrix, Matrix]:
        """What the earlier fit said out of fold; for tickets that are new to it, what its encoder says."""
        leaves = np.zeros((len(self.data.tickets), len(codes)))
        cues = np.zeros((len(self.data.tickets), len(CUES)))
        own = [list(former.seen.codes).index(code) for code in codes]
        places = former.seen.rows([ticket.text for ticket in self.data.tickets])
        new = [row for row, place in enumerate(places) if place is None]
        known = [(row, place) for row, place in enumerate(places) if place is not None]
        for row, place in known:
            leaves[row], cues[row] = former.seen.leaf_values[place][own], former.seen.cue_values[place]
        self.say(f"编码器:接着 {former.folder.name} 训练;{len(known)} 条用原来的折外结果,{len(new)} 条新工单由它打分")
        if new:
            served = Encoder.load(self.export("former", self._opened(former)))
            fresh, fresh_cues = served.scores([self.data.documents[row] for row in new])
            order = [list(served.classes_).index(code) for code in codes]
            leaves[new], cues[new] = fresh[:, order], fresh_cues[:, : len(CUES)]
        return leaves, cues

    def _opened(self, former: Former) -> TriageEncoder:
        """The earlier fit's encoder with its heads, as it was left."""
        encoder, _ = open_encoder(self.source.folder)
        return with_heads(encoder, self.policy, former.heads, self.settings.encoder)

    def _by_fold(self, codes: Sequence[str]) -> tuple[Matrix, Matrix]:
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
        return leaves, cues

    def finish(self, seen: Seen) -> tuple[Path, str]:
        """Learn from all tickets; gives the folder of the served files and the name of the weights kept."""
        self.say("编码器:全部训练工单")
        tuned = self.tune("final", range(len(self.data.tickets)))
        names = (*self.policy.taxonomy.codes, *cue_names(self.policy))
        kept = keep_weights(tuned, self.source.folder, self.work / "final", names, seen) if leads() else ""
        return self.export("final", tuned), kept

    def tune(self, name: str, rows: Sequence[int]) -> TriageEncoder:
        """Fine-tune on some rows, from the last checkpoint where there is one."""
        encoder, tokenizer = open_encoder(self.source.folder)
        folder, settings, start = self.work / name / "run", self.settings.encoder, None
        if self.former:
            share = self.settings.warm_rate
            settings = replace(settings, rate=settings.rate * share, head_rate=settings.head_rate * share)
            settings, start = replace(settings, epochs=self.settings.warm_epochs), self.former.heads
        return fit_encoder(
            self.data, rows, None, encoder, tokenizer, self.policy, folder, settings,
            start=start, resume=True, progress=self.say,
        )  # fmt: skip

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
        pretrained(settings.warm or settings.source or None, data.texts, folder, layers=settings.encoder.layers)
    meet()
    return Pretrained(folder, **json.loads((folder / RECORD).read_text(encoding="utf-8")))


def _warm(former: Former | None) -> dict[str, str]:
    """What the manifest says of the earlier fit."""
    return {"warm": former.folder.name} if former else {}


def _silent(_: str) -> None:
    """Processes that do not lead say nothing."""
