"""Facts bundles: read, validated, linked, hashed and compared."""
