"""Care for the lake where the catalog does not care for it itself, as S3 Tables does: compaction, expiry, orphans."""
