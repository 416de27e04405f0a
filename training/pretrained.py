"""Get a pretrained encoder ready for fine-tuning: from the packaged file, a local folder, or a model hub.

Only this package needs torch and transformers, and only when a function here is called.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

from model.errors import MissingExtra, UnusableEncoder, UnusableOutput
from training import e5s1
from training.vocabulary import keep_layers, keep_rows, packaged_tokenizer, prunable, prune

RECORD, WEIGHTS = "pretrained.json", "model.safetensors"
E5_PREFIX = "query: "  # the E5 family was trained with it before every text
_E5 = re.compile(r"(?<![a-z0-9])e5(?![a-z0-9])", re.IGNORECASE)
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "tokenizer.model")
_GENERATORS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_POSSIBLE = "可用的来源:不填(自带的 multilingual-e5-small)、本地编码器文件夹、或模型库编号"


@dataclass(frozen=True)
class Pretrained:
    """An encoder folder: `config.json`, `model.safetensors`, `tokenizer.json`; and what is in it.

    `prefix` goes before every text; `origin` names the source and its hash; `same_cut` is the share of the given
    texts that the tokenizer cuts as the source's own does, 0–1; `sha256` is of `model.safetensors`.
    """

    folder: Path
    origin: str
    prefix: str
    sha256: str
    layers: int
    hidden: int
    pieces: int
    parameters: int
    same_cut: float


@dataclass(frozen=True)
class _Loaded:
    model: Any
    tokenizer: Any
    origin: str
    prefix: str
    same_cut: float = 1.0
    notice: str = ""


def pretrained(
    source: str | Path | None,
    texts: Iterable[str],
    output: Path,
    *,
    layers: int | None = None,
    choice: Literal["first", "even"] = "even",
) -> Pretrained:
    """Make a folder that `open_encoder` and transformers' Auto classes load.

    Args:
        source: None for the packaged encoder; a local folder; or a hub id, `owner/name` or `owner/name@revision`.
        texts: masked tickets that must be cut exactly as by the source's tokenizer; a unigram vocabulary (XLM-R's
            kind) is pruned around them.
        output: the folder to make; replaced where an earlier call made it.
        layers: keep only so many layers; all where None.
        choice: which layers are kept: the `first` ones, or `even` steps from the first to the last.

    Returns:
        What was written.

    Raises:
        UnusableOutput: `output` holds something else.
    """
    if output.exists() and not (output / RECORD).is_file() and (not output.is_dir() or any(output.iterdir())):
        raise UnusableOutput(f"{output} 已有别的内容,不会覆盖;请换一个空文件夹")
    given = list(texts)
    loaded = _packaged(given) if source is None else _pruned(_from(source), given)
    if layers is not None:
        keep_layers(loaded.model, layers, choice)
    return _write(loaded, output)


def open_encoder(folder: Path) -> tuple[Any, Any]:
    """Load a folder made by `pretrained`, or by fine-tuning one.

    Args:
        folder: the folder.

    Returns:
        Model (float32, no pooler, evaluation mode) and tokenizer.

    Raises:
        UnusableEncoder: it holds no encoder, or its weights are not those that were written.
    """
    asked = _record(folder).get("sha256")
    if asked and (came := _sha256(folder / WEIGHTS)) != asked:
        raise UnusableEncoder(
            f"{folder.name}/{WEIGHTS} 的 SHA-256 应为 {asked},实为 {came}:"
            f"文件损坏或被改动。请重新生成该文件夹;若是有意修改,请删去其中的 {RECORD}"
        )
    loaded = _from(folder)
    return loaded.model, loaded.tokenizer


def _packaged(texts: Sequence[str]) -> _Loaded:
    torch, transformers = _library("torch"), _library("transformers")
    weights = e5s1.read_weights(e5s1.weights_file())
    pruned = prune(packaged_tokenizer(weights), [E5_PREFIX + text for text in texts])
    tokens = {f"{name}_token": weights.pieces[number] for name, number in weights.special.items()}
    tokens |= {"cls_token": tokens["bos_token"], "sep_token": tokens["eos_token"], "mask_token": "<mask>"}
    tokenizer = _wrapped(pruned.tokenizer, weights.positions, tokens)
    ids = {f"{name}_token_id": pruned.kept.index(weights.special[name]) for name in ("bos", "pad", "eos")}
    config = transformers.BertConfig(**weights.config(len(pruned.kept)), **ids)
    model = transformers.BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.state(pruned.kept).items()})
    origin = f"{e5s1.REQUIREMENT}/{e5s1.FILE.rpartition('/')[2]} sha256:{e5s1.SHA256}"
    return _Loaded(model.eval(), tokenizer, origin, E5_PREFIX, pruned.same_cut, e5s1.NOTICE)


def _from(source: str | Path) -> _Loaded:
    """A local folder where there is one or the source looks like a path, else a hub id."""
    folder, name = Path(source).expanduser(), str(source)
    if isinstance(source, Path) or folder.exists() or name.startswith((".", "/", "~")) or name.count("/") > 1:
        _check(folder)
        hint = f"文件夹 {folder.name} 不完整或不是编码器;须有 config.json、{WEIGHTS} 和分词器文件"
        model, tokenizer = _auto(str(folder), {"local_files_only": True}, hint)
        hashes = [_sha256(path) for path in sorted(folder.glob("*.safetensors"))]
        origin = f"folder {folder.resolve().name} sha256:{','.join(hashes)}"
        prefix = _record(folder).get("prefix", _prefix(folder.resolve().name))
        notice = folder / "NOTICE"
        return _Loaded(model, tokenizer, origin, prefix, notice=notice.read_text("utf-8") if notice.is_file() else "")
    name, _, revision = name.partition("@")
    hint = (
        "连不上模型库、编号有误或该模型没有 safetensors。内网可设 HF_ENDPOINT 指向镜像;"
        f"或在联网机器上运行 hf download {name} --local-dir 文件夹,拷入后用该文件夹作 source"
    )
    options = {"revision": revision} if revision else {}
    model, tokenizer = _auto(name, options, hint)
    cached = _library("transformers.utils").cached_file(name, "config.json", local_files_only=True, **options)
    return _Loaded(model, tokenizer, f"hub {name}@{Path(cached).parent.name}", _prefix(name))


def _prefix(name: str) -> str:
    return E5_PREFIX if _E5.search(name) else ""


def _auto(where: str, options: Mapping[str, Any], hint: str) -> tuple[Any, Any]:
    transformers, torch = _library("transformers"), _library("torch")
    options = {**options, "trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(where, **options)
        kinds = list(getattr(config, "architectures", None) or [])
        if config.is_encoder_decoder or any(kind.endswith(_GENERATORS) for kind in kinds):
            raise ValueError(f"{config.model_type} {kinds} 是生成模型,不是编码器")
        how = {"config": config, "dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
        model, report = _without_pooler(transformers.AutoModel, where, **how, **options)
        if missing := sorted(report["missing_keys"]):
            raise ValueError(f"权重缺 {len(missing)} 项,例如 {missing[0]}")
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **options)
        if not tokenizer.is_fast:
            raise ValueError("分词器不能存为 tokenizer.json")
    except Exception as error:  # tokenizers and safetensors raise bare Exceptions for broken files
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise UnusableEncoder(f"不能载入编码器 {where}:{reason}。{hint}。{_POSSIBLE}") from error
    return model.eval(), tokenizer


def _without_pooler(auto: Any, where: str, **options: Any) -> Any:
    try:
        return auto.from_pretrained(where, add_pooling_layer=False, **options)
    except TypeError:  # a kind that never has one, such as ELECTRA
        return auto.from_pretrained(where, **options)


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise UnusableEncoder(f"没有文件夹 {folder}。{_POSSIBLE}")
    names, wrong = sorted(path.name for path in folder.iterdir()), ""
    if "config.json" not in names:
        wrong = "缺 config.json,不是编码器文件夹。请拷入模型的全部文件"
    elif not any(name.endswith(".safetensors") for name in names):
        wrong = (
            "没有 safetensors 权重。pytorch_model.bin 可夹带代码,不读取;请在联网的可信机器上用 "
            "AutoModel.from_pretrained(…).save_pretrained(…) 转存后拷入"
        )
    elif not any(name in names for name in _VOCABULARIES):
        wrong = f"没有分词器({' / '.join(_VOCABULARIES)} 之一)。请一并拷入"
    if wrong:
        raise UnusableEncoder(f"{folder} {wrong}。文件夹里有:{'、'.join(names[:12]) or '(空)'}。{_POSSIBLE}")


def _pruned(loaded: _Loaded, texts: Sequence[str]) -> _Loaded:
    """Prune a unigram vocabulary; others stay whole."""
    whole = loaded.tokenizer
    if not prunable(whole.backend_tokenizer):
        return loaded
    pruned = prune(whole.backend_tokenizer, [loaded.prefix + text for text in texts])
    keep_rows(loaded.model, pruned.kept)
    smaller = _wrapped(pruned.tokenizer, whole.model_max_length, whole.special_tokens_map)
    return replace(loaded, tokenizer=smaller, same_cut=pruned.same_cut)


def _wrapped(tokenizer: Tokenizer, length: int, tokens: Mapping[str, Any]) -> Any:
    return _library("transformers").PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=length, model_input_names=["input_ids", "attention_mask"], **tokens
    )


def _write(loaded: _Loaded, output: Path) -> Pretrained:
    work = output.with_name(output.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    model, config = loaded.model, loaded.model.config
    model.save_pretrained(work)
    loaded.tokenizer.save_pretrained(work)
    if loaded.notice:
        (work / "NOTICE").write_text(loaded.notice, encoding="utf-8")
    parameters = sum(weight.numel() for weight in model.parameters())
    sizes = (config.num_hidden_layers, config.hidden_size, model.get_input_embeddings().num_embeddings, parameters)
    written = Pretrained(output, loaded.origin, loaded.prefix, _sha256(work / WEIGHTS), *sizes, loaded.same_cut)
    record = {name: value for name, value in asdict(written).items() if name != "folder"}
    (work / RECORD).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(output, ignore_errors=True)
    work.rename(output)
    return written


def _record(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / RECORD).read_text("utf-8"))) if (folder / RECORD).is_file() else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra(f"训练编码器需要 {name}:请运行 pip install 'complaint-triage[train]'") from error
