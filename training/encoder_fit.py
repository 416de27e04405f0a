"""From labelled tickets to a fine-tuned encoder: tokens, labels, and the heads' order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.calibration import ALSO, CUES, ROLES
from model.encoder import encoder_text
from model.policy import Policy
from model.taxonomy import THEFT_ROLES
from training.finetune import Examples, FinetuneSettings, TriageEncoder, finetune
from training.fit import Prepared, truth
from training.progress import Progress


def cue_names(policy: Policy) -> tuple[str, ...]:
    """The heads behind the leaves, the same as the linear classifier's separators.

    Args:
        policy: gives the leaves.

    Returns:
        Cues, roles of theft, second leaves.
    """
    return (*CUES, *(ROLES + role for role in THEFT_ROLES), *(ALSO + code for code in policy.taxonomy.codes))


def examples(data: Prepared, rows: Sequence[int], tokenizer: Any, policy: Policy, settings: FinetuneSettings) -> Examples:
    """Tokenise some tickets.

    Args:
        data: everything.
        rows: which tickets.
        tokenizer: a transformers tokenizer.
        policy: order of the leaves.
        settings: how texts become tokens.

    Returns:
        Examples for `finetune`.
    """
    texts = [encoder_text(data.documents[row], settings.text.prefix) for row in rows]
    tokens = tokenizer(texts, add_special_tokens=True, truncation=False, verbose=False)["input_ids"]  # windows come later
    leaves = np.array([policy.taxonomy.codes.index(data.leaves[row]) for row in rows], np.int64)
    labels = [[truth(data.tickets[row], name) for name in cue_names(policy)] for row in rows]
    return Examples(tokens, leaves, np.array([[np.nan if v is None else v for v in row] for row in labels], np.float32))


def fit_encoder(
    data: Prepared,
    train: Sequence[int],
    held: Sequence[int] | None,
    encoder: Any,
    tokenizer: Any,
    policy: Policy,
    folder: Path,
    settings: FinetuneSettings,
    *,
    start: Mapping[str, Any] | None = None,
    resume: bool = False,
    progress: Progress = print,
) -> TriageEncoder:
    """Fine-tune on some tickets.

    Args:
        data: everything.
        train: rows to learn from.
        held: rows that decide when to stop, or None.
        encoder: a transformers encoder, changed in place.
        tokenizer: its tokenizer.
        policy: leaves and groups.
        folder: of checkpoints.
        settings: epochs, rates, seed.
        start: heads of an earlier fit to begin with, or None.
        resume: go on from the last checkpoint.
        progress: told how far it is.

    Returns:
        The model.
    """
    groups = _groups(policy)
    stops = examples(data, held, tokenizer, policy, settings) if held else None
    learn = examples(data, train, tokenizer, policy, settings)
    return finetune(encoder, learn, stops, groups, folder, settings, start=start, resume=resume, progress=progress)


def with_heads(encoder: Any, policy: Policy, heads: Mapping[str, Any], settings: FinetuneSettings) -> TriageEncoder:
    """Put an encoder and heads of an earlier fit together again.

    Args:
        encoder: a transformers encoder.
        policy: leaves and groups.
        heads: names and tensors of `training.warm.Former`.
        settings: of the fit.

    Returns:
        The model.
    """
    model = TriageEncoder(encoder, _groups(policy), torch.ones(len(cue_names(policy))), settings)
    model.load_state_dict(dict(heads), strict=False)
    return model


def _groups(policy: Policy) -> list[int]:
    """Group number of each leaf column."""
    names = sorted({leaf.group for leaf in policy.taxonomy.leaves})
    return [names.index(policy.taxonomy.leaf(code).group) for code in policy.taxonomy.codes]
