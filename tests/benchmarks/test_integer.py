"""A run of the program on a few texts: it finishes, and its figures are of what it says."""

import json

import pytest
import torch

from benchmarks import integer
from benchmarks.workloads import random_bundle
from sentiment.batching import PaddedBatch
from sentiment.config import ModelConfig
from sentiment.nn.integers import exact_products


def test_it_measures_each_way(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--hidden", "32", "--texts", "3", "--repeats", "1", "--vocabulary", "400", "--json"]
    integer.main(options)
    rows = json.loads(capsys.readouterr().out)["integers"]
    names = ["sentences", "reviews", "20 tokens alone", "300 tokens alone"]
    assert [row["workload"] for row in rows] == [name for name in names for _ in range(2)]
    assert {row["part"] for row in rows} == {integer.MODEL, integer.RAW}
    for row in rows:
        for way in (f"integers, {product}" for product in exact_products(32)):
            assert row[f"{way}, times"] == pytest.approx(row["float32, ms"] / row[f"{way}, ms"])
    integer.main(options[:-1])
    assert "times as fast" in capsys.readouterr().out


@pytest.mark.parametrize("product", ["int8", "float32"])
def test_it_forces_the_product(product: str) -> None:
    if product not in exact_products(32):
        pytest.skip("this processor or this torch has no exact product of integers")
    bundle = random_bundle(ModelConfig(embedding_size=8, hidden_size=8), vocabulary_size=50)
    model = integer.forced(bundle.model, product)
    assert model.integer_lstm is not None
    assert model.integer_lstm.product == product
    batch = PaddedBatch.of([[2, 3, 4]])
    assert torch.equal(model(batch), bundle.model.quantized()(batch))
