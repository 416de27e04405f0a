"""Fine-tune an encoder for leaves and cues at once. Reads from top to bottom; needs the extra `train`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from torch import Tensor, nn
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainingArguments, set_seed
from transformers.trainer_pt_utils import LengthGroupedSampler

from model.encoder import EncoderSettings, windows
from training.progress import Progress, TimeLeft

_HEADS = ("heads",)


@dataclass(frozen=True)
class FinetuneSettings:
    """How an encoder is fine-tuned. Rates are of the last layer; each layer below learns `layer_decay` times as fast."""

    layers: int = 3
    epochs: int = 6
    batch: int = 16
    rate: float = 3e-4
    head_rate: float = 2e-3
    layer_decay: float = 0.9
    warmup: float = 0.1
    dropout: float = 0.1
    smoothing: float = 0.05
    patience: int = 2
    seed: int = 0
    text: EncoderSettings = field(default_factory=EncoderSettings)

    def __post_init__(self) -> None:
        if min(self.layers, self.epochs, self.batch, self.patience) < 1 or self.seed < 0:
            raise ValueError("layers、epochs、batch、patience 至少 1,seed 至少 0")
        rates, shares = (self.rate, self.head_rate, self.layer_decay), (self.warmup, self.dropout, self.smoothing)
        if not all(0 < one <= 1 for one in rates) or not all(0 <= one < 1 for one in shares):
            raise ValueError("rate、head_rate、layer_decay 须大于 0,warmup、dropout、smoothing 须不小于 0,都小于 1")


@dataclass(frozen=True)
class Examples:
    """Tokenised tickets: token ids, leaf column, and one truth value for each cue (NaN where a ticket does not tell)."""

    tokens: Sequence[Sequence[int]]
    leaves: NDArray[np.int64]
    cues: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"tokens": self.tokens[row], "labels": np.concatenate([[self.leaves[row]], self.cues[row]])}


class TriageEncoder(nn.Module):  # type: ignore[misc]  # torch is not there where types are checked
    """An encoder with one linear head a leaf and cue over mean and maximum of all tokens of a ticket.

    Args:
        encoder: a transformers encoder.
        groups: group number of each leaf, so that a leaf of the right group costs less than one of a wrong group.
        positive: weight of a positive for each cue.
        settings: dropout and label smoothing.
    """

    def __init__(self, encoder: Any, groups: Sequence[int], positive: Tensor, settings: FinetuneSettings) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.BatchNorm1d(2 * encoder.config.hidden_size, affine=False)  # texts share most of their vectors
        self.dropout = nn.Dropout(settings.dropout)
        self.heads = nn.Linear(2 * encoder.config.hidden_size, len(groups) + len(positive))
        self.smoothing = settings.smoothing
        self.register_buffer("groups", torch.tensor(groups), persistent=False)
        self.register_buffer("positive", positive, persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, ticket: Tensor, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Score tickets, and the loss where labels are given.

        Args:
            input_ids: (n_windows, length) token ids.
            attention_mask: (n_windows, length).
            ticket: (n_windows,) number of the ticket that each window belongs to.
            labels: (n_tickets, 1 + n_cues): leaf column, then cues, NaN where unknown.

        Returns:
            `logits` (n_tickets, n_leaves + n_cues), `loss` where labels are given.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = pool(hidden, attention_mask, ticket)
        logits = self.heads(self.dropout(self.norm(pooled.float())))
        return {"logits": logits} if labels is None else {"loss": self._loss(logits, labels), "logits": logits}

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        groups = self.groups
        leaf, cues = logits[:, : len(groups)].float(), logits[:, len(groups) :].float()
        truth = labels[:, 0].long()
        leaf_loss = nn.functional.cross_entropy(leaf, truth, label_smoothing=self.smoothing)
        inside = torch.stack([leaf[:, groups == g].logsumexp(1) for g in groups.unique()], dim=1)
        group_loss = nn.functional.cross_entropy(inside, groups[truth])
        known = ~labels[:, 1:].isnan()
        each = nn.functional.binary_cross_entropy_with_logits(
            cues, labels[:, 1:].nan_to_num().float(), pos_weight=self.positive, reduction="none"
        )  # fmt: skip
        return leaf_loss + 0.3 * group_loss + (each * known).sum() / known.sum().clamp(min=1) * 4


def pool(hidden: Tensor, mask: Tensor, ticket: Tensor) -> Tensor:
    """Mean and maximum over the tokens of all windows of a ticket.

    Args:
        hidden: (n_windows, length, size).
        mask: (n_windows, length).
        ticket: (n_windows,) ticket of each window, 0 … n-1.

    Returns:
        (n_tickets, 2·size).
    """
    count = int(ticket.max()) + 1
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    total = hidden.new_zeros(count, hidden.shape[-1]).index_add(0, ticket, (hidden * weight).sum(1))
    length = hidden.new_zeros(count, 1).index_add(0, ticket, weight.sum(1))
    highest = hidden.masked_fill(mask.unsqueeze(-1) == 0, -1e4).amax(1)
    index = ticket.unsqueeze(-1).expand_as(highest)
    most = hidden.new_full((count, hidden.shape[-1]), -1e4).scatter_reduce(0, index, highest, "amax")
    return torch.cat([total / length, most], dim=1)


def finetune(
    encoder: Any,
    train: Examples,
    held: Examples | None,
    groups: Sequence[int],
    folder: Path,
    settings: FinetuneSettings,
    *,
    start: Mapping[str, Tensor] | None = None,
    resume: bool = False,
    progress: Progress = print,
) -> TriageEncoder:
    """Fine-tune; with held-out examples the epoch with the best leaf macro-F1 is kept.

    Args:
        encoder: a transformers encoder.
        train: what to learn from.
        held: decides when to stop; None trains all epochs.
        groups: group number of each leaf column.
        folder: of checkpoints.
        settings: epochs, rates, seed.
        start: heads and normalisation of an earlier fit to begin with; fresh ones where None.
        resume: go on from the last checkpoint in the folder, if there is one.
        progress: told how far it is and how long it will take.

    Returns:
        The fine-tuned model.
    """
    set_seed(settings.seed)
    model = TriageEncoder(encoder, groups, _positive_weight(train.cues), settings)
    if start is not None:
        model.load_state_dict(dict(start), strict=False)
    trainer = _Trainer(
        model=model,
        args=_arguments(folder, settings, stops=held is not None, stray=len(train) % settings.batch == 1),
        train_dataset=train,
        eval_dataset=held,
        data_collator=Collator(settings.text, encoder.config.pad_token_id or 0),
        compute_metrics=lambda seen: _macro_f1(seen, len(groups)),
        callbacks=[TimeLeft(progress), *([EarlyStoppingCallback(settings.patience)] if held is not None else [])],
        optimizers=(_optimizer(model, settings), None),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=(resume and any(folder.glob("checkpoint-*"))) or None)
    return model


@dataclass(frozen=True)
class Collator:
    """Cuts tickets into windows and pads these; `ticket` says whose window each is."""

    settings: EncoderSettings
    pad: int

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        cut = [(row, window) for row, e in enumerate(examples) for window in windows(e["tokens"], self.settings)]
        width = max(len(window) for _, window in cut)
        return {
            "input_ids": torch.tensor([window + [self.pad] * (width - len(window)) for _, window in cut]),
            "attention_mask": torch.tensor([[1] * len(w) + [0] * (width - len(w)) for _, w in cut]),
            "ticket": torch.tensor([row for row, _ in cut]),
            "labels": torch.tensor(np.stack([e["labels"] for e in examples]), dtype=torch.float32),
        }


class _Trainer(Trainer):  # type: ignore[misc]
    """Puts tickets of like length into a batch: half the padding, half the time."""

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        data = train_dataset or self.train_dataset
        generator = torch.Generator().manual_seed(self.args.seed)
        lengths = [len(tokens) for tokens in data.tokens]
        return LengthGroupedSampler(self.args.train_batch_size, lengths=lengths, generator=generator)


def _arguments(folder: Path, settings: FinetuneSettings, *, stops: bool, stray: bool) -> TrainingArguments:
    saving: dict[str, Any] = {"save_strategy": "epoch", "save_total_limit": 2}
    if stops:
        saving |= {"eval_strategy": "epoch", "load_best_model_at_end": True, "metric_for_best_model": "macro_f1"}
    return TrainingArguments(
        dataloader_drop_last=stray,  # one ticket alone cannot be normalised
        output_dir=str(folder), num_train_epochs=settings.epochs, per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=2 * settings.batch, warmup_steps=settings.warmup, lr_scheduler_type="linear",
        bf16=True, use_cpu=not torch.cuda.is_available(), seed=settings.seed, data_seed=settings.seed,
        remove_unused_columns=False, label_names=["labels"], report_to=[],
        logging_steps=50, disable_tqdm=True, dataloader_pin_memory=False, max_grad_norm=2.0, **saving,
    )  # fmt: skip


def _optimizer(model: TriageEncoder, settings: FinetuneSettings) -> torch.optim.Optimizer:
    """Word embeddings stay as they are; lower layers learn slower."""
    depth = model.encoder.config.num_hidden_layers
    groups = []
    for name, parameter in model.named_parameters():
        if "embeddings" in name:
            parameter.requires_grad = False
            continue
        layer = next((int(part) for part in name.split(".") if part.isdigit()), depth - 1)
        head = name.split(".")[0] in _HEADS
        rate = settings.head_rate if head else settings.rate * settings.layer_decay ** (depth - 1 - layer)
        groups.append({"params": [parameter], "lr": rate, "weight_decay": 0.01 if parameter.ndim > 1 else 0.0})
    return torch.optim.AdamW(groups)


def _positive_weight(cues: NDArray[np.float32]) -> Tensor:
    """The square root of negatives to positives: rare cues count, but not so much that every doubt is one."""
    positives, known = np.nansum(cues, axis=0), np.sum(~np.isnan(cues), axis=0)
    return torch.tensor(np.sqrt((known - positives + 1) / (positives + 1)), dtype=torch.float32)


def _macro_f1(seen: Any, n_leaves: int) -> dict[str, float]:
    found = seen.predictions[:, :n_leaves].argmax(1)
    return {"macro_f1": float(f1_score(seen.label_ids[:, 0], found, average="macro"))}
