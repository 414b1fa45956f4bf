"""Thirty faults for the template of the samples, each with the rule that must name it. Samples: no model wrote them."""

from __future__ import annotations

from pathlib import Path

SAMPLE = Path(__file__).parent / "samples" / "cloudformation_repair.md"
GOOD = SAMPLE.read_text().split("````yaml template.yaml\n")[1].split("````")[0]

FUNCTION = """  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: "def handler(event, context): return 1"
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: lambda.amazonaws.com
            Action: sts:AssumeRole
"""
DATABASE = """  Database:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Snapshot
    Properties:
      DBInstanceClass: db.t4g.micro
      Engine: postgres
      AllocatedStorage: "20"
      ManageMasterUserPassword: true
      MasterUsername: owner
      StorageEncrypted: true
      PubliclyAccessible: false
"""


def replaced(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


def added(resource: str, old: str = "", new: str = "") -> str:
    assert old in resource, old
    return GOOD.replace("\nOutputs:", resource.replace(old, new, 1) + "\nOutputs:", 1)


FAULTS: list[tuple[str, str]] = [
    ("public-bucket", replaced("BlockPublicAcls: true", "BlockPublicAcls: false")),
    ("public-bucket", replaced("        RestrictPublicBuckets: true\n", "")),
    (
        "public-bucket",
        replaced("      OwnershipControls:", "      AccessControl: PublicRead\n      OwnershipControls:"),
    ),
    ("bucket-encryption", replaced("SSEAlgorithm: AES256", "SSEAlgorithm: none")),
    ("bucket-versioning", replaced("Status: Enabled", "Status: Suspended")),
    ("table-encryption", replaced("SSEEnabled: true", "SSEEnabled: false")),
    ("table-recovery", replaced("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false")),
    ("queue-encryption", replaced("      SqsManagedSseEnabled: true\n", "")),
    ("star-action", replaced("Action: s3:GetObject", "Action: s3:*")),
    ("star-action", replaced("Action: s3:GetObject", 'Action: "*"')),
    ("star-resource", replaced("Resource: !GetAtt Metadata.Arn", 'Resource: "*"')),
    ("not-action", replaced("Action: s3:GetObject", "NotAction: s3:DeleteObject")),
    (
        "public-principal",
        replaced(
            "          - Sid: OnlyTls\n",
            '          - Effect: Allow\n            Principal: "*"\n            Action: s3:GetObject\n'
            '            Resource: !Sub "${Uploads.Arn}/*"\n          - Sid: OnlyTls\n',
        ),
    ),
    ("unknown-property", replaced("BillingMode: PAY_PER_REQUEST", "BillingMod: PAY_PER_REQUEST")),
    ("wrong-type", replaced("MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: two weeks")),
    ("wrong-type", replaced("SqsManagedSseEnabled: true", "SqsManagedSseEnabled: always")),
    (
        "key-attribute",
        replaced(
            "        - AttributeName: id\n          KeyType: HASH",
            "        - AttributeName: key\n          KeyType: HASH",
        ),
    ),
    (
        "cycle",
        replaced(
            "    UpdateReplacePolicy: Delete\n    DeletionPolicy: Delete\n",
            "    DependsOn: WorkerPolicy\n    UpdateReplacePolicy: Delete\n    DeletionPolicy: Delete\n",
        ),
    ),
    ("kept-data", replaced("    DeletionPolicy: RetainExceptOnCreate\n", "    DeletionPolicy: Delete\n")),
    ("required-property", added(FUNCTION, "      Role: !GetAtt Role.Arn\n")),
    (
        "reserved-variable",
        added(
            FUNCTION,
            "      Handler:",
            "      Environment:\n        Variables:\n          AWS_REGION: us-east-1\n      Handler:",
        ),
    ),
    (
        "plain-secret",
        added(
            FUNCTION,
            "      Handler:",
            "      Environment:\n        Variables:\n          DB_PASSWORD: hunter2\n      Handler:",
        ),
    ),
    ("old-runtime", added(FUNCTION, "python3.13", "python3.7")),
    (
        "broad-policy",
        added(
            FUNCTION,
            "      AssumeRolePolicyDocument:",
            "      ManagedPolicyArns:\n"
            "        - arn:aws:iam::aws:policy/AdministratorAccess\n      AssumeRolePolicyDocument:",
        ),
    ),
    (
        "fixed-account",
        added(FUNCTION, "      Role: !GetAtt Role.Arn", "      Role: arn:aws:iam::123456789012:role/worker"),
    ),
    (
        "log-retention",
        added("  Log:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupClass: STANDARD\n"),
    ),
    (
        "open-ingress",
        added(
            "  Group:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: shell\n"
            "      SecurityGroupIngress:\n        - IpProtocol: tcp\n"
            "          FromPort: 22\n          ToPort: 22\n          CidrIp: 0.0.0.0/0\n"
        ),
    ),
    ("public-database", added(DATABASE, "PubliclyAccessible: false", "PubliclyAccessible: true")),
    ("database-encryption", added(DATABASE, "StorageEncrypted: true", "StorageEncrypted: false")),
    (
        "open-url",
        added(
            FUNCTION
            + "  Url:\n    Type: AWS::Lambda::Url\n    Properties:\n"
            + "      TargetFunctionArn: !Ref Worker\n      AuthType: NONE\n"
        ),
    ),
]
