"""The network, from token ids to logits."""
