import { Stack, Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

const SECURE = 'AwsSolutions::AwsSolutions-';
const OPEN = 'Anybody may fetch the page, its parts, the health check and the description of the API; OPTIONS is asked before a browser says who it is. Everything else is one method, with IAM or API keys.';
const OBJECTS = 'Objects below a prefix of one bucket: their names are not known beforehand.';
const STREAMS = 'Log streams of one group: Lambda and Bedrock name them.';

/** Findings of cdk-nag that stay: where, which, and why. */
const EXPLAINED: Record<string, Record<string, string>> = {
  ResultsBucket: { S1: 'Who read which object is CloudTrail\'s matter (data events); a bucket for server access logs would hold presigned URLs.' },
  ServicesBucket: { S1: 'Who read which object is CloudTrail\'s matter (data events); a bucket for server access logs would hold presigned URLs.' },
  FunctionPolicy: {
    'IAM5[Resource::<ResultsBucket.Arn>/generated-code/*]': OBJECTS,
    'IAM5[Resource::<ResultsBucket.Arn>/cache/*]': OBJECTS,
    'IAM5[Resource::<ServicesBucket.Arn>/*]': OBJECTS,
    'IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/lambda/claude-code:*]': STREAMS,
    'IAM5[Resource::*]': 'X-Ray takes no resource for the three actions that write traces.',
  },
  BatchPolicy: { 'IAM5[Resource::<ResultsBucket.Arn>/batch/*]': OBJECTS },
  BatchSubmitterPolicy: {
    'IAM5[Resource::*]': 'ListModelInvocationJobs takes no resource.',
    'IAM5[Resource::<ResultsBucket.Arn>/batch/*]': OBJECTS,
    'IAM5[Resource::arn:<AWS::Partition>:bedrock:<AWS::Region>:<AWS::AccountId>:model-invocation-job/*]': 'Bedrock chooses the ids of jobs.',
  },
  InvocationLogPolicy: { 'IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/bedrock/claude-code-invocations:*]': STREAMS },
  GatewayLogRole: { 'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]': 'The role that API Gateway asks for, with the policy that AWS keeps for it.' },
  Api: {
    APIG2: 'The function checks every request against its schema and answers problem+json; the gateway\'s own validation would answer in another form.',
    APIG3: 'A web ACL costs more a month than the API: those who need one put it in front of the stage.',
    APIG6: 'Execution logs may hold prompts: access logs, traces and the function\'s own log tell the rest.',
  },
  'Api/Default/GET': { APIG4: OPEN, COG4: OPEN },
  'Api/Default/app.js/GET': { APIG4: OPEN, COG4: OPEN },
  'Api/Default/style.css/GET': { APIG4: OPEN, COG4: OPEN },
  'Api/Default/health/GET': { APIG4: OPEN, COG4: OPEN },
  'Api/Default/openapi.json/GET': { APIG4: OPEN, COG4: OPEN },
  'Api/Default/{proxy+}/OPTIONS': { APIG4: OPEN, COG4: OPEN },
  'Api/Default/{proxy+}/ANY': { COG4: 'Callers sign with IAM, which takes users of identity pools, too, or send an API key.' },
};

/** Tells cdk-nag why its findings stay. */
export function explain(stack: Stack): void {
  for (const [path, findings] of Object.entries(EXPLAINED)) {
    const construct = path.split('/').reduce<IConstruct>((parent, name) => parent.node.findChild(name), stack);
    for (const [rule, reason] of Object.entries(findings)) {
      Validations.of(construct).acknowledge({ id: SECURE + rule, reason });
    }
  }
  Validations.of(stack).acknowledge({
    id: 'CloudFormation-Validate::W2509',
    reason: 'AnthropicSecretArn is the secret\'s address; its value stands nowhere in the template.',
  });
}
