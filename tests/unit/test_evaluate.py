"""Figures of an evaluation, checked by hand on a few tickets; and a whole report on the test side."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from model.bundle import Second
from model.calibration import Calibration, CueJoint, Exits
from model.linear import LinearClassifier
from model.pipeline import Pipeline
from model.policy import Policy
from model.prediction import Candidate, Cue, Prediction, Route, Versions
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket
from training.baselines import baseline_figures, baselines
from training.bootstrap import headline_figures, intervals, macro_f1_of, mean_of
from training.cue_figures import flag_figures, precision_at
from training.curves import reliability, risk_coverage, running_risk
from training.evaluate import category_figures, confusion, evaluate, report_of
from training.evaluated import Evaluated, run
from training.frozen import logistic_leaves, vectors
from training.neighbours import nearest
from training.seen import count_seen, learned_from
from training.slices import dialect_words, noise_of, slice_figures, slices_of
from triage.cli.evaluate import evaluate as command

KEYS = {
    "n", "category", "group_macro_f1", "secondary", "flags", "theft_role", "filing", "safety", "escalation",
    "calibration", "selective", "slices", "ci95", "baselines",
}  # fmt: skip
A, B = "other.outage", "billing.charge"


def _ticket(number: int = 0, leaf: str = A, **more: object) -> LabelledTicket:
    return LabelledTicket(**{"id": f"t{number}", "text": f"停电{number}", "category": leaf, **more})  # type: ignore[arg-type]


def _predicted(
    leaf: str = A, *, confidence: float = 0.9, raised: tuple[str, ...] = (), auto: bool = False
) -> Prediction:
    cues = {name: Cue(0.9 if name in raised else 0.1, name in raised) for name in (*FLAGS, "safety", "escalation")}
    flags = {name: cues[name] for name in FLAGS}
    first = Candidate(leaf, leaf, leaf.split(".")[0], confidence)
    return Prediction(
        None, (first,), (), flags, cues["safety"], cues["escalation"], None, Route("", (), (), "", ""), (),
        "auto" if auto else "review", (), (), "linear", "linear", Versions(None, "", "", "1"),
    )  # fmt: skip


def _evaluated(*pairs: tuple[LabelledTicket, Prediction]) -> Evaluated:
    return Evaluated(tuple(t for t, _ in pairs), tuple(p for _, p in pairs))


@pytest.fixture(scope="module")
def report(
    linear_pipeline: Pipeline, held_side: tuple[LabelledTicket, ...], train_side: tuple[LabelledTicket, ...]
) -> dict:
    return evaluate(linear_pipeline, held_side, rounds=200, train=train_side)[0]


def test_the_report_has_the_keys_of_the_contract_and_is_json(report: dict) -> None:
    assert set(report) >= KEYS
    assert json.loads(json.dumps(report)) == report
    assert set(report["flags"]["malicious"]) >= {
        "p",
        "r",
        "f1",
        "ap",
        "n",
        "false_alarms_per_1000",
        "precision_at_prevalence",
    }
    assert set(report["flags"]["malicious"]["precision_at_prevalence"]) == {"0.05", "0.01", "0.005"}
    assert set(report["selective"]) >= {"coverage_at_precision_95", "auto_rate", "auto_precision", "aurc"}
    assert {"p", "r", "f1", "n"} == set(report["category"]["per_leaf"]["billing.charge"])


def test_counts_add_up(report: dict, held_side: tuple[LabelledTicket, ...]) -> None:
    assert report["n"] == len(held_side)
    assert sum(leaf["n"] for leaf in report["category"]["per_leaf"].values()) == len(held_side)
    assert sum(sum(row.values()) for row in report["confusion"].values()) == len(held_side)
    assert sum(bin_["n"] for bin_ in report["calibration"]["bins"]) == len(held_side)
    for kind in ("length:", "dialect:", "noise:"):
        assert sum(part["n"] for name, part in report["slices"].items() if name.startswith(kind)) == len(held_side)


def test_intervals_hold_the_figure_they_belong_to(report: dict) -> None:
    places = {
        "category.accuracy",
        "category.macro_f1",
        "category.top3",
        "group_macro_f1",
        "safety.r",
        "selective.auto_rate",
    }
    for place in places | {f"flags.{flag}.f1" for flag in FLAGS}:
        figure = report
        for key in place.split("."):
            figure = figure[key]
        low, high = report["ci95"][place]
        assert low <= figure <= high, place
    assert all(low < high for low, high in (report["ci95"]["category.accuracy"], report["ci95"]["category.macro_f1"]))


def test_precision_falls_where_a_flag_is_rarer(report: dict) -> None:
    for flag in report["flags"].values():
        rare, least = flag["precision_at_prevalence"], flag["precision_at_prevalence_at_least"]
        assert rare["0.05"] >= rare["0.01"] >= rare["0.005"]
        assert all(least[share] < rare[share] for share in rare)


def test_the_linear_classifier_beats_rules_and_rules_beat_the_majority(report: dict) -> None:
    base = report["baselines"]
    assert report["category"]["macro_f1"] > base["rules"]["macro_f1"] > base["majority"]["macro_f1"]
    assert base["rules"]["lead_ci95"][0] > 0
    assert base["linear"]["macro_f1"] == report["category"]["macro_f1"]
    assert base["char_svm"]["macro_f1"] > base["rules"]["macro_f1"]


def test_figures_of_the_leaf_are_those_worked_out_by_hand() -> None:
    data = _evaluated(
        *((_ticket(n, gold), _predicted(found)) for n, (gold, found) in enumerate([(A, A), (A, B), (B, B), (B, B)]))
    )
    figures = category_figures(data)
    assert figures["accuracy"] == 0.75
    assert figures["per_leaf"][A] == {"p": 1.0, "r": 0.5, "f1": 0.6667, "n": 2}
    assert figures["macro_f1"] == 0.7333  # (2/3 + 4/5) / 2
    assert confusion(data) == {A: {A: 1, B: 1}, B: {B: 2}}


def test_figures_of_a_flag_are_those_worked_out_by_hand() -> None:
    theft, none = {"flags": frozenset({"theft"})}, {}
    rows = [(theft, True)] * 3 + [(theft, False)] + [(none, True)] + [(none, False)] * 5
    data = _evaluated(
        *((_ticket(n, **labels), _predicted(raised=("theft",) * hit)) for n, (labels, hit) in enumerate(rows))
    )
    figures = flag_figures(data, "theft")
    assert (figures["p"], figures["r"], figures["f1"], figures["n"]) == (0.75, 0.75, 0.75, 4)
    assert figures["false_alarms_per_1000"] == 166.6667
    assert figures["precision_at_prevalence"]["0.05"] == 0.1915  # .0375 / (.0375 + .95 / 6)


def test_no_false_alarm_among_three_hundred_does_not_mean_none_at_all() -> None:
    rows = [(_ticket(n), _predicted()) for n in range(299)]
    rows.append((_ticket(299, flags=frozenset({"theft"})), _predicted(raised=("theft",))))
    figures = flag_figures(_evaluated(*rows), "theft")
    assert figures["false_alarms_per_1000"] == 0
    assert figures["false_alarms_per_1000_at_most"] == pytest.approx(1000 * (1 - 0.05 ** (1 / 299)), abs=1e-3)
    assert figures["precision_at_prevalence"]["0.005"] == 1.0
    assert figures["precision_at_prevalence_at_least"]["0.005"] < 0.35


def test_a_flag_that_is_never_raised_has_no_precision() -> None:
    assert precision_at(0.01, 0.0, 0.0) == 0.0


def test_calibration_and_curve_are_those_worked_out_by_hand() -> None:
    confidence, right = np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, True, True, False])
    low, high = reliability(confidence, right)
    assert low == {"low": 0.5, "high": 0.6, "n": 2, "confidence": 0.55, "accuracy": 0.5}
    assert high == {"low": 0.9, "high": 1.0, "n": 2, "confidence": 0.95, "accuracy": 1.0}
    pairs = zip(confidence.tolist(), right.tolist(), strict=True)
    data = _evaluated(
        *((_ticket(n, A if ok else B), _predicted(A, confidence=c, auto=c > 0.9)) for n, (c, ok) in enumerate(pairs))
    )
    figures = report_of(data, rounds=2)
    assert figures["calibration"]["ece"] == 0.05
    assert figures["calibration"]["brier"] == 0.1275  # (2 * .0025 + .2025 + .3025) / 4
    assert (figures["selective"]["auto_rate"], figures["selective"]["auto_precision"]) == (0.5, 1.0)


def test_risk_grows_with_coverage_as_worked_out_by_hand() -> None:
    confidence, right = np.array([0.6, 0.9, 0.8, 0.7]), np.array([True, True, True, False])
    assert running_risk(confidence, right).tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    curve = risk_coverage(confidence, right, points=2)
    assert curve == [
        {"coverage": 0.5, "risk": 0.0, "confidence": 0.8},
        {"coverage": 1.0, "risk": 0.25, "confidence": 0.6},
    ]


def test_tickets_of_one_confidence_share_their_mistakes_whatever_their_order() -> None:
    same = np.array([0.9, 0.9])
    for right in ([True, False], [False, True]):
        assert running_risk(same, np.array(right)).tolist() == [0.5, 0.5]


def test_whole_authors_are_drawn() -> None:
    tickets = [_ticket(n, author=author) for n, author in enumerate("xxxxy")]
    right = np.array([True, True, True, True, False])
    found = intervals({"accuracy": mean_of(right)}, tickets, rounds=200, seed=0)
    assert found == {"accuracy": [0.0, 1.0]}  # only x, or only y; of tickets drawn one by one never so wide


def test_one_author_has_no_interval_and_neither_has_what_no_draw_holds() -> None:
    alone = [_ticket(n, author="x") for n in range(3)]
    nothing, everything = np.zeros(3, bool), np.ones(3, bool)
    assert intervals({"a": mean_of(everything)}, alone, rounds=20, seed=0) == {"a": None}
    apart = [_ticket(n) for n in range(3)]
    found = intervals({"a": mean_of(everything, nothing), "b": mean_of(everything)}, apart, rounds=20, seed=0)
    assert found == {"a": None, "b": [1.0, 1.0]}


def test_the_resampled_macro_f1_is_that_of_the_report(
    linear_pipeline: Pipeline, held_side: tuple[LabelledTicket, ...]
) -> None:
    data = run(linear_pipeline, held_side[:120])
    every = np.arange(120)
    assert macro_f1_of(data.gold, data.found)(every) == pytest.approx(category_figures(data)["macro_f1"], abs=1e-4)
    flags = report_of(data, rounds=2)["flags"]
    for flag in FLAGS:
        assert headline_figures(data)[f"flags.{flag}.f1"](every) == pytest.approx(flags[flag]["f1"], abs=1e-4)


def test_a_lead_is_measured_on_the_same_draws() -> None:
    rows = [(_ticket(n, (A, B)[n % 2], author=f"a{n // 2}"), _predicted((A, B)[n % 2])) for n in range(8)]
    data = _evaluated(*rows)
    figures = baseline_figures(data, {"self": data.found, "majority": [A] * 8}, rounds=50, seed=0)
    assert (figures["self"]["lead"], figures["self"]["lead_ci95"]) == (0.0, [0.0, 0.0])
    assert figures["majority"]["macro_f1"] == 0.3333
    assert figures["majority"]["lead_ci95"] == [0.6667, 0.6667]  # each author has one of both leaves


def test_peers_that_cannot_be_measured_say_why(policy: Policy) -> None:
    data = run(Pipeline(policy), [_ticket(1), _ticket(2, B)])
    nothing = baselines(Pipeline(policy), data, (), frozen=False)
    assert set(nothing.found) == {"majority", "rules"}
    assert "--train" in nothing.skipped["char_svm"]
    assert "--baselines all" in nothing.skipped["frozen_encoder"]


def test_a_missing_torch_leaves_the_frozen_encoder_out(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    train = [_ticket(n, (A, B)[n % 2], text=("停电没人修", "电费多收了")[n % 2] + "啊" * n) for n in range(6)]
    data = run(Pipeline(policy), [_ticket(9, text="昨天停电"), _ticket(10, B, text="电费怎么多收")])
    found = baselines(Pipeline(policy), data, train, frozen=True)
    assert found.found["char_svm"] == [A, B]
    assert "complaint-triage[train]" in found.skipped["frozen_encoder"]


def test_one_author_is_not_enough_to_choose_the_strength_of_a_logistic_regression(policy: Policy) -> None:
    train = [_ticket(n, (A, B)[n % 2], author="x") for n in range(6)]
    data = run(Pipeline(policy), [_ticket(9)])
    assert "两位作者" in baselines(Pipeline(policy), data, train, frozen=True).skipped["frozen_encoder"]


def test_the_logistic_regression_reads_the_vectors() -> None:
    generator = np.random.default_rng(0)
    train = [_ticket(n, (A, B)[n % 2], author=f"x{n % 5}") for n in range(40)]
    rows = np.array([[n % 2, 0.0] for n in range(40)] + [[1.0, 0.0], [0.0, 0.0]]) + generator.normal(0, 0.05, (42, 2))
    assert logistic_leaves(rows, train) == [B, A]


def test_a_vector_is_the_mean_of_what_is_read_and_of_length_one() -> None:
    torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

    class Tokens(dict):  # type: ignore[type-arg]
        pass

    def tokenizer(texts: list[str], **_: object) -> Tokens:
        width = max(map(len, texts))
        ids = [[int(c) for c in text] + [9] * (width - len(text)) for text in texts]
        mask = [[1] * len(text) + [0] * (width - len(text)) for text in texts]
        return Tokens(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask))

    def model(input_ids: object, **_: object) -> SimpleNamespace:  # token 1 is (1, 0), token 2 is (0, 1)
        return SimpleNamespace(last_hidden_state=torch.eye(10)[input_ids][..., 1:3])

    model.config = SimpleNamespace(hidden_size=2)  # type: ignore[attr-defined]
    found = vectors(model, tokenizer, ["1112", "2", "12"])
    assert found.tolist() == [
        pytest.approx([0.9487, 0.3162], abs=1e-4),
        [0.0, 1.0],
        pytest.approx([0.7071, 0.7071], abs=1e-4),
    ]


class _Encoder:
    """Reads nothing and always says `other.misc`."""

    classes_ = ("other.misc", A)
    cues_ = ()

    def scores(self, documents: list, **_: object) -> tuple[np.ndarray, np.ndarray]:
        return np.tile([50.0, -50.0], (len(documents), 1)), np.zeros((len(documents), 0))


def test_the_linear_part_of_a_cascade_is_measured_alone(
    linear_pipeline: Pipeline, held_side: tuple[LabelledTicket, ...]
) -> None:
    bundle = linear_pipeline.bundle
    assert bundle is not None
    joint = CueJoint(0.0, 0.0, -5.0, 0.5)
    calibration = Calibration({}, 0.0, dict.fromkeys(bundle.calibration.cues, joint), 0.0, 1.0)
    second = Second(_Encoder(), calibration, Exits({}, {}))  # type: ignore[arg-type]
    cascade = Pipeline(bundle.policy, replace(bundle, second=second, source="cascade"))
    data = run(cascade, held_side[:40])
    assert set(data.found) == {"other.misc"}
    assert baselines(cascade, data, (), frozen=False).found["linear"] == run(linear_pipeline, held_side[:40]).found


def test_nothing_is_learned_from_what_is_measured() -> None:
    rows = [_ticket(n) for n in range(4)]
    assert learned_from(SimpleNamespace(bundle=None), rows, rows[:2]) == tuple(rows[2:])  # type: ignore[arg-type]


def test_tickets_that_a_bundle_was_trained_on_are_counted_and_are_what_its_peers_learn_from(
    linear_pipeline: Pipeline, train_side: tuple[LabelledTicket, ...], held_side: tuple[LabelledTicket, ...]
) -> None:
    assert count_seen(linear_pipeline, held_side) == 0
    assert count_seen(linear_pipeline, [*held_side, *train_side[:3]]) == 3
    assert learned_from(linear_pipeline, [*train_side[:5], *held_side], ()) == train_side[:5]
    assert learned_from(linear_pipeline, held_side[:5], ()) == held_side[:5]  # nothing of its own at hand


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("啥子时候来电嘛", ["啥子"]),
        ("屋里冇电,俺等了一天", ["冇", "俺"]),
        ("没得到答复", []),
        ("什么事都问不到,怎么样才有电", []),
        ("請問點解停電", ["点解"]),
    ],
)
def test_dialect_is_found_by_words_that_mandarin_does_not_use(text: str, words: list[str]) -> None:
    assert dialect_words(text) == words


@pytest.mark.parametrize(
    ("text", "channel", "noise"),
    [
        ("打听个店费的事", "asr", "asr"),
        ("打听个店费的事", "online", "typo"),
        ("向你们请教,我想申请教表", "asr", "asr"),
        ("又停*电*了,没人管", "online", "disguised"),
        ("家里tingdian三天了", "online", "disguised"),
        ("家里停电三天了,电表没有走", "asr", "none"),
    ],
)
def test_noise_is_what_keeps_words_from_being_recognised(text: str, channel: str, noise: str) -> None:
    assert noise_of(text, channel) == noise


def test_slices_are_counted_by_hand() -> None:
    texts = ["停电", "啥子" + "停" * 40, "电" * 201]
    tickets = [
        _ticket(0, text=texts[0], channel="asr", author="x"),
        _ticket(1, text=texts[1], channel="asr", author="y", extra={"difficulty": "hard"}),
        _ticket(2, text=texts[2], author="y"),
    ]
    assert slices_of(tickets) == {
        "channel:asr": [0, 1], "dialect:any": [1], "dialect:none": [0, 2], "difficulty:hard": [1],
        "length:long": [2], "length:middle": [1], "length:short": [0], "noise:none": [0, 1, 2],
    }  # fmt: skip
    found = [_predicted(A), _predicted(B), _predicted(A)]
    figures = slice_figures(_evaluated(*zip(tickets, found, strict=True)), rounds=50, seed=0)
    assert figures["channel:asr"] == {"n": 2, "accuracy": 0.5, "macro_f1": 0.3333, "accuracy_ci95": [0.0, 1.0]}
    assert figures["dialect:any"]["accuracy_ci95"] is None


def test_neighbours_are_the_most_alike_and_never_the_ticket_itself(policy: Policy) -> None:
    texts = ["村里停电三天没人修", "村里停电两天没人修", "电费多收了两百块", "电费多收了三百块,要退", "换表没有通知我"]
    train = [_ticket(n, (A, A, B, B, "metering.replacement")[n], text=text) for n, text in enumerate(texts)]
    classifier = LinearClassifier(policy.dictionary).fit(texts, [ticket.category for ticket in train])
    asked = [train[0], _ticket(9, B, text="电费多收了两百块,我的手机13812345678")]
    same, billing = nearest(classifier, train, asked, count=2)
    assert same[0].id == "t1"
    assert "t0" not in [n.id for n in same]
    assert [n.id for n in billing] == ["t2", "t3"]
    assert 1 >= billing[0].similarity > billing[1].similarity > 0
    assert nearest(classifier, (), asked) == [(), ()]


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


def test_the_command_measures_peers_and_refuses_a_training_path_that_is_not_there(
    bundle_folder: Path, tmp_path: Path
) -> None:
    samples = Path(__file__).parent.parent.parent / "data" / "samples"
    common = ["--data", str(samples / "a07.jsonl"), "--bundle", str(bundle_folder)]
    done = CliRunner().invoke(_app(), [*common, "--train", str(samples / "a01.jsonl"), "--output", str(tmp_path / "r")])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert set(report["baselines"]) == {"majority", "rules", "linear", "char_svm"}
    assert report["about"]["baselines_learned_from"] > 50
    assert "frozen_encoder" in done.stderr
    assert report == json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    missing = CliRunner().invoke(_app(), [*common, "--train", str(tmp_path / "nowhere")])
    assert missing.exit_code != 0
    assert "nowhere" in str(missing.exception)


def test_without_training_tickets_at_hand_the_command_still_measures(bundle_folder: Path) -> None:
    samples = Path(__file__).parent.parent.parent / "data" / "samples"
    done = CliRunner().invoke(_app(), ["--data", str(samples / "a07.jsonl"), "--bundle", str(bundle_folder)])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["about"]["baselines_learned_from"] == 0
    assert "char_svm" in report["baselines_skipped"]
