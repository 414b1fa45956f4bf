import { CfnResource, Duration, Fn, RemovalPolicy, Stack, Token, aws_iam as iam, aws_lambda as lambda, aws_logs as logs, aws_sqs as sqs } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { Access } from './access';
import { Parameters } from './parameters';
import { Storage } from './storage';

const FUNCTION = 'claude-code';
const TIMEOUT = Duration.seconds(300);

/** The function behind the API and the queue of its jobs. */
export class Service {
  readonly function: lambda.Function;
  readonly alias: lambda.Alias;
  readonly jobs: sqs.Queue;
  readonly environment: Record<string, unknown>;

  constructor(private readonly stack: Stack, private readonly parameters: Parameters, storage: Storage, access: Access) {
    this.jobs = this.queues(access.functionRole);
    this.environment = this.settings(storage);
    this.function = this.build(access.functionRole);
    this.alias = this.live();
    new lambda.CfnEventSourceMapping(stack, 'JobsToFunction', {
      eventSourceArn: this.jobs.queueArn,
      functionName: this.alias.functionArn,
      batchSize: 1,
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency: 5 },
    });
  }

  private queues(worker: iam.Role): sqs.Queue {
    const dead = new sqs.Queue(this.stack, 'DeadJobs', {
      queueName: 'claude-code-jobs-dead',
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const jobs = new sqs.Queue(this.stack, 'Jobs', {
      queueName: 'claude-code-jobs',
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // Six times the function's own timeout, as Lambda advises.
      visibilityTimeout: Duration.seconds(TIMEOUT.toSeconds() * 6),
      deadLetterQueue: { queue: dead, maxReceiveCount: 3 },
    });
    // A message says whose job is begun: nobody but the function may write one.
    jobs.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'OnlyTheFunctionWrites',
      effect: iam.Effect.DENY,
      principals: [new iam.AnyPrincipal()],
      actions: ['sqs:SendMessage'],
      resources: [jobs.queueArn],
      conditions: { ArnNotEquals: { 'aws:PrincipalArn': worker.roleArn } },
    }));
    return jobs;
  }

  /** The function's environment: names of claude-code-aws's settings, none of them secret. */
  private settings(storage: Storage): Record<string, unknown> {
    const { isRust, hasAnthropicSecret, profileScope, maxUsdPerDay, anthropicSecretArn } = this.parameters;
    const withSecret = (value: unknown) => Fn.conditionIf(hasAnthropicSecret.logicalId, value, Fn.ref('AWS::NoValue'));
    return prefixed({
      TABLE_NAME: storage.results.tableName,
      BUCKET_NAME: storage.resultsBucket.bucketName,
      STATE_TABLE: storage.state.tableName,
      SERVICE_TABLE: storage.services.tableName,
      SERVICE_BUCKET: storage.servicesBucket.bucketName,
      JOBS_QUEUE_URL: this.jobs.queueUrl,
      PROFILE_SCOPE: profileScope.valueAsString,
      MAX_USD_PER_DAY: maxUsdPerDay.valueAsString,
      RESPONSE_STREAMING: Fn.conditionIf(isRust.logicalId, '1', '0'),
      PROVIDER: Fn.conditionIf(hasAnthropicSecret.logicalId, 'anthropic', 'bedrock'),
      ANTHROPIC_SECRET_ARN: withSecret(anthropicSecretArn.valueAsString),
    });
  }

  private build(role: iam.Role): lambda.Function {
    const { isRust, hasReservation, reservedConcurrency, codeBucket, codeKey } = this.parameters;
    const logGroup = new logs.LogGroup(this.stack, 'FunctionLog', {
      logGroupName: `/aws/lambda/${FUNCTION}`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const built = new lambda.Function(this.stack, 'Function', {
      functionName: FUNCTION,
      description: 'Code generation with Claude: the HTTP API and its jobs.',
      role: iam.Role.fromRoleArn(this.stack, 'Holder', role.roleArn, { mutable: false }),
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.ARM_64,
      handler: 'bootstrap',
      code: lambda.Code.fromCfnParameters({ bucketNameParam: codeBucket, objectKeyParam: codeKey }),
      memorySize: 512,
      timeout: TIMEOUT,
      tracing: lambda.Tracing.ACTIVE,
      logGroup,
    });
    const either = (rust: unknown, python: unknown) => Fn.conditionIf(isRust.logicalId, rust, python);
    const cfn = resource(built);
    cfn.addPropertyOverride('Runtime', either('provided.al2023', 'python3.11'));
    cfn.addPropertyOverride('Handler', either('bootstrap', 'claude_code.aws_lambda.handler'));
    cfn.addPropertyOverride('Architectures', [either('arm64', 'x86_64')]);
    cfn.addPropertyOverride('Environment.Variables', this.environment);
    cfn.addPropertyOverride('ReservedConcurrentExecutions', Fn.conditionIf(
      hasReservation.logicalId, reservedConcurrency.valueAsNumber, Fn.ref('AWS::NoValue'),
    ));
    // The role's policy first: the first invocation may come as soon as the function is there.
    cfn.addResourceDependency(resource(this.stack.node.findChild('FunctionPolicy')));
    return built;
  }

  /**
   * The alias that callers reach. Neither it nor the version that it begins with depends on a parameter: what
   * deploy.sh shifts afterwards, no update of the stack touches.
   */
  private live(): lambda.Alias {
    const first = new lambda.CfnVersion(this.stack, 'FirstVersion', { functionName: this.function.functionName });
    const alias = new lambda.Alias(this.stack, 'Live', {
      aliasName: 'live',
      version: lambda.Version.fromVersionArn(this.stack, 'First', first.ref),
    });
    resource(alias).addPropertyOverride('FunctionVersion', first.attrVersion);
    resource(alias).addPropertyOverride('FunctionName', this.function.functionName);
    return alias;
  }
}

/** The CloudFormation resource of a construct. */
export function resource(of: IConstruct): CfnResource {
  return of.node.defaultChild as CfnResource;
}

/** The settings' names in an environment. */
export function prefixed(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`CLAUDE_CODE_AWS_${name}`, Token.asAny(value)]));
}
