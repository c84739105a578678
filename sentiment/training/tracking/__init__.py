"""Report a training to TensorBoard and MLflow."""
