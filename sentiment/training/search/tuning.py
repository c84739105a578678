"""Search for better settings of a recipe with a tree-structured Parzen estimator (Bergstra et al. 2011).

The study is a database in its folder, and a trial's training has a checkpoint beside it. Killed at any moment, the same
search resumes in the middle of the trial and makes the same trials: the next trial depends only on the seed and
the finished trials.
"""

import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from sentiment.errors import CheckpointError, ConfigError, TrainingDivergedError
from sentiment.training.data.splits import Data
from sentiment.training.events import Start
from sentiment.training.loop import Progress
from sentiment.training.recipe import Recipe
from sentiment.training.resume.checkpoint import Checkpoint, check_fingerprint
from sentiment.training.resume.fingerprint import training_fingerprint
from sentiment.training.search.search_space import Values, apply_values, build_search_space, initial_values
from sentiment.training.trainer import train

DATABASE = "study.db"
STUDY = "sentiment"
FINGERPRINT_KEY = "identity"
DIVERGED = "diverged"
DTYPE = "dtype"  # of all trials, as the first one chose it
FREE_TRIALS = 5  # before trials are stopped whose dev score after an epoch is below the median of those before

Outcome = Literal["done", "stopped early", "diverged"]


@dataclass(frozen=True)
class Trial:
    """One training of the search, when it has ended."""

    number: int  # from 1
    values: Values
    outcome: Outcome
    dev_score: float | None  # the best epoch's; none where it diverged before there was one


@dataclass(frozen=True)
class TrialProgress:
    """The progress of a trial's training."""

    number: int  # from 1
    trials: int
    training: Progress


class _StoppedEarlyError(Exception):
    """The trial was stopped early."""


class Search:
    """A study in a folder, new or resumed.

    Raises CheckpointError for a study of other data, settings or software, unless it is to `restart`, and for a folder
    that can't be written; ConfigError where the folder is a file.
    """

    def __init__(self, recipe: Recipe, data: Data, folder: Path, *, restart: bool = False) -> None:
        self.folder = folder
        self._recipe, self._data = recipe, data
        self._space = build_search_space(recipe)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"--out {folder} is a file; a study is a folder")
        try:
            if restart:
                self._empty()
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"no study can be written to {folder}: {error.strerror}; choose another --out"
            ) from None
        self._study = self._open(self._fingerprint())

    @property
    def study(self) -> optuna.Study:
        """Return Optuna's own study, for its plots."""
        return self._study

    @property
    def trials(self) -> list[Trial]:
        """Return the trials that have ended, in order."""
        return [_trial(number, frozen) for number, frozen in enumerate(self._finished_trials(), start=1)]

    @property
    def best(self) -> Trial:
        """Return the one with the best dev score. Raises ConfigError if none came to its end."""
        done = [trial for trial in self.trials if trial.outcome == "done"]
        if not done:
            raise ConfigError(f"no trial of {self.folder} finished, so there is no best one; raise --trials")
        return max(done, key=lambda trial: (trial.dev_score, -trial.number))

    def recipe_of(self, trial: Trial) -> Recipe:
        """Return the recipe that the trial trained."""
        return self._in_dtype(apply_values(self._recipe, trial.values))

    def run(
        self,
        trials: int,
        report: Callable[[TrialProgress], None],
        on_trial: Callable[[Trial], None] = lambda trial: None,
    ) -> None:
        """Train until so many trials have ended, those of earlier runs counted; report each that ends."""
        while len(self._finished_trials()) < trials:
            self._next(lambda number, progress: report(TrialProgress(number, trials, progress)))
            on_trial(self.trials[-1])

    def _open(self, fingerprint: Mapping[str, str]) -> optuna.Study:
        path = self.folder / DATABASE
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                study = optuna.create_study(
                    storage=f"sqlite:///{path}",
                    study_name=STUDY,
                    direction="maximize",
                    load_if_exists=True,
                    pruner=optuna.pruners.MedianPruner(n_startup_trials=FREE_TRIALS),
                )
                saved = study.user_attrs.get(FINGERPRINT_KEY)
                if saved is None:
                    study.set_user_attr(FINGERPRINT_KEY, dict(fingerprint))
                    study.enqueue_trial(initial_values(self._recipe))  # so that the best is never worse than the start
        except Exception as error:  # sqlite's, SQLAlchemy's and Optuna's own have no common parent
            reason = str(error).splitlines()[0]
            raise CheckpointError(f"study {path} can't be used: {reason}; start again with --restart") from None
        if saved is not None:
            check_fingerprint(self.folder, saved, fingerprint)
        return study

    def _fingerprint(self) -> dict[str, str]:
        searched = {f"search of {name}": repr(distribution) for name, distribution in self._space.items()}
        return training_fingerprint(self._recipe, self._data) | searched

    def _finished_trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def _next(self, report: Callable[[int, Progress], None]) -> None:
        number = len(self._finished_trials()) + 1
        trial = self._running_trial()
        if trial is None:
            self._study.sampler = optuna.samplers.TPESampler(seed=(self._recipe.training.seed + number) % 2**32)
            trial = self._study.ask(self._space)
        reported = self._study.get_trials(deepcopy=False)[trial.number].intermediate_values

        def report_score(epoch: int, score: float) -> None:
            if epoch not in reported:
                trial.report(score, epoch)
            if trial.should_prune():
                raise _StoppedEarlyError

        def on_progress(progress: Progress) -> None:
            report(number, progress)
            if progress.dev_score is not None:
                report_score(progress.epoch, progress.dev_score)

        folder = self.folder / f"trial-{number:04}.checkpoint"
        for other in self.folder.glob("trial-*.checkpoint"):
            if other != folder:
                shutil.rmtree(other)
        recipe = apply_values(self._recipe, trial.params)
        with Checkpoint(folder, training_fingerprint(recipe, self._data)) as checkpoint:
            try:
                for epoch, score in enumerate(checkpoint.saved.numbers["dev_scores"] if checkpoint.saved else (), 1):
                    report_score(epoch, score)
                bundle = train(self._in_dtype(recipe), self._data, on_progress, checkpoint, on_start=self._save_dtype)
                self._study.tell(trial, bundle.metrics["training"]["dev_score"])
            except _StoppedEarlyError:
                self._study.tell(trial, state=TrialState.PRUNED)
            except TrainingDivergedError:
                trial.set_user_attr(DIVERGED, True)
                self._study.tell(trial, state=TrialState.PRUNED)
            checkpoint.remove()  # after the database knows: a kill in between costs nothing

    def _save_dtype(self, start: Start) -> None:
        self._study.set_user_attr(DTYPE, start.dtype)

    def _in_dtype(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the number format that the first trial chose: one a study, so that trials compare."""
        dtype = self._study.user_attrs.get(DTYPE, recipe.training.dtype)
        return recipe.model_copy(update={"training": recipe.training.model_copy(update={"dtype": dtype})})

    def _running_trial(self) -> optuna.Trial | None:
        """Return the trial that a killed search was in, with the values that it was given."""
        for frozen in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if frozen.params.keys() == self._space.keys():
                return optuna.Trial(self._study, frozen._trial_id)
            self._study.tell(frozen.number, state=TrialState.FAIL)  # killed before it had them all
        return None

    def _empty(self) -> None:
        (self.folder / DATABASE).unlink(missing_ok=True)
        for checkpoint in self.folder.glob("trial-*.checkpoint"):
            shutil.rmtree(checkpoint)


def _trial(number: int, frozen: FrozenTrial) -> Trial:
    values = dict(sorted(frozen.params.items()))
    if frozen.user_attrs.get(DIVERGED):
        return Trial(number, values, "diverged", None)
    if frozen.state is TrialState.COMPLETE:
        return Trial(number, values, "done", frozen.value)
    return Trial(number, values, "stopped early", max(frozen.intermediate_values.values()))
