import { CfnCondition, Fn, Stack, Token, aws_iam as iam } from 'aws-cdk-lib';
import access from '../../access.json';
import { Parameters } from './parameters';
import { Storage } from './storage';

type Scope = keyof typeof access.scopes;

/** Roles, each with the least that its holder needs. */
export class Access {
  readonly functionRole: iam.Role;
  readonly batchRole: iam.Role;
  private readonly scopes: Map<Scope, CfnCondition>;

  constructor(private readonly stack: Stack, parameters: Parameters, private readonly storage: Storage) {
    const names = Object.keys(access.scopes) as Scope[];
    this.scopes = new Map(names.slice(1).map((scope) => [
      scope,
      parameters.when(`IsScope${scope[0].toUpperCase()}${scope.slice(1)}`, Fn.conditionEquals(parameters.profileScope, scope)),
    ]));
    this.functionRole = this.role('FunctionRole', 'function', new iam.ServicePrincipal('lambda.amazonaws.com'));
    this.functionRole.attachInlinePolicy(new iam.Policy(stack, 'FunctionPolicy', {
      policyName: 'function',
      statements: [...this.models('InvokeStreams', ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream', 'bedrock:CountTokens']), ...this.storing(), ...this.telling()],
    }));
    const secret = new iam.Policy(stack, 'SecretPolicy', {
      policyName: 'anthropic-secret',
      roles: [this.functionRole],
      statements: [allow('ReadAnthropicKey', ['secretsmanager:GetSecretValue'], [parameters.anthropicSecretArn.valueAsString])],
    });
    (secret.node.defaultChild as iam.CfnPolicy).cfnOptions.condition = parameters.hasAnthropicSecret;
    this.batchRole = this.batch();
  }

  private role(id: string, name: string, assumedBy: iam.IPrincipal): iam.Role {
    return new iam.Role(this.stack, id, { roleName: Fn.sub(`claude-code-${name}-\${AWS::Region}`), assumedBy });
  }

  /** The models that the tiers choose, in every region that their profiles send to. */
  private models(sid: string, actions: string[]): iam.PolicyStatement[] {
    return [
      allow(sid, actions, this.byScope((scope) => {
        const { models, regions } = access.scopes[scope];
        return models.flatMap((model) => [profile(scope, model), ...regions.map((region) => foundation(region, model))]);
      })),
      allow('FindProfiles', ['bedrock:GetInferenceProfile'], this.byScope((scope) => access.scopes[scope].models.map((model) => profile(scope, model)))),
    ];
  }

  /** A list of the scope that the stack is told, the first scope's where none else is. */
  private byScope(list: (scope: Scope) => string[]): string[] {
    const [first] = Object.keys(access.scopes) as Scope[];
    const chosen = [...this.scopes].reduceRight<unknown>(
      (otherwise, [scope, condition]) => Fn.conditionIf(condition.logicalId, list(scope), otherwise),
      list(first),
    );
    return Token.asList(chosen);
  }

  private storing(): iam.PolicyStatement[] {
    const { results, state, services, resultsBucket, servicesBucket } = this.storage;
    return [
      allow('Results', ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], [results.tableArn]),
      allow('ListResults', ['dynamodb:Query'], [`${results.tableArn}/index/language-index`]),
      allow('State', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], [state.tableArn]),
      allow('Services', ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:Query'], [services.tableArn]),
      allow('ResultFiles', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion'], [
        resultsBucket.arnForObjects('generated-code/*'),
        resultsBucket.arnForObjects('cache/*'),
      ]),
      allow('ListResultFiles', ['s3:ListBucket', 's3:ListBucketVersions'], [resultsBucket.bucketArn]),
      allow('ServiceFiles', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion'], [servicesBucket.arnForObjects('*')]),
      allow('ListServiceFiles', ['s3:ListBucket', 's3:ListBucketVersions'], [servicesBucket.bucketArn]),
    ];
  }

  private telling(): iam.PolicyStatement[] {
    const log = Fn.sub('arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/claude-code:*');
    const jobs = Fn.sub('arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:claude-code-jobs');
    return [
      allow('Jobs', ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'], [jobs]),
      allow('Log', ['logs:CreateLogStream', 'logs:PutLogEvents'], [log]),
      // X-Ray takes no resource for these.
      allow('Trace', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:PutSpans'], ['*']),
    ];
  }

  /** What Bedrock takes on while it runs a batch, and a policy for those who submit one. */
  private batch(): iam.Role {
    const { resultsBucket } = this.storage;
    const jobs = Fn.sub('arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:model-invocation-job/*');
    const role = this.role('BatchRole', 'batch', new iam.ServicePrincipal('bedrock.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': this.stack.account }, ArnEquals: { 'aws:SourceArn': jobs } },
    }));
    const files = resultsBucket.arnForObjects('batch/*');
    const own = { StringEquals: { 'aws:ResourceAccount': this.stack.account } };
    role.attachInlinePolicy(new iam.Policy(this.stack, 'BatchPolicy', {
      policyName: 'batch',
      statements: [
        this.models('InvokeModels', ['bedrock:InvokeModel'])[0],
        allow('BatchFiles', ['s3:GetObject', 's3:PutObject'], [files], own),
        allow('ListBatchFiles', ['s3:ListBucket'], [resultsBucket.bucketArn], { StringLike: { 's3:prefix': 'batch/*' }, ...own }),
      ],
    }));
    new iam.ManagedPolicy(this.stack, 'BatchSubmitterPolicy', {
      managedPolicyName: Fn.sub('claude-code-batch-submitter-${AWS::Region}'),
      description: 'What a caller needs to submit, watch and stop batches on the batch role.',
      statements: [
        allow('SubmitBatches', ['bedrock:CreateModelInvocationJob'], this.models('InvokeModels', [])[0].resources),
        allow('Batches', ['bedrock:CreateModelInvocationJob', 'bedrock:GetModelInvocationJob', 'bedrock:StopModelInvocationJob'], [jobs]),
        // Listing takes no resource.
        allow('ListBatches', ['bedrock:ListModelInvocationJobs'], ['*']),
        allow('PassBatchRole', ['iam:PassRole'], [role.roleArn], { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } }),
        allow('BatchFiles', ['s3:GetObject', 's3:PutObject'], [files]),
        allow('ListBatchFiles', ['s3:ListBucket'], [resultsBucket.bucketArn], { StringLike: { 's3:prefix': 'batch/*' } }),
      ],
    });
    return role;
  }
}

function allow(sid: string, actions: string[], resources: string[], conditions?: Record<string, unknown>): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources, conditions });
}

function profile(scope: string, model: string): string {
  return Fn.sub(`arn:\${AWS::Partition}:bedrock:\${AWS::Region}:\${AWS::AccountId}:inference-profile/${scope}.${model}`);
}

function foundation(region: string, model: string): string {
  return Fn.sub(`arn:\${AWS::Partition}:bedrock:${region.replace('${region}', '${AWS::Region}')}::foundation-model/${model}`);
}
