"""Adapters of the DynamoDB tables, one per table; each lists its access patterns in the CloudFormation template."""
