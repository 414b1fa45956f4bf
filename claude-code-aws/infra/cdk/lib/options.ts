import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnOutput, Fn, RemovalPolicy, Stack, aws_amplify as amplify, aws_iam as iam, aws_logs as logs, aws_xray as xray } from 'aws-cdk-lib';
import { Parameters } from './parameters';
import { resource } from './service';

/** What is there only for those who ask for it. */
export class Options {
  /** The origin of the page on Amplify. */
  readonly pageOrigin: string;

  constructor(private readonly stack: Stack, private readonly parameters: Parameters) {
    this.transactionSearch();
    this.invocationLogging();
    this.pageOrigin = this.page();
  }

  /** Spans go to a log group of X-Ray's, which must let X-Ray write. */
  private transactionSearch(): void {
    const policy = new logs.CfnResourcePolicy(this.stack, 'TransactionSearchPolicy', {
      policyName: 'claude-code-transaction-search',
      policyDocument: Fn.sub(JSON.stringify({
        Version: '2012-10-17',
        Statement: [{
          Sid: 'TransactionSearch',
          Effect: 'Allow',
          Principal: { Service: 'xray.amazonaws.com' },
          Action: 'logs:PutLogEvents',
          Resource: ['aws/spans', '/aws/application-signals/data'].map((group) => `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${group}:*`),
          Condition: {
            ArnLike: { 'aws:SourceArn': 'arn:${AWS::Partition}:xray:${AWS::Region}:${AWS::AccountId}:*' },
            StringEquals: { 'aws:SourceAccount': '${AWS::AccountId}' },
          },
        }],
      })),
    });
    const search = new xray.CfnTransactionSearchConfig(this.stack, 'TransactionSearchConfig', { indexingPercentage: 1 });
    search.addResourceDependency(policy);
    for (const optional of [policy, search]) optional.cfnOptions.condition = this.parameters.hasTransactionSearch;
  }

  /** CloudFormation has no resource for the setting itself: deploy.sh puts it. */
  private invocationLogging(): void {
    const group = new logs.LogGroup(this.stack, 'InvocationLog', {
      logGroupName: '/aws/bedrock/claude-code-invocations',
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const role = new iam.Role(this.stack, 'InvocationLogRole', {
      roleName: Fn.sub('claude-code-invocation-log-${AWS::Region}'),
      assumedBy: new iam.ServicePrincipal('bedrock.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': this.stack.account },
          ArnLike: { 'aws:SourceArn': Fn.sub('arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:*') },
        },
      }),
    });
    const policy = new iam.Policy(this.stack, 'InvocationLogPolicy', {
      policyName: 'invocation-log',
      roles: [role],
      statements: [new iam.PolicyStatement({
        sid: 'Log',
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [Fn.sub('arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/bedrock/claude-code-invocations:*')],
      })],
    });
    for (const optional of [group, role, policy]) resource(optional).cfnOptions.condition = this.parameters.hasInvocationLogging;
    const output = new CfnOutput(this.stack, 'InvocationLogRoleArn', { value: role.roleArn, description: 'For Bedrock\'s invocation logging.' });
    output.condition = this.parameters.hasInvocationLogging;
  }

  private page(): string {
    const app = new amplify.CfnApp(this.stack, 'PageApp', {
      name: 'claude-code',
      description: 'The service creator\'s page.',
      platform: 'WEB',
      customHeaders: readFileSync(join(process.cwd(), '../page-headers.yml'), 'utf8'),
    });
    const branch = new amplify.CfnBranch(this.stack, 'PageBranch', { appId: app.attrAppId, branchName: 'main', stage: 'PRODUCTION' });
    for (const optional of [app, branch]) optional.cfnOptions.condition = this.parameters.hasPage;
    const output = new CfnOutput(this.stack, 'PageAppId', { value: app.attrAppId, description: 'The Amplify app of the page.' });
    output.condition = this.parameters.hasPage;
    return Fn.join('', ['https://main.', app.attrDefaultDomain]);
  }
}
