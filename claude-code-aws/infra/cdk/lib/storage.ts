import { Duration, Fn, RemovalPolicy, Stack, aws_dynamodb as dynamodb, aws_s3 as s3 } from 'aws-cdk-lib';
import { Parameters } from './parameters';

const TEXT = dynamodb.AttributeType.STRING;

/** Tables and buckets. They outlive the stack: deploy.sh takes them over again when it is run anew. */
export class Storage {
  readonly results: dynamodb.Table;
  readonly state: dynamodb.Table;
  readonly services: dynamodb.Table;
  readonly resultsBucket: s3.Bucket;
  readonly servicesBucket: s3.Bucket;

  constructor(private readonly stack: Stack, parameters: Parameters) {
    this.results = this.table('ResultsTable', 'claude-code-results', 'id');
    this.results.addGlobalSecondaryIndex({
      indexName: 'language-index',
      partitionKey: { name: 'language', type: TEXT },
      sortKey: { name: 'generated_at', type: TEXT },
      projectionType: dynamodb.ProjectionType.INCLUDE,
      nonKeyAttributes: ['scope', 'code_length', 's3_key', 'model', 'stop_reason', 'expires_at'],
    });
    this.state = this.table('StateTable', 'claude-code-state', 'pk', 'sk');
    this.services = this.table('ServicesTable', 'CloudServiceCreator', 'pk', 'sk');
    this.resultsBucket = this.bucket('ResultsBucket', Fn.sub('claude-code-workshop-${AWS::AccountId}'), [
      { id: 'results', prefix: 'generated-code/', expiration: Duration.days(90) },
      { id: 'cache', prefix: 'cache/', expiration: Duration.days(1), noncurrentVersionExpiration: Duration.days(1) },
      { id: 'batch', prefix: 'batch/', expiration: Duration.days(30) },
    ]);
    this.servicesBucket = this.bucket('ServicesBucket', parameters.serviceBucketName.valueAsString, []);
  }

  // Not TableV2: it renders a global table, which Terraform has no equal of.
  private table(id: string, tableName: string, partition: string, sort?: string): dynamodb.Table {
    return new dynamodb.Table(this.stack, id, {
      tableName,
      partitionKey: { name: partition, type: TEXT },
      sortKey: sort === undefined ? undefined : { name: sort, type: TEXT },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expires_at',
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }

  private bucket(id: string, bucketName: string, rules: s3.LifecycleRule[]): s3.Bucket {
    const bucket = new s3.Bucket(this.stack, id, {
      bucketName,
      versioned: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        {
          id: 'versions',
          noncurrentVersionExpiration: Duration.days(30),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          expiredObjectDeleteMarker: true,
        },
        ...rules,
      ],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    return bucket;
  }
}
