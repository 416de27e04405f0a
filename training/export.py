"""From a fine-tuned encoder to the files a bundle serves: ONNX, fused, int8."""

import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model
from torch import Tensor, nn

from model.encoder import HEADS, NOTICE, ONNX, SETTINGS, TOKENIZER
from training.finetune import FinetuneSettings, TriageEncoder
from training.pretrained import RECORD, WEIGHTS
from training.warm import Seen, write_heads

_OPSET = 17


class _Pooled(nn.Module):  # type: ignore[misc]  # torch is not there where types are checked
    """What runs in ONNX: one window in, its mean and maximum out; heads and windows are joined outside."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weight).sum(1) / weight.sum(1), (hidden - 1e4 * (1 - weight)).amax(1)


def export(
    model: TriageEncoder,
    pretrained: Path,
    leaves: Sequence[str],
    cues: Sequence[str],
    folder: Path,
    settings: FinetuneSettings,
    *,
    int8: bool = True,
) -> None:
    """Write the files of `model.encoder.FILES`.

    Args:
        model: fine-tuned.
        pretrained: folder of the encoder it was made from: its tokenizer.json, and the NOTICE that its licence asks for.
        leaves: names of the first heads.
        cues: names of the others.
        folder: where to.
        settings: how texts become tokens.
        int8: quantise weights; without it the file has four times the size and results do not depend on batches.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.eval().float().cpu()
    with tempfile.TemporaryDirectory() as work:
        fused = _fused(model.encoder, Path(work))
        if int8:
            quantize_dynamic(
                fused, folder / ONNX, weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=_sensitive(fused),
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )  # fmt: skip
        else:
            shutil.copyfile(fused, folder / ONNX)
    shutil.copyfile(pretrained / TOKENIZER, folder / TOKENIZER)
    notice = pretrained / NOTICE
    (folder / NOTICE).write_text(notice.read_text(encoding="utf-8") if notice.is_file() else "", encoding="utf-8")
    (folder / SETTINGS).write_text(json.dumps(asdict(settings.text)), encoding="utf-8")
    scale = 1 / np.sqrt(model.norm.running_var.numpy() + model.norm.eps)  # the normalisation goes into the heads
    weights = model.heads.weight.detach().numpy().T * scale[:, None]
    intercepts = model.heads.bias.detach().numpy() - model.norm.running_mean.numpy() @ weights
    np.savez(folder / HEADS, leaves=np.array(leaves), cues=np.array(cues), weights=weights, intercepts=intercepts)


def keep_weights(model: TriageEncoder, pretrained: Path, folder: Path, names: Sequence[str], seen: Seen) -> str:
    """Keep the trainable weights for a warm start: a folder that `training.pretrained` takes as a source.

    Args:
        model: fine-tuned.
        pretrained: folder of the encoder it was made from.
        folder: of the run; gets `weights-` and the first 12 characters of the hash.
        names: of its heads.
        seen: what encoders said out of fold of the tickets that it learned from.

    Returns:
        Name of the folder made.
    """
    work = folder / "weights.part"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(pretrained, work)
    model.encoder.save_pretrained(work)
    write_heads(model, names, work)
    seen.write(work)
    digest = hashlib.sha256((work / WEIGHTS).read_bytes()).hexdigest()
    record = json.loads((work / RECORD).read_text(encoding="utf-8"))
    (work / RECORD).write_text(json.dumps({**record, "sha256": digest}, indent=1) + "\n", encoding="utf-8")
    target = folder / f"weights-{digest[:12]}"
    shutil.rmtree(target, ignore_errors=True)
    work.rename(target)
    return target.name


def _sensitive(fused: Path) -> list[str]:
    """The second half of each feed-forward block: what comes out of GELU has outliers that 8 bits do not hold."""
    names = [node.name for node in onnx.load(fused).graph.node if node.op_type == "MatMul"]
    return [name for name in names if name.endswith("/output/dense/MatMul") and "/attention/" not in name]


def _fused(encoder: Any, work: Path) -> Path:
    """The encoder and its pooling as ONNX with fused attention, which only the older exporter's graph allows."""
    plain, fused = work / "plain.onnx", work / "fused.onnx"
    encoder.set_attn_implementation("eager")  # the only kind that is recognised and fused
    example = torch.ones(2, 8, dtype=torch.long)
    window = {0: "n", 1: "t"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch praises its newer exporter, and warns of every traced size
        torch.onnx.export(
            _Pooled(encoder), (example, example), str(plain), opset_version=_OPSET, dynamo=False,
            input_names=["input_ids", "attention_mask"], output_names=["mean", "most"],
            dynamic_axes={"input_ids": window, "attention_mask": window, "mean": {0: "n"}, "most": {0: "n"}},
        )  # fmt: skip
    config = encoder.config
    heads, hidden = config.num_attention_heads, config.hidden_size
    optimize_model(str(plain), model_type="bert", num_heads=heads, hidden_size=hidden).save_model_to_file(str(fused))
    return fused
