"""The life of a boosted model: trained daily, validated, promoted if it is no worse, loaded, and left when stale."""
