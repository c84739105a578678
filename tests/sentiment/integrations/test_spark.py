"""A real local Spark session."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sentiment.classifier import Classifier
from sentiment.errors import BundleError

pytest.importorskip("pyspark", reason="no Spark here: pip install pyspark pandas")
pytest.importorskip("pandas", reason="no pandas here: pip install pyspark pandas")
if shutil.which("java") is None:
    pytest.skip("no Java here: apt-get install default-jre-headless", allow_module_level=True)

from sentiment.integrations.spark import sentiment_udf

pytestmark = pytest.mark.filterwarnings("ignore")  # pyspark's own


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


def test_every_text_has_its_answer_or_a_reason(spark: Any, tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    texts = ["good", None, "a very bad film", " ", "zyzzyva"] * 3
    frame = spark.createDataFrame([(n, text) for n, text in enumerate(texts)], "id int, text string").repartition(3)
    rows = frame.withColumn("said", sentiment_udf(tiny_bundle)("text")).orderBy("id").collect()
    assert [row["text"] for row in rows] == texts
    reasons = {None: "has no text", " ": "is empty or blank"}
    answers = {text: tiny_classifier.predict([text])[0] for text in set(texts) - set(reasons)}
    for row in rows:
        said = row["said"].asDict()
        if row["text"] in reasons:
            assert said == dict.fromkeys(said, None) | {"reason": reasons[row["text"]]}
            continue
        answer = answers[row["text"]]
        assert said == {
            "label": answer.label,
            **{f"probability_{label}": pytest.approx(share) for label, share in answer.probabilities.items()},
            "tokens": answer.tokens,
            "unknown_tokens": answer.unknown_tokens,
            "truncated": False,
            "model_version": tiny_classifier.version,
            "reason": None,
        }


def test_what_is_no_model_is_refused_before_the_job(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no such folder"):
        sentiment_udf(tmp_path / "gone")
