"""Reading batches into the DynamoDB hot store and the Iceberg lake."""
