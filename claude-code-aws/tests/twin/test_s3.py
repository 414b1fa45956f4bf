"""What else of S3 and DynamoDB the twin has, read by boto3."""

import re
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


@pytest.fixture
def s3(environment):
    return boto3.client("s3")


@pytest.fixture
def bucket(s3, request):
    name = request.node.name.replace("_", "-")[:60].strip("-")
    s3.create_bucket(Bucket=name)
    return name


def body(s3, bucket, key, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"one", Metadata={"id": "1"}, ContentType="text/x")
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    kept = s3.head_object(Bucket=bucket, Key="b")
    assert (kept["Metadata"], kept["ContentType"]) == ({"id": "1"}, "text/x")
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"id": "2"}}
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", **replaced)
    assert s3.head_object(Bucket=bucket, Key="c")["Metadata"] == {"id": "2"}
    assert body(s3, bucket, "b") == body(s3, bucket, "c") == b"one"


def test_batch_delete(s3, bucket):
    for n in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{n}", Body=b"x")
    keys = [{"Key": key} for key in ["k0", "k2", "never there"]]
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert {deleted["Key"] for deleted in done["Deleted"]} == {"k0", "k2", "never there"} and "Errors" not in done
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k1", "k3", "k4"]
    assert bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_tagging(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=one")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "team", "Value": "one"}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b c"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b c"}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_versioning(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"two")
    s3.delete_object(Bucket=bucket, Key="k")
    with pytest.raises(s3.exceptions.NoSuchKey):
        body(s3, bucket, "k")
    assert body(s3, bucket, "k", VersionId=first) == b"one"
    listed = s3.list_object_versions(Bucket=bucket)
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (2, 1)


def test_conditions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfNoneMatch="*")


def test_presigned_urls_put_and_get(s3, bucket):
    # Version 4: the older one signs a content type that urllib adds.
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(put, data=b"from a url", method="PUT")).read()
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    assert urllib.request.urlopen(get).read() == b"from a url"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(get[:-3] + "000")


def test_uploads_that_were_begun_are_listed_in_pages(s3, bucket):
    begun = []
    for key in ["a/1", "a/2", "b", "b", "c"]:
        begun.append((key, s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]))
    whole = s3.list_multipart_uploads(Bucket=bucket)
    assert [(upload["Key"], upload["UploadId"]) for upload in whole["Uploads"]] == begun
    assert whole["IsTruncated"] is False and whole["Uploads"][0]["Initiated"]

    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    paged = [page.get("Uploads", []) for page in pages]
    assert [len(page) for page in paged] == [2, 2, 1]
    assert [(upload["Key"], upload["UploadId"]) for page in paged for upload in page] == begun

    below = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [group["Prefix"] for group in below["CommonPrefixes"]] == ["a/"]
    assert [upload["Key"] for upload in below["Uploads"]] == ["b", "b", "c"]
    assert len(s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]) == 2

    for key, upload in begun:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_multipart_uploads(Bucket="no-such-bucket-here")


def test_tables_are_made_listed_described_and_deleted(environment):
    dynamodb = boto3.client("dynamodb")
    key = {"AttributeName": "id", "AttributeType": "S"}
    dynamodb.create_table(
        TableName="mine",
        AttributeDefinitions=[key],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName="mine", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    assert "mine" in dynamodb.list_tables()["TableNames"]
    first = dynamodb.list_tables(Limit=1)
    rest = dynamodb.list_tables(ExclusiveStartTableName=first["LastEvaluatedTableName"])
    assert set(first["TableNames"] + rest["TableNames"]) == set(dynamodb.list_tables()["TableNames"])
    items = [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(25)]
    assert dynamodb.batch_write_item(RequestItems={"mine": items})["UnprocessedItems"] == {}
    assert dynamodb.scan(TableName="mine")["Count"] == 25
    dynamodb.delete_table(TableName="mine")
    assert "mine" not in dynamodb.list_tables()["TableNames"]


def test_keys_that_the_twin_does_not_know_are_taken_unless_signatures_are_verified(scripted, environment, tmp_path):
    def client(twin, **more):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client("s3", endpoint_url=twin.env["AWS_ENDPOINT_URL_S3"], **keys, **more)

    twin = scripted()
    s3, key = client(twin), "a/ä +b.py"
    s3.create_bucket(Bucket="any")
    s3.put_object(Bucket="any", Key=key, Body=b"print(1)", Metadata={"id": "7"}, ContentType="text/x-python")
    got = s3.get_object(Bucket="any", Key=key)
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"print(1)", {"id": "7"}, "text/x-python")
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="any", Prefix="a/ä +")["Contents"]] == [key]
    (tmp_path / "source").write_bytes(bytes(range(256)) * 50_000)
    s3.upload_file(str(tmp_path / "source"), "any", "big")
    assert s3.head_object(Bucket="any", Key="big")["ContentLength"] == 12_800_000
    for version in ["s3v4", "s3"]:
        params = {"Bucket": "any", "Key": key, "ResponseContentType": "text/plain; charset=utf-8"}
        signer = client(twin, config=Config(signature_version=version))
        url = signer.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
        with urllib.request.urlopen(url) as answer:
            assert (answer.read(), answer.headers["content-type"]) == (b"print(1)", "text/plain; charset=utf-8"), version
        # Its key is one that nobody verifies: the same URL, made long ago.
        ended = re.sub(r"\d{8}T\d{6}Z", "20260101T000000Z", re.sub(r"%2F\d{8}%2F", "%2F20260101%2F", url))
        ended = re.sub(r"\bExpires=\d{9,}", "Expires=1767225600", ended)
        assert ended != url
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(ended)
        assert refused.value.code == 403, version
    twin.close()
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client(scripted(args=("--verify-signatures",))).list_buckets()
