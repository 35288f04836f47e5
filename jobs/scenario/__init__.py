"""What if: a file of suppositions, scored beside the facts as they are. Stored facts are never touched."""
