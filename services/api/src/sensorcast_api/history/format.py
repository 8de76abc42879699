"""What a file of the past can be."""

from enum import StrEnum


class Format(StrEnum):
    """What a file can be."""

    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"

    @property
    def media_type(self) -> str:
        """As registered with IANA."""
        return {
            "csv": "text/csv; charset=utf-8",
            "parquet": "application/vnd.apache.parquet",
            "arrow": "application/vnd.apache.arrow.stream",
        }[self.value]
