// provenance.mjs: prints how the image was built (SLSA provenance v1, the predicate) from the variables of the workflow.
const env = (name) => process.env[name] ?? 'unknown';
const server = env('GITHUB_SERVER_URL');
const repository = `${server}/${env('GITHUB_REPOSITORY')}`;
const commit = { uri: `git+${repository}@${env('GITHUB_REF')}`, digest: { gitCommit: env('GITHUB_SHA') } };
const predicate = {
  buildDefinition: {
    buildType: `${repository}/blob/${env('GITHUB_SHA')}/.gitea/workflows/release.yml`,
    externalParameters: { ref: env('GITHUB_REF'), repository },
    resolvedDependencies: [commit],
  },
  runDetails: {
    builder: { id: `${repository}/actions` },
    metadata: { invocationId: `${repository}/actions/runs/${env('GITHUB_RUN_ID')}` },
  },
};
console.log(JSON.stringify(predicate, null, 2));
