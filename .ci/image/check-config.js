// Checks the configuration of an image, as `buildah inspect` tells it: check-config.js CONNECTOR FILE
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [connector, file] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const metadata = readFileSync(`connectors/${connector}/metadata.yaml`, 'utf8');
const { config } = JSON.parse(readFileSync(file, 'utf8')).OCIv1;

const env = new Map(config.Env.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
assert.equal(env.get('AIRBYTE_ENTRYPOINT'), config.Entrypoint.join(' '));
assert.match(config.Entrypoint[0], /^\//);
assert.equal(config.Cmd, undefined, 'arguments of the base image are left');
assert.equal(config.User, 'airbyte');
assert.equal(config.Labels['io.airbyte.name'], /dockerRepository: (.+)/.exec(metadata)[1]);
assert.equal(config.Labels['io.airbyte.version'], version);
assert.equal(config.Labels['org.opencontainers.image.version'], version);
assert.equal(/dockerImageTag: (.+)/.exec(metadata)[1], version);
