"""What is wrong with a CSV file or with what was said about it."""


class CsvFault(Exception):  # noqa: N818 - what a person reads, not what a caller handles
    """Something a person can put right in the file or an option; the message names it."""
