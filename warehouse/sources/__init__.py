"""Public data sets: where each is, on what terms, and how its file becomes rows of ours."""
