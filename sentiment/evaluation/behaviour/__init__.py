"""Test a model's behaviour with suites of texts, as CheckList does (Ribeiro et al. 2020)."""

DEFAULT = "default"  # the name of the suite that comes with the package
