"""A server that speaks S3 (moto), with one bucket: tells its address, and ends when its input does."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
place = f"http://{host}:{port}"
keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=place, **keys).create_bucket(Bucket="bucket")
print(place, flush=True)
sys.stdin.read()
server.stop()
