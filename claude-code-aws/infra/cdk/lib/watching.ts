import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fn, Stack, Token, aws_budgets as budgets, aws_cloudwatch as cloudwatch, aws_events as events, aws_iam as iam, aws_sns as sns } from 'aws-cdk-lib';
import alarms from '../../alarms.json';
import { Parameters } from './parameters';
import { resource } from './service';

const RULE = 'claude-code-batch-ended';

interface Metric {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  stat: string;
}

interface Alarm {
  description: string;
  expression: string;
  metrics: Record<string, Metric>;
  period: number;
  evaluationPeriods: number;
  threshold: number | string;
}

/** Who is told what: alarms, dashboard, budget, batches that failed. */
export class Watching {
  private readonly topic: sns.Topic;

  constructor(private readonly stack: Stack, private readonly parameters: Parameters) {
    this.topic = this.told();
    for (const [name, alarm] of Object.entries(alarms as Record<string, Alarm>)) this.alarm(name, alarm);
    new cloudwatch.CfnDashboard(stack, 'Dashboard', {
      dashboardName: Fn.sub('claude-code-${AWS::Region}'),
      dashboardBody: Fn.sub(readFileSync(join(process.cwd(), '../dashboard.json.tmpl'), 'utf8'), {
        region: stack.region,
        maxUsdPerDay: parameters.maxUsdPerDay.valueAsString,
      }),
    });
    this.budget();
    this.batches();
  }

  private told(): sns.Topic {
    const topic = new sns.Topic(this.stack, 'Alarms', { topicName: 'claude-code-alarms', enforceSSL: true });
    topic.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'ServicesTell',
      principals: ['cloudwatch', 'budgets'].map((name) => new iam.ServicePrincipal(`${name}.amazonaws.com`)),
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': this.stack.account } },
    }));
    // EventBridge names the rule and not the account.
    topic.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'RulesTell',
      principals: [new iam.ServicePrincipal('events.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { ArnEquals: { 'aws:SourceArn': Fn.sub(`arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:rule/${RULE}`) } },
    }));
    const mail = new sns.CfnSubscription(this.stack, 'AlarmMail', {
      topicArn: topic.topicArn,
      protocol: 'email',
      endpoint: this.parameters.alarmEmail.valueAsString,
    });
    mail.cfnOptions.condition = this.parameters.hasAlarmEmail;
    return topic;
  }

  private alarm(name: string, alarm: Alarm): void {
    const id = name.split('-').map((word) => word[0].toUpperCase() + word.slice(1)).join('');
    const metrics = Object.entries(alarm.metrics);
    // A single metric is watched as it is; several are watched by what they come to.
    const [[, only]] = metrics;
    const watched = metrics.length === 1 ? single(only, alarm.period) : { metrics: several(alarm) };
    new cloudwatch.CfnAlarm(this.stack, `Alarm${id}`, {
      alarmName: `claude-code-${name}`,
      alarmDescription: alarm.description,
      comparisonOperator: 'GreaterThanThreshold',
      evaluationPeriods: alarm.evaluationPeriods,
      threshold: typeof alarm.threshold === 'number' ? alarm.threshold : Token.asNumber(this.parameters.maxUsdPerDay.valueAsNumber),
      treatMissingData: 'notBreaching',
      alarmActions: [this.topic.topicArn],
      okActions: [this.topic.topicArn],
      ...watched,
    });
  }

  private budget(): void {
    const told = (notificationType: string, threshold: number) => ({
      notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold, thresholdType: 'PERCENTAGE' },
      subscribers: [{ subscriptionType: 'SNS', address: this.topic.topicArn }],
    });
    new budgets.CfnBudget(this.stack, 'Budget', {
      budget: {
        budgetName: Fn.sub('claude-code-${AWS::Region}'),
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: this.parameters.monthlyBudgetUsd.valueAsNumber, unit: 'USD' },
      },
      notificationsWithSubscribers: [told('ACTUAL', 80), told('FORECASTED', 100)],
    });
  }

  private batches(): void {
    const rule = new events.Rule(this.stack, 'BatchEnded', {
      ruleName: RULE,
      description: 'A batch inference job ended without all of its answers.',
      eventPattern: {
        source: ['aws.bedrock'],
        detailType: ['Batch Inference Job State Change'],
        detail: { status: ['Failed', 'PartiallyCompleted', 'Expired'] },
      },
    });
    resource(rule).addPropertyOverride('Targets', [{ Id: 'alarms', Arn: this.topic.topicArn }]);
  }
}

function single(metric: Metric, period: number) {
  const percentile = /^p\d/.test(metric.stat);
  return {
    namespace: metric.namespace,
    metricName: metric.name,
    dimensions: dimensions(metric),
    period,
    ...(percentile ? { extendedStatistic: metric.stat } : { statistic: metric.stat }),
  };
}

function several(alarm: Alarm): cloudwatch.CfnAlarm.MetricDataQueryProperty[] {
  const inputs = Object.entries(alarm.metrics).map(([id, metric]) => ({
    id,
    metricStat: {
      metric: { namespace: metric.namespace, metricName: metric.name, dimensions: dimensions(metric) },
      period: alarm.period,
      stat: metric.stat,
    },
    returnData: false,
  }));
  return [...inputs, { id: 'watched', expression: alarm.expression, label: alarm.expression, returnData: true }];
}

function dimensions(metric: Metric) {
  const all = Object.entries(metric.dimensions).map(([name, value]) => ({ name, value }));
  return all.length === 0 ? undefined : all;
}
