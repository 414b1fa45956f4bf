import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ClaudeCodeStack } from './lib/stack';

// Writes cloudformation/claude-code.json, or the file that CLAUDE_CODE_TEMPLATE names. NAG=1 asks cdk-nag, too.
const app = new App({
  outdir: process.env.CDK_OUTDIR ?? join(process.cwd(), 'build/out'),
  analyticsReporting: false,
  treeMetadata: false,
  context: {
    'aws:cdk:enable-path-metadata': false,
    'aws:cdk:enable-asset-metadata': false,
    '@aws-cdk/aws-iam:minimizePolicies': false,
    '@aws-cdk/aws-lambda:recognizeLayerVersion': true,
  },
});
const stack = new ClaudeCodeStack(app, 'ClaudeCode');
if (process.env.NAG === '1') Validations.of(app).addPlugins(new AwsSolutionsChecks());
const assembly = app.synth();
const target = process.env.CLAUDE_CODE_TEMPLATE ?? join(process.cwd(), '../cloudformation/claude-code.json');
mkdirSync(join(target, '..'), { recursive: true });
const template = JSON.parse(readFileSync(assembly.getStackArtifact(stack.artifactId).templateFullPath, 'utf8'));
writeFileSync(target, `${JSON.stringify(template, null, 1)}\n`);
