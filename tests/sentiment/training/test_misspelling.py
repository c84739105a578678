"""Read words as if misspelt: by which pieces, how often, and the same for a seed."""

from pathlib import Path

import pytest
import torch

from sentiment.errors import ConfigError
from sentiment.text.vocabulary import UNK_ID, Vocabulary
from sentiment.training.data.misspelling import Misspelling
from sentiment.training.vectors import WordVectors, load_vectors, vectors_of_pieces
from tests.sentiment.training.test_trainer import Write, read_data, recipe_of, train

WORDS = ("terrible", "wonderful", "plot", "from", "form", "the", "a", "!")


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.build([list(WORDS)] * 3, max_size=100, pieces=200)


def test_a_word_is_read_by_pieces_and_never_as_another_word(vocabulary: Vocabulary) -> None:
    words = vocabulary.encode(WORDS)
    torch.manual_seed(0)
    rewrite = Misspelling(vocabulary, 0.999, seed=0)
    seen = set()
    for _ in range(200):
        [row] = rewrite([words])
        seen.add(tuple(row))
        assert UNK_ID not in row
        tokens, unknown = vocabulary.count(row)
        assert tokens == len(WORDS)
        assert unknown >= 5  # all but `a` and `!`, and one that is not drawn
    assert len(seen) > 100


def test_the_share_and_the_rows_that_stay(vocabulary: Vocabulary) -> None:
    torch.manual_seed(0)
    row = vocabulary.encode(["terrible"])
    rows = [row * 50, vocabulary.encode(["!", "a"]), row * 30, row]
    rewrite = Misspelling(vocabulary, 0.25, seed=0)
    changed = 0
    for _ in range(50):
        read = rewrite(rows)
        assert read[1] == rows[1]
        changed += 81 - sum(each.count(row[0]) for each in read)
    assert changed / (50 * 81) == pytest.approx(0.25, abs=0.05)
    assert rows[0] == row * 50


def test_the_beginning_of_another_word_stays(vocabulary: Vocabulary) -> None:
    [word] = vocabulary.encode(["plot"])
    piece = next(token_id for name, token_id in vocabulary.pieces.items() if not name.startswith("##^"))
    rewrite = Misspelling(vocabulary, 0.999, seed=0)
    assert all(rewrite([[word, piece]]) == [[word, piece]] for _ in range(20))


def test_a_seed_gives_the_same_rows(vocabulary: Vocabulary) -> None:
    rows = [vocabulary.encode(WORDS)] * 9
    found = []
    for _ in range(2):
        torch.manual_seed(7)
        found.append(Misspelling(vocabulary, 0.5, seed=3)(rows))
    assert found[0] == found[1]


def test_a_training_with_misspelt_words(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 200)
    recipe = recipe_of(path, vocabulary={"pieces": 300}, training={"misspelling": 0.3, "epochs": 6})
    bundle = train(recipe, read_data(recipe), lambda _: None)
    assert bundle.metrics["dev"]["split of a.csv"]["accuracy"] == 1.0
    assert len(bundle.vocabulary.pieces) > 50
    recipe = recipe_of(path, training={"misspelling": 0.3})
    with pytest.raises(ConfigError, match=r"training\.misspelling is 0\.3, and the vocabulary has no pieces"):
        train(recipe, read_data(recipe), lambda _: None)


def test_pieces_start_at_the_mean_of_their_words() -> None:
    vocabulary = Vocabulary(["<pad>", "<unk>", "film", "filler", "mill", "##^fil", "##l", "##xyz"])
    vectors = torch.eye(3, dtype=torch.float32)  # (words, F)
    source = WordVectors({"film": 0, "filler": 1, "mill": 2}, vectors.numpy())
    pieces, means = vectors_of_pieces(vocabulary, *load_vectors(source, vocabulary))
    found = dict(zip(pieces.tolist(), means.tolist(), strict=True))
    assert found == {5: [0.5, 0.5, 0], 6: pytest.approx([1 / 3, 1 / 3, 1 / 3])}
