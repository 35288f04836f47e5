"""What was in force on a day, as known on a day: the state, its macros, and the engine's inputs."""
