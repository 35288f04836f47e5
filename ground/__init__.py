"""What engine, warehouse and jobs share. It imports nothing else of the project."""
