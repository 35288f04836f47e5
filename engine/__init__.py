"""The engine: frames and rule text in, frames and problems out. No file, clock, network or database."""
