"""What a model must hold, as texts that say so: suites of tests in the spirit of CheckList (Ribeiro et al. 2020)."""
