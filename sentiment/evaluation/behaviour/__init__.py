"""What a model must hold, as texts that say so: suites of tests in the spirit of CheckList (Ribeiro et al. 2020)."""

DEFAULT = "default"  # the name of the suite that comes with the package
