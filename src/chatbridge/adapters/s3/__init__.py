"""Blobs in a bucket of an S3-compatible server: an extra, `chatbridge-server[s3]`."""
