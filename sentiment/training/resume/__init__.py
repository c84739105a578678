"""Record a training's state so that a killed one resumes to identical weights."""
