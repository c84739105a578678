"""The network: it knows token ids and shapes, no files and no vocabulary."""

import os
from functools import partial

import torch

# The threads that OpenMP shares work with stay in the parent: a forked child would wait for them for ever.
os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))
