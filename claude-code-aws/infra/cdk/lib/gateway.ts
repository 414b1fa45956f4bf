import { CfnOutput, Fn, RemovalPolicy, Stack, aws_apigateway as gateway, aws_iam as iam, aws_logs as logs } from 'aws-cdk-lib';
import { Parameters } from './parameters';
import { Service, resource } from './service';

/** What anybody may fetch: the page and its parts, the health check, the description of the API. */
const PUBLIC = ['app.js', 'style.css', 'health', 'openapi.json'];

/** The REST API in front of the function. */
export class Gateway {
  readonly api: gateway.RestApi;

  constructor(private readonly stack: Stack, private readonly parameters: Parameters, private readonly service: Service) {
    this.api = this.build();
    service.alias.addPermission('Gateway', {
      principal: new iam.ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn: this.api.arnForExecuteApi('*', '/*', '*'),
    });
    this.methods();
    this.refusals();
    this.plan();
    new CfnOutput(stack, 'Endpoint', { value: this.api.url, description: 'The address of the API and of its page.' });
  }

  private build(): gateway.RestApi {
    const log = new logs.LogGroup(this.stack, 'AccessLog', {
      logGroupName: '/aws/apigateway/claude-code',
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const account = this.account();
    const api = new gateway.RestApi(this.stack, 'Api', {
      restApiName: 'claude-code',
      description: 'Code generation with Claude.',
      endpointTypes: [gateway.EndpointType.REGIONAL],
      binaryMediaTypes: ['*/*'],
      cloudWatchRole: false,
      deployOptions: {
        stageName: 'prod',
        tracingEnabled: true,
        metricsEnabled: true,
        // Execution logs may hold prompts.
        loggingLevel: gateway.MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        throttlingRateLimit: 50,
        throttlingBurstLimit: 100,
        accessLogDestination: new gateway.LogGroupLogDestination(log),
        accessLogFormat: gateway.AccessLogFormat.custom(JSON.stringify({
          requestId: '$context.requestId',
          time: '$context.requestTime',
          method: '$context.httpMethod',
          path: '$context.resourcePath',
          status: '$context.status',
          bytes: '$context.responseLength',
          milliseconds: '$context.responseLatency',
          caller: '$context.identity.userArn',
          key: '$context.identity.apiKeyId',
          error: '$context.error.messageString',
        })),
      },
    });
    api.node.tryRemoveChild('Endpoint');
    // The stage comes after the logging role, where there is one: DependsOn takes no condition.
    resource(api.deploymentStage).addPropertyOverride('Description', Fn.conditionIf(
      this.parameters.createsGatewayLogRole.logicalId, Fn.select(0, ['The only stage.', account.ref]), 'The only stage.',
    ));
    return api;
  }

  /** API Gateway writes access logs by one role for the account and region. */
  private account(): gateway.CfnAccount {
    const role = new iam.Role(this.stack, 'GatewayLogRole', {
      roleName: Fn.sub('claude-code-gateway-log-${AWS::Region}'),
      assumedBy: new iam.ServicePrincipal('apigateway.amazonaws.com'),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs')],
    });
    const account = new gateway.CfnAccount(this.stack, 'GatewayAccount', { cloudWatchRoleArn: role.roleArn });
    for (const optional of [resource(role), account]) optional.cfnOptions.condition = this.parameters.createsGatewayLogRole;
    return account;
  }

  private methods(): void {
    const open = { authorizationType: gateway.AuthorizationType.NONE };
    const integration = this.integration();
    const proxy = this.api.root.addResource('{proxy+}');
    const added = [
      this.api.root.addMethod('GET', integration, open),
      ...PUBLIC.map((path) => this.api.root.addResource(path).addMethod('GET', integration, open)),
      // Browsers ask what they may send without saying who they are.
      proxy.addMethod('OPTIONS', integration, open),
    ];
    const signed = proxy.addMethod('ANY', integration, { authorizationType: gateway.AuthorizationType.IAM });
    const { hasApiKeys } = this.parameters;
    resource(signed).addPropertyOverride('AuthorizationType', Fn.conditionIf(hasApiKeys.logicalId, 'NONE', 'AWS_IAM'));
    resource(signed).addPropertyOverride('ApiKeyRequired', Fn.conditionIf(hasApiKeys.logicalId, true, false));
    for (const method of [...added, signed]) this.stream(method);
  }

  private integration(): gateway.Integration {
    return new gateway.Integration({
      type: gateway.IntegrationType.AWS_PROXY,
      integrationHttpMethod: 'POST',
      uri: this.uri('2021-11-15', 'response-streaming-invocations'),
    });
  }

  private uri(version: string, path: string): string {
    return Fn.sub(`arn:\${AWS::Partition}:apigateway:\${AWS::Region}:lambda:path/${version}/functions/\${alias}/${path}`, {
      alias: this.service.alias.functionArn,
    });
  }

  /** The function in Rust streams for as long as it may run; Python answers in one piece within the gateway's 29 seconds. */
  private stream(method: gateway.Method): void {
    const either = (rust: unknown, python: unknown) => Fn.conditionIf(this.parameters.isRust.logicalId, rust, python);
    const set = (name: string, value: unknown) => resource(method).addPropertyOverride(`Integration.${name}`, value);
    set('ResponseTransferMode', either('STREAM', 'BUFFERED'));
    set('TimeoutInMillis', either(300_000, 29_000));
    set('Uri', either(this.uri('2021-11-15', 'response-streaming-invocations'), this.uri('2015-03-31', 'invocations')));
  }

  /** The gateway's own refusals, readable for pages of other origins: else a browser tells them nothing. */
  private refusals(): void {
    for (const [id, type] of [['Refusals', gateway.ResponseType.DEFAULT_4XX], ['Failures', gateway.ResponseType.DEFAULT_5XX]] as const) {
      this.api.addGatewayResponse(id, { type, responseHeaders: { 'Access-Control-Allow-Origin': "'*'" } });
    }
  }

  private plan(): void {
    const plan = this.api.addUsagePlan('Plan', {
      name: 'claude-code',
      throttle: { rateLimit: 10, burstLimit: 20 },
      quota: { limit: 10_000, period: gateway.Period.DAY },
      apiStages: [{ api: this.api, stage: this.api.deploymentStage }],
    });
    const key = new gateway.CfnApiKey(this.stack, 'ApiKey', { name: 'claude-code', enabled: true });
    const link = new gateway.CfnUsagePlanKey(this.stack, 'PlanKey', { keyId: key.ref, keyType: 'API_KEY', usagePlanId: plan.usagePlanId });
    for (const optional of [key, link]) optional.cfnOptions.condition = this.parameters.hasApiKeys;
    const output = new CfnOutput(this.stack, 'ApiKeyId', { value: key.ref, description: 'aws apigateway get-api-key --include-value --api-key ID' });
    output.condition = this.parameters.hasApiKeys;
  }
}
