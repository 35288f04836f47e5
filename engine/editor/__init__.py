"""What a rule author's editor needs: JSON Schemas, and one layout for every rule file."""
