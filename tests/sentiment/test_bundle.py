"""A model folder is believed only after every check, and written whole or not at all."""

import hashlib
import json
import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

import sentiment
from sentiment import bundle as bundles
from sentiment import manifest, predictor
from sentiment.bundle import CARD, CONFIG, FILES, GOLDEN, LABELS, METRICS, VOCABULARY, WEIGHTS, Bundle
from sentiment.classifier import Classifier
from sentiment.errors import BundleError
from sentiment.manifest import MANIFEST
from sentiment.text.tokenizer import Tokenizer

MakeBundle = Callable[..., Bundle]
LANGUAGE = "spaCy's code of a language is needed, two or three small letters such as en or zh"


@pytest.fixture(scope="module", autouse=True)
def one_tokenizer() -> Iterator[None]:
    """A tokenizer takes a tenth of a second to build, and is not what is tested here: one for each configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor, "Tokenizer", cache(Tokenizer))
        yield


@pytest.fixture
def folder(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "model"))


@pytest.fixture(scope="module")
def other(make_bundle: MakeBundle) -> Bundle:
    """Another model than the one in `folder`."""
    return make_bundle(seed=5)


def refused(folder: Path, file: str) -> str:
    """The reason `folder` is refused for, which must be a fault of `file`."""
    with pytest.raises(BundleError) as caught:
        sentiment.load(folder)
    assert caught.value.file == file
    assert str(caught.value) == f"model bundle refused: {file}: {caught.value.reason}"
    return caught.value.reason


def as_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def signed(body: dict[str, Any]) -> bytes:
    """A manifest whose own digest is right, whatever it says."""
    return as_json({**body, "sha256": hashlib.sha256(as_json(body)).hexdigest()})


def manifest_of(folder: Path) -> dict[str, Any]:
    body = json.loads((folder / MANIFEST).read_bytes())
    del body["sha256"]
    return body


def remake(folder: Path, changes: dict[str, bytes]) -> None:
    """Puts these contents in and makes sizes and hashes match: only the contents themselves are at fault."""
    body = manifest_of(folder)
    for name, content in changes.items():
        (folder / name).write_bytes(content)
        body["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / MANIFEST).write_bytes(signed(body))


# What save writes, load reads


def test_save_and_load_are_inverse(make_bundle: MakeBundle, tmp_path: Path) -> None:
    saved = replace(make_bundle(num_layers=2, dropout=0.1, max_tokens=99), temperature=1.5, golden=())
    version = bundles.save(saved, tmp_path / "deep" / "er" / "model")
    loaded = bundles.load(tmp_path / "deep" / "er" / "model")
    assert loaded.version == version
    for name in ("name", "labels", "text_config", "temperature", "golden", "metrics", "card"):
        assert getattr(loaded, name) == getattr(saved, name), name
    assert loaded.vocabulary.tokens == saved.vocabulary.tokens
    assert loaded.model.config == saved.model.config
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    expected = saved.model.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.model.state_dict().items())


def test_what_is_saved_is_what_answers(make_bundle: MakeBundle, tmp_path: Path) -> None:
    saved = make_bundle()
    bundles.save(saved, tmp_path / "model")
    loaded = bundles.load(tmp_path / "model")
    assert saved.model.integer_lstm is not None
    assert loaded.model.integer_lstm is not None
    for name, integers in saved.model.integer_lstm.weights.items():
        assert torch.equal(loaded.model.integer_lstm.weights[name].values, integers.values)
        assert torch.equal(loaded.model.integer_lstm.weights[name].scales, integers.scales)
    texts = ["A great film.", "not good", "zyzzyva"]
    assert Classifier(loaded).predict(texts) == Classifier(saved).predict(texts)


def test_a_model_in_floating_point_stays_one(make_bundle: MakeBundle, tmp_path: Path) -> None:
    saved = make_bundle(quantized=False)
    bundles.save(saved, tmp_path / "model")
    loaded = bundles.load(tmp_path / "model")
    assert loaded.model.integer_lstm is None
    assert all(map(torch.equal, loaded.model.parameters(), saved.model.parameters()))


def test_a_folder_holds_its_files_and_no_others(tiny_bundle: Path) -> None:
    assert {path.name for path in tiny_bundle.iterdir()} == {*FILES, MANIFEST}
    assert [path.name for path in tiny_bundle.parent.iterdir()] == [tiny_bundle.name]
    assert tiny_bundle.stat().st_mode & 0o777 == 0o755


def test_the_same_model_is_the_same_bytes(make_bundle: MakeBundle, tmp_path: Path) -> None:
    versions = [bundles.save(make_bundle(), tmp_path / name) for name in ("one", "other")]
    for name in (*FILES, MANIFEST):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes(), name
    assert versions[0] == versions[1]
    assert bundles.save(make_bundle(seed=1), tmp_path / "third") != versions[0]


def test_the_manifest_holds_size_and_digest_of_each_file(tiny_bundle: Path) -> None:
    manifest = manifest_of(tiny_bundle)
    assert manifest["format_version"] == 3
    assert manifest["name"] == "tiny"
    assert manifest["files"] == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name in FILES
        for content in [(tiny_bundle / name).read_bytes()]
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_size_weights_become_float32(make_bundle: MakeBundle, tmp_path: Path, dtype: torch.dtype) -> None:
    bundle = make_bundle()
    bundles.save(replace(bundle, model=bundle.model.to(dtype), golden=()), tmp_path / "half")
    loaded = bundles.load(tmp_path / "half")
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}


# Each file, spoiled in each way


class Evil:
    """Unpickling it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def make_huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5 << 30)  # sparse: it takes no room, and reading it would take all of the memory


def put_a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil(path.parent.parent / "trace")))


def link_to_another(path: Path) -> None:
    outside = path.parent.parent / "outside"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    outside.write_bytes(content)
    path.unlink()
    path.symlink_to(outside)


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def put_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def swap(path: Path) -> None:
    """Another file of the same folder."""
    path.write_bytes(path.with_name(CARD if path.name != CARD else LABELS).read_bytes())


ALTERED = r"sha256 is [0-9a-f]{12}… where the manifest says [0-9a-f]{12}…: it was altered"
RESIZED = r"has \d+ bytes where the manifest says \d+"
MISSING = "is missing, or is not a regular file"
NO_JSON = "is not JSON: "
SPOILERS: dict[str, tuple[Callable[[Path], object], str, str]] = {  # the reasons: of any file, and of the manifest
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        RESIZED,
        "is not written as `save` writes it: it was altered",
    ),
    "empty": (lambda path: path.write_bytes(b""), r"has 0 bytes where the manifest says \d+", NO_JSON),
    "huge": (
        make_huge,
        r"has 5368709120 bytes where the manifest says \d+",
        "has more than 65536 bytes, the limit",
    ),
    "removed": (Path.unlink, MISSING, MISSING),
    "a pickle": (put_a_pickle, RESIZED, NO_JSON),
    "a link to another": (link_to_another, ALTERED, NO_JSON),
    "a link to itself": (link_to_itself, MISSING, MISSING),
    "a directory": (put_a_directory, MISSING, MISSING),
    "a pipe": (put_a_pipe, MISSING, MISSING),
    "another file": (swap, RESIZED, NO_JSON),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_each_file_spoiled_in_each_way_is_refused_by_name(folder: Path, name: str, spoiler: str) -> None:
    spoil, pattern, manifest_pattern = SPOILERS[spoiler]
    spoil(folder / name)
    reason = refused(folder, name)
    assert re.match(manifest_pattern if name == MANIFEST else pattern, reason), reason
    assert not (folder.parent / "trace").exists()


def test_every_byte_of_the_manifest_counts(folder: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    for place in range(len(content)):
        (folder / MANIFEST).write_bytes(
            content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]
        )
        with pytest.raises(BundleError) as caught:
            bundles.load(folder)
        assert caught.value.file == MANIFEST, f"byte {place}"


@given(st.data())
def test_any_flipped_bit_is_refused_by_name(tiny_bundle: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(FILES))
    path = tiny_bundle / name
    content = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    spoiled = bytearray(content)
    spoiled[bit // 8] ^= 1 << bit % 8
    path.write_bytes(spoiled)
    try:
        with pytest.raises(BundleError, match="it was altered") as caught:
            bundles.load(tiny_bundle)
        assert caught.value.file == name
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("where", ["gone", "a\0b", "x" * 5000, ""])
def test_no_such_folder(tmp_path: Path, where: str) -> None:
    path = tmp_path / "none" / where
    assert refused(path, str(path)) == "there is no such folder"


def test_a_file_is_no_folder(folder: Path) -> None:
    assert refused(folder / CARD, str(folder / CARD)) == "there is no such folder"


def test_other_files_in_the_folder_are_never_opened(folder: Path) -> None:
    (folder / "model.pt").write_bytes(pickle.dumps(Evil(folder.parent / "trace")))
    assert sentiment.load(folder).predict(["good"])[0].tokens == 1
    assert not (folder.parent / "trace").exists()


def lay_out_as_hugging_face(folder: Path, cache: Path) -> Path:
    """A snapshot's files are links into a folder of contents beside it."""
    (cache / "blobs").mkdir(parents=True)
    snapshot = cache / "snapshots" / "5e1c"
    snapshot.mkdir(parents=True)
    for place, file in enumerate(folder.iterdir()):
        file.rename(cache / "blobs" / f"{place}")
        (snapshot / file.name).symlink_to(f"../../blobs/{place}")
    return snapshot


def lay_out_as_kubernetes(folder: Path, volume: Path) -> Path:
    """The files are links through a link to a folder of a time."""
    volume.mkdir()
    folder.rename(volume / "..2026_12_01")
    (volume / "..data").symlink_to("..2026_12_01")
    for file in (volume / "..data").iterdir():
        (volume / file.name).symlink_to(f"..data/{file.name}")
    return volume


@pytest.mark.parametrize("lay_out", [lay_out_as_hugging_face, lay_out_as_kubernetes])
def test_the_files_may_be_links(folder: Path, tmp_path: Path, lay_out: Callable[[Path, Path], Path]) -> None:
    before = sentiment.load(folder)
    expected = before.predict(["good"])
    linked = lay_out(folder, tmp_path / "linked")
    after = sentiment.load(linked)
    assert (after.version, after.predict(["good"])) == (before.version, expected)
    target = (linked / LABELS).resolve()
    target.write_bytes(target.read_bytes().replace(b"neutral", b"neutraL"))
    assert "it was altered" in refused(linked, LABELS)


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert sentiment.load(tmp_path / "link").name == "tiny"


# A manifest that is whole, and wrong


ENTRY = {"bytes": 3, "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("change", "file", "reason"),
    [
        *(
            ({"format_version": version}, MANIFEST, f"format_version is {version!r}; this release reads 1 to 3")
            for version in (4, True, 1.0, "1", None)
        ),
        *(
            (change, MANIFEST, "`name` and `files` (bytes and sha256 of each) are needed")
            for change in ({"name": 5}, {"name": None}, {"files": []}, {"files": None})
        ),
        ({"files": {}}, WEIGHTS, "is missing from the manifest"),
        *(
            ({"files": {name: ENTRY}}, name, f"is not a file of a bundle; those are {', '.join(FILES)}")
            for name in ("../x", "/etc/passwd", "", MANIFEST, "../model/labels.json", "./labels.json", "weights.bin")
        ),
        ({"x": float("nan")}, MANIFEST, "is not JSON: NaN is no JSON number"),
        ({"x": -float("inf")}, MANIFEST, "is not JSON: -Infinity is no JSON number"),
    ],
)  # fmt: skip
def test_a_wrong_manifest(folder: Path, change: dict[str, Any], file: str, reason: str) -> None:
    (folder / MANIFEST).write_bytes(signed({**manifest_of(folder), **change}))
    assert refused(folder, file) == reason


@pytest.mark.parametrize("name", FILES)
def test_a_name_less_is_refused_by_name(folder: Path, name: str) -> None:
    body = manifest_of(folder)
    del body["files"][name]
    (folder / MANIFEST).write_bytes(signed(body))
    assert refused(folder, name) == "is missing from the manifest"


@pytest.mark.parametrize(
    ("entry", "file", "reason"),
    [
        *(
            (entry, MANIFEST, "`name` and `files` (bytes and sha256 of each) are needed")
            for entry in (
                None, {}, {**ENTRY, "bytes": True}, {**ENTRY, "bytes": "3"}, {**ENTRY, "bytes": 3.0},
                {**ENTRY, "sha256": None},
            )
        ),
        ({**ENTRY, "bytes": -1}, LABELS, "has {size} bytes where the manifest says -1"),
        ({**ENTRY, "bytes": 1 << 31}, LABELS, "has 2147483648 bytes by the manifest; the limit is 1073741824"),
        ({**ENTRY, "bytes": 10**30}, LABELS, f"has {10**30} bytes by the manifest; the limit is 1073741824"),
    ],
)  # fmt: skip
def test_a_wrong_entry(folder: Path, entry: Any, file: str, reason: str) -> None:
    body = manifest_of(folder)
    body["files"][LABELS] = entry
    (folder / MANIFEST).write_bytes(signed(body))
    assert refused(folder, file) == reason.format(size=(folder / LABELS).stat().st_size)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[]", "holds a list where a dict is expected"),
        (b"null", "holds a NoneType where a dict is expected"),
        (b"\xff\xfe", "is not JSON: "),
        (b"[" * 60_000, "is not JSON: "),
        (b'{"format_version": 1, "x": 1e999}', "holds what `save` never writes: "),
        (b'{"format_version": 1, "x": "\\ud800"}', "holds what `save` never writes: "),
        (b'{"format_version": 1, "x": ' + b"1" * 5000 + b"}", "is not JSON: "),
        (b'{"format_version": 1}', "its own sha256 does not match: it was altered"),
        (b'{"format_version": 1, "sha256": {"a": []}}', "its own sha256 does not match: it was altered"),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else None,
)
def test_a_manifest_that_save_never_wrote(folder: Path, content: bytes, reason: str) -> None:
    (folder / MANIFEST).write_bytes(content)
    assert refused(folder, MANIFEST).startswith(reason)


@pytest.mark.parametrize("depth", range(900, 1010, 10))  # some of these can be read and not written again
def test_a_deep_manifest(folder: Path, depth: int) -> None:
    (folder / MANIFEST).write_bytes(b'{"format_version": 1, "x": ' + b"[" * depth + b"]" * depth + b"}")
    reasons = ("is not JSON: ", "holds what `save` never writes: ", "its own sha256 does not match: it was altered")
    assert refused(folder, MANIFEST).startswith(reasons)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"\n", b""), (b'"tiny"', b'"\\u0074iny"'), (b'{\n "format', b'{\n "format_version": 9,\n "format')],
    ids=["in one line", "escaped", "a key twice"],
)
def test_a_manifest_spelled_otherwise(folder: Path, old: bytes, new: bytes) -> None:
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes().replace(old, new))
    assert refused(folder, MANIFEST) == "is not written as `save` writes it: it was altered"


# Contents that match a re-made manifest, and are wrong


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load((folder / WEIGHTS).read_bytes())


NAN_OR_INFINITY = "has NaN or infinity; train the model again, or copy it again"
LSTM = [f"lstm.{name}_l0{way}" for name in ("weight_ih", "weight_hh") for way in ("", "_reverse")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(
            ({"classifier.bias": torch.tensor(numbers, dtype=dtype)}, f"classifier.bias {NAN_OR_INFINITY}")
            for numbers, dtype in (
                ([0.0, float("nan"), 0.0], torch.float32), ([0.0, float("inf"), 0.0], torch.float32),
                ([0.0, 1e300, 0.0], torch.float64),  # too large for float32
            )
        ),
        *(
            (
                {"classifier.bias": torch.zeros(3, dtype=dtype)},
                f"classifier.bias holds {dtype}, not floating point numbers",
            )
            for dtype in (torch.int64, torch.complex64)
        ),
        ({"classifier.bias": torch.zeros(4)}, "classifier.bias has shape (4,) where (3,) is expected"),
        ({"classifier.weight": torch.zeros(16, 3)}, "classifier.weight has shape (16, 3) where (3, 16) is expected"),
        ({"classifier.more": torch.zeros(1)}, "tensors missing: []; not of this network: ['classifier.more']"),
        (
            {"lstm.weight_hh_l0_reverse": None},
            "tensors missing: ['lstm.weight_hh_l0_reverse']; not of this network: []",
        ),
        (
            {"classifier.bias": None, "head.bias": torch.zeros(3)},
            "tensors missing: ['classifier.bias']; not of this network: ['head.bias']",
        ),
        (
            {"embedding.weight": torch.zeros(22, 8)},
            "embedding.weight holds torch.float32, not torch.int8, and there are scales for it",
        ),
        (
            {"lstm.weight_hh_l0": torch.zeros(32, 8, dtype=torch.int16)},
            "lstm.weight_hh_l0 holds torch.int16, not torch.int8, and there are scales for it",
        ),
        (
            {f"{name}.scales": None for name in ("embedding.weight", *LSTM)},
            "embedding.weight holds torch.int8, not floating point numbers",
        ),
        ({"lstm.weight_ih_l0.scales": torch.full((32,), float("inf"))}, f"lstm.weight_ih_l0.scales {NAN_OR_INFINITY}"),
        ({"embedding.weight.scales": None}, "tensors missing: ['embedding.weight.scales']; not of this network: []"),
        (
            {"lstm.weight_hh_l0.scales": torch.ones(8)},
            "lstm.weight_hh_l0.scales has shape (8,) where (32,) is expected",
        ),
    ],
)  # fmt: skip
def test_wrong_weights(folder: Path, changes: dict[str, torch.Tensor | None], reason: str) -> None:
    weights = weights_of(folder) | changes
    remake(folder, {WEIGHTS: safetensors.torch.save({n: each for n, each in weights.items() if each is not None})})
    assert refused(folder, WEIGHTS) == reason


def safetensors_bytes(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        pickle.dumps({"classifier.bias": [0.0]}),
        (1 << 62).to_bytes(8, "little") + b"{}",
        safetensors_bytes(b"[" * 100_000),
        safetensors_bytes(b'{"x": {"dtype": "F32", "shape": [1099511627776], "data_offsets": [0, 4398046511104]}}'),
        safetensors_bytes(b'{"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}') + bytes(4),
        safetensors_bytes(b'{"x": {"dtype": "Q9", "shape": [1], "data_offsets": [0, 4]}}') + bytes(4),
        safetensors_bytes(b'{"x": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}') + bytes(1),
        safetensors_bytes(b'{"x": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}}') + bytes(3),
        safetensors_bytes(b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}'),
        safetensors_bytes(b"{}"),
    ],
    ids=["empty", "noise", "pickle", "endless", "deep", "huge", "negative", "type", "F4", "F6", "no-size", "nothing"],
)
def test_what_is_no_weights_file(folder: Path, content: bytes) -> None:
    remake(folder, {WEIGHTS: content})
    assert refused(folder, WEIGHTS).startswith(("is not a safetensors file: ", "tensors missing: "))


@pytest.mark.parametrize(
    ("dtype", "width"),
    [("F8_E4M3", 1), ("F8_E5M2", 1), ("F8_E8M0", 1), ("BOOL", 1), ("U16", 2), ("U64", 8), ("C64", 8), ("F64", 8)],
)
def test_any_number_type_is_read_or_refused(folder: Path, dtype: str, width: int) -> None:
    header, size = {}, 0
    for name, tensor in weights_of(folder).items():
        kind, item = (dtype, width) if name == "classifier.bias" else ("F32", 4)
        end = size + tensor.numel() * item
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [size, end]}
        size = end
    remake(folder, {WEIGHTS: safetensors_bytes(json.dumps(header).encode()) + bytes(size)})
    with pytest.raises(BundleError) as caught:
        sentiment.load(folder)
    assert caught.value.file in (WEIGHTS, GOLDEN)  # zeros that are read answer something else


@given(st.data())
def test_any_weights_are_read_or_refused(tiny_bundle: Path, tmp_path_factory: Any, data: st.DataObject) -> None:
    folder = Path(shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("fuzz") / "model"))
    content = bytearray((folder / WEIGHTS).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, min(len(content) - 1, 400)))] = data.draw(st.integers(0, 255))
    remake(folder, {WEIGHTS: bytes(content)})
    fault = None
    try:
        sentiment.load(folder)
    except BundleError as error:
        fault = error.file
    assert fault in (None, WEIGHTS, GOLDEN)


def config_with(folder: Path, part: str | None, change: dict[str, Any]) -> bytes:
    config = json.loads((folder / CONFIG).read_bytes())
    (config[part] if part else config).update(change)
    return as_json(config)


@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        ("model", {"hidden_size": 0}, "model.hidden_size: Input should be greater than or equal to 1, not 0"),
        ("model", {"hidden_size": -8}, "model.hidden_size: Input should be greater than or equal to 1, not -8"),
        ("model", {"hidden_size": 9999}, "model.hidden_size: Input should be less than or equal to 2048, not 9999"),
        ("model", {"hidden_size": "8"}, "model.hidden_size: Input should be a valid integer, not '8'"),
        ("model", {"hidden_size": 8.0}, "model.hidden_size: Input should be a valid integer, not 8.0"),
        ("model", {"num_layers": True}, "model.num_layers: Input should be a valid integer, not True"),
        ("model", {"num_layers": 10**9}, f"model.num_layers: Input should be less than or equal to 8, not {10**9}"),
        ("model", {"dropout": 1.0}, "model.dropout: Input should be less than 1, not 1.0"),
        ("model", {"dropout": None}, "model.dropout: Input should be a valid number, not None"),
        ("model", {"proj_size": 2}, "model.proj_size: there is no such setting"),
        ("text", {"max_tokens": 1}, "text.max_tokens: Input should be greater than or equal to 2, not 1"),
        ("text", {"max_tokens": 10**9}, f"text.max_tokens: Input should be less than or equal to 65536, not {10**9}"),
        ("text", {"language": "en.x"}, f"text.language: {LANGUAGE}, not 'en.x'"),
        ("text", {"language": 5}, "text.language: Input should be a valid string, not 5"),
        (None, {"temperature": 0}, "temperature: Input should be greater than 0, not 0"),
        (None, {"temperature": -1.5}, "temperature: Input should be greater than 0, not -1.5"),
        (None, {"temperature": True}, "temperature: Input should be a valid number, not True"),
        (None, {"temperature": "1"}, "temperature: Input should be a valid number, not '1'"),
        (None, {"temperature": None}, "temperature: Input should be a valid number, not None"),
        (None, {"more": 1}, "more: there is no such setting"),
        (None, {"model": []}, "model: Input should be a valid dictionary or instance of ModelConfig, not []"),
        (None, {"temperature": float("nan")}, "is not JSON: NaN is no JSON number"),
        (None, {"temperature": float("inf")}, "is not JSON: Infinity is no JSON number"),
    ],
)  # fmt: skip
def test_a_wrong_config(folder: Path, part: str | None, change: dict[str, Any], reason: str) -> None:
    remake(folder, {CONFIG: config_with(folder, part, change)})
    assert refused(folder, CONFIG) == reason


@pytest.mark.parametrize("number", [b"1e999", b"1" + b"0" * 400])
def test_an_endless_temperature(folder: Path, number: bytes) -> None:
    remake(folder, {CONFIG: (folder / CONFIG).read_bytes().replace(b'"temperature": 1.0', b'"temperature": ' + number)})
    assert refused(folder, CONFIG).startswith("temperature: ")


@pytest.mark.parametrize("part", ["text", "model", "temperature"])
def test_a_config_without_a_part(folder: Path, part: str) -> None:
    config = json.loads((folder / CONFIG).read_bytes())
    del config[part]
    remake(folder, {CONFIG: as_json(config)})
    assert refused(folder, CONFIG).startswith(f"{part}: is missing")


def test_a_language_that_spacy_lacks(folder: Path) -> None:
    remake(folder, {CONFIG: config_with(folder, "text", {"language": "qqq"})})
    assert refused(folder, CONFIG).startswith("language: spaCy has no tokenizer for 'qqq' here: ")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hidden_size": 9}, "lstm.weight_ih_l0 has shape (32, 8) where (36, 8) is expected"),
        ({"embedding_size": 9}, "embedding.weight has shape (22, 8) where (22, 9) is expected"),
        ({"num_layers": 2}, "tensors missing: ['lstm.bias_hh_l1', "),
        ({"bias": False}, "tensors missing: []; not of this network: ['lstm.bias_hh_l0', "),
        ({"bidirectional": False}, "tensors missing: []; not of this network: ['lstm.bias_hh_l0_reverse', "),
    ],
)
def test_a_config_of_another_network(folder: Path, change: dict[str, Any], reason: str) -> None:
    remake(folder, {CONFIG: config_with(folder, "model", change)})
    assert refused(folder, WEIGHTS).startswith(reason)


@pytest.mark.parametrize(
    ("labels", "file", "reason"),
    [
        *(
            (labels, LABELS, f"at least two different names are needed, not {labels!r}")
            for labels in ([], ["a"], ["a", "b", "a"], ["a", "b", 3], ["a", "b", ["c"]])
        ),
        ({"a": 1, "b": 2}, LABELS, "holds a dict where a list is expected"),
        (["a", "b"], WEIGHTS, "classifier.weight has shape (3, 16) where (2, 16) is expected"),
        (["positive", "neutral", "negative"], GOLDEN, None),
    ],
)
def test_wrong_labels(folder: Path, labels: Any, file: str, reason: str | None) -> None:
    remake(folder, {LABELS: as_json(labels)})
    assert refused(folder, file) == reason or (reason is None)


@pytest.mark.parametrize(
    ("tokens", "file", "reason"),
    [
        ([], VOCABULARY, "a vocabulary begins <pad>, <unk>, not []"),
        (["<unk>", "<pad>"], VOCABULARY, "a vocabulary begins <pad>, <unk>, not ['<unk>', '<pad>']"),
        (["<pad>", "<unk>", "a", "a"], VOCABULARY, "a vocabulary contains each token once: 1 stand twice"),
        *(
            (["<pad>", "<unk>", token], VOCABULARY, "a vocabulary contains str only")
            for token in (5, None, {}, ["good"])
        ),
        ("<pad>", VOCABULARY, "holds a str where a list is expected"),
        (["<pad>", "<unk>", "a"], WEIGHTS, "embedding.weight has shape (22, 8) where (3, 8) is expected"),
    ],
)
def test_a_wrong_vocabulary(folder: Path, tokens: Any, file: str, reason: str) -> None:
    remake(folder, {VOCABULARY: as_json(tokens)})
    assert refused(folder, file) == reason


def test_words_in_another_order_are_noticed(folder: Path) -> None:
    tokens = json.loads((folder / VOCABULARY).read_bytes())
    remake(folder, {VOCABULARY: as_json([*tokens[:2], *reversed(tokens[2:])])})
    assert "away from the recorded" in refused(folder, GOLDEN)


@pytest.mark.parametrize("name", [CONFIG, VOCABULARY, LABELS, GOLDEN, METRICS])
@pytest.mark.parametrize("content", [b"", b"{", b"\x80\x04", b"[" * 100_000, b"nul"])
def test_what_is_no_json(folder: Path, name: str, content: bytes) -> None:
    remake(folder, {name: content})
    assert refused(folder, name).startswith("is not JSON: ")


def test_metrics_of_another_form(folder: Path) -> None:
    remake(folder, {METRICS: b"[]"})
    assert refused(folder, METRICS) == "holds a list where a dict is expected"


def test_a_card_that_is_no_utf8_is_still_a_card(folder: Path) -> None:
    remake(folder, {CARD: b"# caf\xe9"})
    assert sentiment.load(folder).card == "# caf\ufffd"


# The golden predictions


def golden_with(folder: Path, **change: Any) -> bytes:
    golden = json.loads((folder / GOLDEN).read_bytes())
    golden[1] = {**golden[1], **change}
    return as_json(golden)


def test_slightly_different_weights_are_noticed(folder: Path) -> None:
    weights = weights_of(folder)
    weights["embedding.weight.scales"][2:] *= 1.01
    remake(folder, {WEIGHTS: safetensors.torch.save(weights)})
    assert "away from the recorded; the limit is 0.0001" in refused(folder, GOLDEN)


@pytest.mark.parametrize(("gap", "fine"), [(0.5e-4, True), (1.5e-4, False), (-1.5e-4, False)])
def test_the_tolerance_of_the_golden_predictions(folder: Path, gap: float, fine: bool) -> None:
    probabilities = json.loads((folder / GOLDEN).read_bytes())[1]["probabilities"]
    probabilities["positive"] += gap
    remake(folder, {GOLDEN: golden_with(folder, probabilities=probabilities)})
    if fine:
        assert sentiment.load(folder).name == "tiny"
    else:
        reason = refused(folder, GOLDEN)
        assert reason == "'The film was not good!' is answered 0.00015 away from the recorded; the limit is 0.0001"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": ""}, "TextError: text 1: is empty or blank"),
        ({"text": 5}, "TextError: text 1: must be a str, not int"),
        ({"probabilities": {}}, "KeyError: 'negative'"),
        ({"probabilities": None}, "TypeError: "),
        ({"probabilities": {"negative": "x"}}, "ValueError: could not convert string to float: 'x'"),
        ({"probabilities": {"negative": 10**400}}, "OverflowError: "),
    ],
)  # fmt: skip
def test_wrong_golden_predictions(folder: Path, change: dict[str, Any], reason: str) -> None:
    remake(folder, {GOLDEN: golden_with(folder, **change)})
    assert refused(folder, GOLDEN).startswith(reason)


def test_a_golden_text_that_is_no_unicode(folder: Path) -> None:
    content = golden_with(folder, text="@@").replace(b'"@@"', rb'"\ud800"')
    remake(folder, {GOLDEN: content})
    assert refused(folder, GOLDEN).startswith("TextError: text 1: holds the lone surrogate U+D800 at character 0")


@pytest.mark.parametrize(
    ("golden", "reason"),
    [
        *(([entry], "TypeError: ") for entry in (None, 5, "text", [])),
        ([{}], "KeyError: "),
        ([], "holds no prediction to check the model by"),
    ],
)
def test_golden_predictions_of_another_form(folder: Path, golden: Any, reason: str) -> None:
    remake(folder, {GOLDEN: as_json(golden)})
    assert refused(folder, GOLDEN).startswith(reason)


@pytest.mark.parametrize("label", ["negative", "neutral", "positive"])
@pytest.mark.parametrize("number", [b"NaN", b"1e999", b'"nan"', b'"inf"'])
def test_no_number_in_the_golden_predictions_is_no_match(folder: Path, label: str, number: bytes) -> None:
    probabilities = json.loads((folder / GOLDEN).read_bytes())[1]["probabilities"]
    content = golden_with(folder, probabilities={**probabilities, label: "@@"})
    remake(folder, {GOLDEN: content.replace(b'"@@"', number)})
    reason = refused(folder, GOLDEN)
    assert "away from the recorded" in reason or reason == "is not JSON: NaN is no JSON number"


# Saving


def scratch_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize("failing", [*FILES, MANIFEST])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
def test_a_failure_while_writing_leaves_the_old_bundle(
    folder: Path, other: Bundle, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    write = manifest._write_synced

    def write_or_fail(path: Path, content: bytes) -> None:
        if path.name == failing:
            path.write_bytes(content[:5])
            raise error
        write(path, content)

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(manifest, "_write_synced", write_or_fail)
    with pytest.raises(type(error)):
        bundles.save(other, folder)
    with pytest.raises(type(error)):
        bundles.save(other, folder.parent / "new")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not (folder.parent / "new").exists()
    assert scratch_of(folder) == []


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()], ids=["error", "ctrl-c"])
def test_a_failure_while_swapping_brings_the_old_bundle_back(
    folder: Path, other: Bundle, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    rename, calls = Path.rename, []

    def rename_or_fail(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == 2:
            raise error
        return rename(path, target)

    old = sentiment.load(folder).version
    monkeypatch.setattr(Path, "rename", rename_or_fail)
    with pytest.raises(type(error)):
        bundles.save(other, folder)
    assert sentiment.load(folder).version == old
    assert scratch_of(folder) == []


@pytest.mark.parametrize(
    "change", [{"metrics": {"f1": float("nan")}}, {"metrics": {"f1": {1, 2}}}, {"labels": ("\ud800", "b", "c")}]
)
def test_what_can_not_be_written_leaves_the_old_bundle(folder: Path, other: Bundle, change: Any) -> None:
    old = sentiment.load(folder).version
    with pytest.raises((ValueError, TypeError)):
        bundles.save(replace(other, **change), folder)
    assert sentiment.load(folder).version == old
    assert scratch_of(folder) == []


def test_a_bundle_replaces_a_bundle(folder: Path, other: Bundle) -> None:
    (folder / METRICS).unlink()  # a broken one, too
    version = bundles.save(other, folder)
    assert sentiment.load(folder).version == version
    assert scratch_of(folder) == []


def test_an_empty_folder_is_filled(make_bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    version = bundles.save(make_bundle(), tmp_path / "empty")
    assert sentiment.load(tmp_path / "empty").version == version


@pytest.mark.parametrize("foreign", ["thesis.tex", ".git", "weights.pt"])
def test_a_folder_with_other_files_is_not_replaced(folder: Path, other: Bundle, foreign: str) -> None:
    (folder / foreign).write_text("years of work")
    old = sentiment.load(folder).version
    with pytest.raises(
        BundleError, match="holds other files than a bundle's: choose an empty or a new folder"
    ) as caught:
        bundles.save(other, folder)
    assert caught.value.file == str(folder)
    assert (folder / foreign).read_text() == "years of work"
    assert sentiment.load(folder).version == old
    assert scratch_of(folder) == []


def test_a_folder_that_only_looks_like_a_bundle_is_not_replaced(make_bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / CARD).write_text("my project")
    with pytest.raises(BundleError, match="holds other files than a bundle's"):
        bundles.save(make_bundle(), tmp_path / "project")
    assert (tmp_path / "project" / CARD).read_text() == "my project"


def test_a_file_is_not_replaced(make_bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="is a file: choose an empty or a new folder"):
        bundles.save(make_bundle(), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_stays_a_link(folder: Path, other: Bundle, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(folder)
    version = bundles.save(other, link)
    assert link.is_symlink()
    assert sentiment.load(folder).version == version
    assert scratch_of(folder) == []


def test_a_path_may_be_relative(make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    version = bundles.save(make_bundle(), Path("model"))
    assert sentiment.load("model").version == version
