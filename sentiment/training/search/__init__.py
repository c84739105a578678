"""Search hyperparameters and compare encoders."""
