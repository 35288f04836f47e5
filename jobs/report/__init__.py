"""The report: one folder of static pages from a published file, readable from disk, without a server or scripts."""
