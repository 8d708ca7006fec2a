import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

const KEY_BITS = 3072;

/** A new RSA private key, as PEM (PKCS#8). */
export function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: KEY_BITS,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

/** What an administrator types into Jira so that this key is known there, field by field. */
export function linkInstructions(baseUrl: string, consumerKey: string, privateKey: KeyObject): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  return `In Jira, an administrator makes an incoming application link, once:

  1. Open ${baseUrl}/plugins/servlet/applinks/listApplicationLinks
     (Administration > Applications > Application links).
  2. Create a link to any address, such as http://tap-jira.invalid . Where Jira asks for
     its kind, choose "Atlassian product" ("External application" is OAuth 2.0).
     "No response was received" is as it should be: Continue.
  3. Link applications:

       Application Name       tap-jira
       Application Type       Generic Application
       Create incoming link   [x]
       everything else        (leave empty)

  4. Link applications, the incoming link:

       Consumer Key           ${consumerKey}
       Consumer Name          tap-jira
       Public Key             the lines below, the first and the last included

${publicKey}`;
}
