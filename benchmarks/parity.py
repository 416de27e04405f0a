"""How far the served encoder (ONNX, int8) is from the trained one (torch, float32), on dev and test.

`python benchmarks/parity.py [--bundle artifacts/champion] [--work artifacts/runs] [--write docs/parity.md]`; needs the extra
`train` and what `make train` left in `--work`. Bar: the same leaf on 99 % of tickets.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from page import publish
from safetensors.torch import load_file

from model.bundle import load_bundle
from training.dataset import read_labelled
from training.encoder_fit import cue_names, examples
from training.finetune import Collator, FinetuneSettings, TriageEncoder
from training.fit import prepare
from training.pretrained import open_encoder

_BAR = 0.99


def main() -> None:
    """Measure, print, write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--work", type=Path, default=Path("artifacts/runs"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    if bundle.second is None:
        raise SystemExit(f"{arguments.bundle} is no cascade; run `make train` first")
    kept = next(arguments.work.rglob(str(bundle.manifest["weights"])), None)
    checkpoints = sorted((kept.parent / "run").glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1])) if kept else []
    if not kept or not checkpoints:
        raise SystemExit(f"{arguments.work} holds no weights of {bundle.id}; run `make train` first")
    policy, settings = bundle.policy, FinetuneSettings()
    tickets = [t for t in read_labelled([Path("data/samples")], policy.taxonomy).tickets if t.split != "train"]
    data = prepare(tickets, policy)
    encoder, tokenizer = open_encoder(kept)
    trained = TriageEncoder(encoder, [0] * len(policy.taxonomy.codes), torch.ones(len(cue_names(policy))), settings)
    missing, unexpected = trained.load_state_dict(load_file(checkpoints[-1] / "model.safetensors"), strict=False)
    assert not unexpected, unexpected  # noqa: S101 - a checkpoint of another model
    assert not missing, missing  # noqa: S101
    rows, collate = examples(data, range(len(tickets)), tokenizer, policy, settings), Collator(settings.text, encoder.config.pad_token_id or 0)
    with torch.no_grad():
        trained.eval()
        wanted = torch.cat([trained(**collate([rows[n]]))["logits"] for n in range(len(tickets))]).numpy()
    served = np.hstack(bundle.second.encoder.scores(data.documents))
    count = len(policy.taxonomy.codes)
    same = float(np.mean(wanted[:, :count].argmax(axis=1) == served[:, :count].argmax(axis=1)))
    drift = np.abs(wanted - served)
    lines = [
        "# The served encoder beside the trained one", "",
        f"Made by `python benchmarks/parity.py --write docs/parity.md` with {bundle.id} on {len(tickets)} tickets of dev and test: "
        f"the same leaf on {same:.4f} (bar {_BAR}); largest drift of a decision value {drift.max():.3f}, median {np.median(drift):.3f}, "
        f"where decision values have a standard deviation of {wanted.std():.2f}.",
    ]  # fmt: skip
    publish(lines, arguments.write)


if __name__ == "__main__":
    main()
