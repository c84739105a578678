"""Text to tokens to token ids: the steps before any tensor."""
