import { createVerify, type KeyObject } from 'node:crypto';

/** RFC 3986, as RFC 5849 section 3.6 wants it. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The parameters of an `Authorization: OAuth` header, realm left out; of one named twice, both. */
export const oauthParameters = (header: string): readonly (readonly [string, string])[] =>
  /^OAuth\s/i.test(header)
    ? [...header.matchAll(/([\w.%-]+)="([^"]*)"/g)]
        .map(([, name, value]) => [decodeURIComponent(name!), decodeURIComponent(value!)] as const)
        .filter(([name]) => name !== 'realm')
    : [];

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * What is signed of a request (RFC 5849 section 3.4.1), `url` as the server believes it was asked. Made without
 * the library that signs.
 */
export const signatureBase = (
  method: string,
  url: string,
  parameters: readonly (readonly [string, string])[],
): string => {
  const [address = '', query = ''] = url.split(/\?(.*)/s, 2);
  const { protocol, host } = new URL(address);
  const path = /^[a-z]+:\/\/[^/]*(.*)$/is.exec(address)![1]!;
  // `+` in a query is a space to Java, which reads it as a form.
  const asked = (query === '' ? [] : query.split('&')).map((pair) =>
    pair.split(/=(.*)/s, 2).map((text) => decodeURIComponent(text.replaceAll('+', ' '))),
  );
  const all = [...asked, ...parameters.filter(([name]) => name !== 'oauth_signature')]
    .map(([name = '', value = '']) => [encode(name), encode(value)] as const)
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join('='));
  return [method.toUpperCase(), `${protocol}//${host}${path}`, all.join('&')].map(encode).join('&');
};

/** Whether the holder of the private key signed this text, RSA-SHA1. */
export const isSignedBy = (key: KeyObject, text: string, signature: string): boolean =>
  createVerify('RSA-SHA1').update(text).verify(key, signature, 'base64');
