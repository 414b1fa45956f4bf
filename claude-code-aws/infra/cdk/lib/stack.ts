import { App, CfnElement, CfnOutput, Fn, LegacyStackSynthesizer, Stack } from 'aws-cdk-lib';
import { Access } from './access';
import { explain } from './explained';
import { Gateway } from './gateway';
import { Options } from './options';
import { Parameters } from './parameters';
import { Service, prefixed, resource } from './service';
import { Storage } from './storage';
import { Watching } from './watching';

/** Everything that a deployment creates. Its template needs no bootstrapped account. */
export class ClaudeCodeStack extends Stack {
  constructor(app: App, id: string) {
    super(app, id, {
      description: 'Code generation with Claude: API, storage, queue, alarms.',
      synthesizer: new LegacyStackSynthesizer(),
    });
    const parameters = new Parameters(this);
    const storage = new Storage(this, parameters);
    const access = new Access(this, parameters, storage);
    const service = new Service(this, parameters, storage, access);
    new Gateway(this, parameters, service);
    new Watching(this, parameters);
    const options = new Options(this, parameters);
    // The page on Amplify may call the API like the origins that were given; empty ones are passed over.
    const origins = parameters.allowedOrigins.valueAsString;
    resource(service.function).addPropertyOverride('Environment.Variables', {
      ...service.environment,
      ...prefixed({
        ALLOWED_ORIGINS: Fn.conditionIf(parameters.hasPage.logicalId, Fn.join(',', [origins, options.pageOrigin]), origins),
      }),
    });
    for (const [name, value] of Object.entries({
      FunctionName: service.function.functionName,
      ResultsBucketName: storage.resultsBucket.bucketName,
      BatchRoleArn: access.batchRole.roleArn,
    })) new CfnOutput(this, name, { value });
    if (process.env.UNEXPLAINED !== '1') explain(this);
  }

  /** Names without a hash: nothing here is created twice. */
  protected allocateLogicalId(element: CfnElement): string {
    const path = element.node.path.split('/').slice(1).filter((part) => part !== 'Resource' && part !== 'Default');
    return path.join('').replace(/[^A-Za-z0-9]/g, '');
  }
}
