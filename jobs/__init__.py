"""Curbline's jobs: the only floor that knows time, files and people."""
