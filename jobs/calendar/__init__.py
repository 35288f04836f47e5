"""The calendar of a published run: to read, as data, and as an iCalendar file."""
