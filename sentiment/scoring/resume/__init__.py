"""Record a job's progress so that a killed one resumes to identical files."""
