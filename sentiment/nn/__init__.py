"""The network, from token ids to logits."""

import os
from functools import partial

import torch

# OpenMP's other threads stay in the parent: a forked child would wait for them forever.
os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))
