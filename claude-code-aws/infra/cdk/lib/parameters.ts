import { CfnCondition, CfnParameter, Fn, Stack } from 'aws-cdk-lib';

/** What a deployment may be told, and the conditions that follow from it. */
export class Parameters {
  readonly codeBucket: CfnParameter;
  readonly codeKey: CfnParameter;
  readonly runtime: CfnParameter;
  readonly profileScope: CfnParameter;
  readonly apiKeys: CfnParameter;
  readonly allowedOrigins: CfnParameter;
  readonly serviceBucketName: CfnParameter;
  readonly reservedConcurrency: CfnParameter;
  readonly maxUsdPerDay: CfnParameter;
  readonly monthlyBudgetUsd: CfnParameter;
  readonly alarmEmail: CfnParameter;
  readonly anthropicSecretArn: CfnParameter;
  readonly gatewayLogging: CfnParameter;
  readonly transactionSearch: CfnParameter;
  readonly invocationLogging: CfnParameter;
  readonly page: CfnParameter;

  readonly isRust: CfnCondition;
  readonly hasApiKeys: CfnCondition;
  readonly hasReservation: CfnCondition;
  readonly hasAlarmEmail: CfnCondition;
  readonly hasAnthropicSecret: CfnCondition;
  readonly createsGatewayLogRole: CfnCondition;
  readonly hasTransactionSearch: CfnCondition;
  readonly hasInvocationLogging: CfnCondition;
  readonly hasPage: CfnCondition;

  constructor(private readonly stack: Stack) {
    this.codeBucket = this.text('CodeBucket', 'The bucket that holds the function\'s zip. deploy.sh makes one.');
    this.codeKey = this.text('CodeKey', 'The key of the function\'s zip in CodeBucket.');
    this.runtime = this.choice('Runtime', ['rust', 'python3.11'], 'rust: arm64, answers are streamed. python3.11: x86_64, buffered.');
    this.profileScope = this.choice('ProfileScope', ['global', 'us', 'eu', 'jp', 'au', 'in'], 'The geography of the inference profiles. global may leave the region.');
    this.apiKeys = this.choice('ApiKeys', ['off', 'on'], 'on: callers send x-api-key. off: callers sign requests with AWS credentials (IAM).');
    this.allowedOrigins = this.text('AllowedOrigins', 'Origins of pages that browsers may call from, separated by commas.', '');
    this.serviceBucketName = this.text('ServiceBucketName', 'The bucket of the service creator. Bucket names are global: another one where this is taken.', 'cloudservicecreator-code');
    this.reservedConcurrency = this.number('ReservedConcurrency', 'Invocations at the same time at most; 0: no reservation.', 20, 0);
    this.maxUsdPerDay = this.number('MaxUsdPerDay', 'The function refuses generations beyond this many dollars a day (UTC).', 10, 1);
    this.monthlyBudgetUsd = this.number('MonthlyBudgetUsd', 'AWS Budgets tells at 80 % of this many dollars a month, over the whole account.', 100, 1);
    this.alarmEmail = this.text('AlarmEmail', 'Who is told of alarms and of the budget; empty: nobody.', '');
    this.anthropicSecretArn = this.text('AnthropicSecretArn', 'A secret with an Anthropic API key; empty: Amazon Bedrock answers.', '');
    this.gatewayLogging = this.choice('GatewayLogging', ['create', 'existing'], 'API Gateway\'s logging role is one per account and region: existing keeps the one that is set.');
    this.transactionSearch = this.choice('TransactionSearch', ['off', 'on'], 'on: X-Ray Transaction Search for the whole account and region.');
    this.invocationLogging = this.choice('InvocationLogging', ['off', 'on'], 'on: log group and role for Bedrock\'s model invocation logging, which deploy.sh switches on without texts.');
    this.page = this.choice('Page', ['off', 'on'], 'on: an Amplify app for the service creator\'s page; deploy.sh uploads it.');

    this.isRust = this.when('IsRust', Fn.conditionEquals(this.runtime, 'rust'));
    this.hasApiKeys = this.isOn('HasApiKeys', this.apiKeys);
    this.hasReservation = this.when('HasReservation', Fn.conditionNot(Fn.conditionEquals(this.reservedConcurrency, 0)));
    this.hasAlarmEmail = this.isGiven('HasAlarmEmail', this.alarmEmail);
    this.hasAnthropicSecret = this.isGiven('HasAnthropicSecret', this.anthropicSecretArn);
    this.createsGatewayLogRole = this.when('CreatesGatewayLogRole', Fn.conditionEquals(this.gatewayLogging, 'create'));
    this.hasTransactionSearch = this.isOn('HasTransactionSearch', this.transactionSearch);
    this.hasInvocationLogging = this.isOn('HasInvocationLogging', this.invocationLogging);
    this.hasPage = this.isOn('HasPage', this.page);
  }

  /** A condition on one of the parameters. */
  when(id: string, expression: ReturnType<typeof Fn.conditionEquals>): CfnCondition {
    return new CfnCondition(this.stack, id, { expression });
  }

  private text(id: string, description: string, otherwise?: string): CfnParameter {
    return new CfnParameter(this.stack, id, { type: 'String', description, default: otherwise });
  }

  private number(id: string, description: string, otherwise: number, minValue: number): CfnParameter {
    return new CfnParameter(this.stack, id, { type: 'Number', description, default: otherwise, minValue });
  }

  private choice(id: string, allowedValues: string[], description: string): CfnParameter {
    return new CfnParameter(this.stack, id, { type: 'String', description, allowedValues, default: allowedValues[0] });
  }

  private isOn(id: string, parameter: CfnParameter): CfnCondition {
    return this.when(id, Fn.conditionEquals(parameter, 'on'));
  }

  private isGiven(id: string, parameter: CfnParameter): CfnCondition {
    return this.when(id, Fn.conditionNot(Fn.conditionEquals(parameter, '')));
  }
}
