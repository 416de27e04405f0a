"""Peers with the pretrained encoder that ours starts from too: frozen, tuned by SetFit, fine-tuned by `Trainer`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from peer_models import Effort, Found, Heads
from peer_tasks import Side, Task
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from model.taxonomy import FLAGS
from training.pretrained import E5_PREFIX, pretrained

TOKENS = 256  # no more of a text is read
_TUNING_TOKENS = 128  # and by SetFit's tuning, which reads two texts where others read one
_BATCH, _RATE, _SEED = 16, 1e-4, 0


class Frozen:
    """The pretrained encoder as it is (mean of all tokens), and logistic regression.

    Args:
        task: says whether blanks have to go.
        effort: layers of the encoder.
    """

    def __init__(self, task: Task, effort: Effort) -> None:
        self.task, self.effort = task, effort
        self.heads = Heads(lambda **k: make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000, **k)))

    def prepare(self, train: Side, work: Path) -> None:
        """Get the encoder."""
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

        source = pretrained(None, train.texts, work / "pretrained", layers=self.effort.layers)
        parts = [Transformer(str(source.folder), max_seq_length=TOKENS), Pooling(source.hidden, "mean")]
        self.body = SentenceTransformer(modules=parts, device="cpu")
        self.work = work

    def fit(self, train: Side) -> None:
        """Learn."""
        self.heads.fit(self.vectors(train.texts), train)

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaf and flags."""
        return self.heads.predict(self.vectors(texts))

    def save(self, folder: Path) -> None:
        """Encoder and heads."""
        self.body.save(str(folder / "encoder"), create_model_card=False)
        joblib.dump((self.heads.leaf, self.heads.flags), folder / "heads.joblib")

    def vectors(self, texts: Sequence[str]) -> Any:
        """Array of shape (n, hidden)."""
        return np.asarray(self.body.encode(plain(texts, self.task), batch_size=16, show_progress_bar=False))


class SetFit(Frozen):
    """SetFit: the encoder tuned on pairs of texts of the same and of different leaves, and logistic regression.

    The flags have heads on the same tuned vectors; they take no part in the tuning.
    """

    def prepare(self, train: Side, work: Path) -> None:
        """Get the encoder, and import what is slow to import."""
        import setfit

        super().prepare(train, work)
        self.setfit = setfit

    def fit(self, train: Side) -> None:
        """Learn."""
        from datasets import Dataset

        codes = sorted(set(train.leaves))
        rows = {"text": plain(train.texts, self.task), "label": [codes.index(leaf) for leaf in train.leaves]}
        model = self.setfit.SetFitModel(model_body=self.body, model_head=LogisticRegression(max_iter=2000))
        settings = self.setfit.TrainingArguments(
            output_dir=str(self.work / "setfit"), batch_size=_BATCH, num_epochs=1, max_steps=self.effort.setfit_steps,
            seed=_SEED, report_to="none", save_strategy="no", show_progress_bar=False,
        )  # fmt: skip
        self.body.max_seq_length = _TUNING_TOKENS
        self.setfit.Trainer(model=model, args=settings, train_dataset=Dataset.from_dict(rows)).train()
        self.body.max_seq_length = TOKENS
        model.model_head.classes_ = np.array(codes)  # it learned their numbers
        self.heads = Heads(lambda **weights: LogisticRegression(max_iter=2000, **weights))
        self.heads.fit(self.vectors(train.texts) if train.tickets else None, train, model.model_head)


class Finetuned:
    """The encoder with one linear layer for leaf and flags, by transformers' `Trainer`.

    Args:
        task: says whether blanks have to go.
        effort: layers and epochs.
    """

    def __init__(self, task: Task, effort: Effort) -> None:
        self.task, self.effort = task, effort

    def prepare(self, train: Side, work: Path) -> None:
        """Get the encoder."""
        self.source = pretrained(None, train.texts, work / "pretrained", layers=self.effort.layers).folder
        self.work = work

    def fit(self, train: Side) -> None:
        """Learn."""
        set_seed(_SEED)
        self.codes, self.flags = sorted(set(train.leaves)), FLAGS if train.tickets else ()
        self.tokenizer = AutoTokenizer.from_pretrained(self.source)
        count = len(self.codes) + len(self.flags)
        self.model = AutoModelForSequenceClassification.from_pretrained(self.source, num_labels=count)
        labels = np.array([list(map(self.codes.index, train.leaves)), *map(train.flag, self.flags)], np.float32).T
        tokens = self._tokens(train.texts)
        settings = TrainingArguments(
            output_dir=str(self.work / "trainer"), num_train_epochs=self.effort.epochs, learning_rate=_RATE,
            per_device_train_batch_size=_BATCH, warmup_steps=0.1, train_sampling_strategy="group_by_length", bf16=True,
            use_cpu=True, dataloader_pin_memory=False, seed=_SEED, report_to="none", save_strategy="no",
        )  # fmt: skip
        Trainer(
            model=self.model, args=settings, data_collator=DataCollatorWithPadding(self.tokenizer),
            train_dataset=[{"input_ids": ids, "labels": row} for ids, row in zip(tokens, labels.tolist(), strict=True)],
            compute_loss_func=self._loss,
        ).train()  # fmt: skip
        self.model.eval()

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaf and flags."""
        tokens = self._tokens(texts)
        order = sorted(range(len(texts)), key=lambda row: len(tokens[row]))
        logits = np.zeros((len(texts), len(self.codes) + len(self.flags)))
        with torch.no_grad():
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                batch = self.tokenizer.pad({"input_ids": [tokens[row] for row in rows]}, return_tensors="pt")
                logits[rows] = self.model(**batch).logits.numpy()
        leaves = [self.codes[n] for n in logits[:, : len(self.codes)].argmax(1)]
        raised = logits[:, len(self.codes) :] > 0
        return Found(leaves, {name: raised[:, number].tolist() for number, name in enumerate(self.flags)})

    def save(self, folder: Path) -> None:
        """Model and tokenizer."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        found = self.tokenizer(plain(texts, self.task), truncation=True, max_length=TOKENS)["input_ids"]
        return [list(ids) for ids in found]

    def _loss(self, outputs: Any, labels: Any, **_: Any) -> Any:
        """Cross-entropy of the leaf, and of each flag."""
        n = len(self.codes)
        loss = torch.nn.functional.cross_entropy(outputs.logits[:, :n].float(), labels[:, 0].long())
        if self.flags:
            flags = outputs.logits[:, n:].float()
            loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(flags, labels[:, 1:])
        return loss


def plain(texts: Sequence[str], task: Task) -> list[str]:
    """What an encoder of the E5 family reads: words that were cut are joined again.

    Args:
        texts: n texts.
        task: says whether they are cut.

    Returns:
        n texts with the prefix of the encoder's pretraining.
    """
    return [E5_PREFIX + ("".join(text.split()) if task.cut else text) for text in texts]
