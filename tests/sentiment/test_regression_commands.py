import json
from pathlib import Path

import pytest

from sentiment.errors import SentimentError
from tests.sentiment.conftest import run


def refusal(*arguments: object) -> str:
    error = run(*arguments).exception
    assert isinstance(error, SentimentError), error
    return str(error)


def test_a_number_is_learned_asked_for_and_judged(tmp_path: Path) -> None:
    data, model = tmp_path / "valence.csv", tmp_path / "valence"
    rows = [("great film", 2.5), ("fine film", 1.0), ("dull film", -1.0), ("awful film", -2.5)] * 10
    data.write_text("text,valence\n" + "".join(f"{text} {n},{value}\n" for n, (text, value) in enumerate(rows)))
    column = ("--label-column", "valence")
    trained = run("train", data, "--task", "regression", "--out", model, "--epochs", 2, "--hidden-size", 8, *column)
    assert trained.exception is None, trained.output
    assert "dev RMSE " in trained.output
    assert "Pearson r" in trained.output

    [said] = [json.loads(line) for line in run("predict", "--model", model, "--json", "great film").output.splitlines()]
    assert said.keys() == {"value", "tokens", "unknown_tokens", "truncated"}
    assert f"{said['value']:10.4g}  great film\n" == run("predict", "--model", model, "great film").output

    measured = json.loads(run("evaluate", "--model", model, "--data", data, "--json", *column).output)
    assert measured.keys() == {"pearson_r", "mae", "rmse", "rows", "intervals", "unknown_tokens"}
    assert measured["rows"] == 40
    shown = run("evaluate", "--model", model, "--data", data, *column).output
    assert f"{measured['mae']:.4g}" in shown
    assert "40 rows" in shown

    scored = tmp_path / "scored.csv"
    done = run("score", "--model", model, data, scored, "--processes", 1)
    assert done.exception is None, done.output
    assert "labels:" not in done.output
    lines = scored.read_text().splitlines()
    assert lines[0] == "text,valence,value,tokens,unknown_tokens,truncated,model_version"
    assert len(lines) == 41
    again = json.loads(run("predict", "--model", model, "--json", "great film 0").output)
    assert float(lines[1].split(",")[2]) == pytest.approx(again["value"], abs=1e-5)

    facts = json.loads(run("info", "--model", model, "--json").output)
    assert (facts["task"], facts["labels"]) == ("regression", [])
    assert "MAE" in run("info", "--model", model).output


def test_a_column_of_fractions_names_the_task(tmp_path: Path) -> None:
    data = tmp_path / "a.csv"
    data.write_text("text,label\ngood,1.5\nbad,-0.5\n")
    found = refusal("train", data, "--out", tmp_path / "model")
    assert found.startswith(f"{data}: row 1: the label '1.5' is a fraction; ")
    assert "--labels" in found
    assert "--task regression" in found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(
            (arguments.split(), f"{option} is for models of labels; 'value' answers with a number")
            for arguments, option in (
                ("predict good --abstain 0.1", "--abstain"),
                ("evaluate --data a.csv --report r", "--report"),
                ("evaluate --data a.csv --labels 1=a", "--labels"),
                ("score a.csv b.csv --abstain 0.1", "--abstain"),
                ("score a.csv b.csv --threshold 0.1", "threshold"),
                ("score a.csv b.csv --report r.html", "--report"),
            )
        ),
        *(
            (arguments.split(), "the model 'value' answers with a number (its task is regression), and labels are")
            for arguments in ("explain good", "export --onnx a.onnx")
        ),
    ],
)
def test_what_makes_no_sense_of_a_number_is_refused(
    value_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("text,label\ngood,1.5\nbad,-0.5\n" * 30)
    assert refusal(*arguments, "--model", value_bundle).startswith(message)


def test_two_models_are_compared_and_one_is_calibrated_by_labels_alone(value_bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "a.csv"
    data.write_text("text,label\ngood,positive\nbad,negative\n" * 30)
    message = "the model 'value' answers with a number (its task is regression), and labels are needed here"
    assert refusal("compare", value_bundle, value_bundle, "--data", data).startswith(message)
    command = ("calibrate", "--model", value_bundle, "--data", data, "--out", tmp_path / "new")
    assert refusal(*command).startswith(message)


def test_teachers_and_the_comparison_of_networks_take_labels(tmp_path: Path) -> None:
    data, recipe = tmp_path / "a.csv", tmp_path / "a.toml"
    data.write_text("text,label\n" + "".join(f"good {n},{n}\n" for n in range(8)))
    recipe.write_text('name = "a"\ntask = "regression"\n[[train]]\npath = "a.csv"\n')
    assert refusal("compare-encoders", "--recipe", recipe, "--out", tmp_path / "out") == (
        "--recipe: its task is regression, and networks are compared by accuracy on labels"
    )
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (encoder / name).write_bytes(b"{}")
    command = ("distil", "--teacher", encoder, "--unlabelled", data, "--recipe", recipe, "--out", tmp_path / "model")
    assert refusal(*command) == "--recipe: its task is regression, and a teacher learns labels; take `sentiment train`"
