import pytest

from sentiment.training.recipe import Recipe
from sentiment.training.search.search_space import apply_values, build_search_space, initial_values


def recipe(**settings: object) -> Recipe:
    return Recipe.of({"name": "toy", "train": [{"path": "a.csv"}], **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {
            "model": {"embedding_dropout": 0.9, "hidden_size": 1},
            "training": {"learning_rate": 1.0, "weight_decay": 3.0},
        },
        {"training": {"embedding_learning_rate_share": 0.01}},
    ],
)
def test_the_recipe_itself_is_in_its_space(settings: dict[str, object]) -> None:
    own = initial_values(recipe(**settings))
    for name, distribution in build_search_space(recipe(**settings)).items():
        assert distribution._contains(distribution.to_internal_repr(own[name])), name
    assert apply_values(recipe(**settings), own) == recipe(**settings)


def test_what_a_network_does_not_have_is_not_searched() -> None:
    assert "model.weight_drop" not in build_search_space(recipe(model={"encoder": "cnn"}))
    assert "model.weight_drop" not in build_search_space(recipe(model={"pooling": "final_and_cell"}))
    assert "model.dropout" not in build_search_space(recipe())
    assert "model.dropout" in build_search_space(recipe(model={"num_layers": 2}))
    assert "model.hidden_size" in build_search_space(recipe())
    assert "model.hidden_size" not in build_search_space(recipe(training={"start": "default"}))


def test_numbers_are_such_as_one_would_write() -> None:
    found = apply_values(recipe(), {"training.learning_rate": 0.00123456, "model.hidden_size": 64})
    assert (found.training.learning_rate, found.model.hidden_size) == (0.001235, 64)
    assert found.model.embedding_size == recipe().model.embedding_size
