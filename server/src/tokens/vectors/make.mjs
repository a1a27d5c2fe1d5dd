// Writes vectors.json: tokens that the package jose makes, and tokens that have to be refused.
//
//   npm install --no-save jose@6 && node make.mjs > vectors.json
import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { SignJWT } from "jose";

/** All tokens are looked at this time. */
const NOW = 1_800_000_000;
const SECRET = "a secret of the host application: 0123456789";
const OTHER_SECRET = "a secret of another application: abcdefghij";

/** An Ed25519 key in PKCS #8 is this prefix and 32 bytes (RFC 8410, section 7). */
const PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const edKey = (seed) =>
  createPrivateKey({ key: Buffer.concat([PREFIX, Buffer.alloc(32, seed)]), format: "der", type: "pkcs8" });
const ED = edKey("rollcall ");
const PUBLIC = createPublicKey(ED).export({ format: "pem", type: "spki" });

const bytes = (text) => new TextEncoder().encode(text);
const CLAIMS = { sub: "user-7", exp: NOW + 3600 };
const HS = { alg: "HS256", kid: "hs" };
const EDDSA = { alg: "EdDSA", kid: "ed" };
const made = (claims, header, key) => new SignJWT(claims).setProtectedHeader(header).sign(key);
const hs = (claims, header = HS) => made({ ...CLAIMS, ...claims }, header, bytes(SECRET));
const ed = (claims, header = EDDSA, key = ED) => made({ ...CLAIMS, ...claims }, header, key);

const base64url = (text) => Buffer.from(text).toString("base64url");
/** With a signature over any texts, as jose would refuse to make it. */
const raw = (header, claims, secret = SECRET) => {
  const signed = `${base64url(header)}.${base64url(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
};
const HEADER = JSON.stringify(HS);
const PAYLOAD = JSON.stringify(CLAIMS);
const one = await hs({});
const [header, payload, signature] = one.split(".");
/** The last of the 43 characters of 32 bytes has two bits that count for nothing: another one of the same four. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const sibling = signature.slice(0, -1) + ALPHABET[ALPHABET.indexOf(signature.at(-1)) ^ 1];

const accepted = {
  "HS256 with what is needed": one,
  "EdDSA with what is needed": await ed({}),
  "a type": await hs({}, { ...HS, typ: "JWT" }),
  "every claim": await ed({
    iss: "https://app.example",
    aud: ["https://rollcall.example", "https://other.example"],
    nbf: NOW - 10,
    iat: NOW - 10,
    name: "  Ana   Lima ",
    rooms: ["lobby", "team-*"],
    can: ["watch", "join", "host"],
    info: { team: "Blue", desk: [1, null] },
    newer: true,
  }, { ...EDDSA, kid: "ed-of-app" }),
  "one audience as text": await ed(
    { iss: "https://app.example", aud: "https://rollcall.example" }, { ...EDDSA, kid: "ed-of-app" }),
  "expired within the leeway": await hs({ exp: NOW - 59 }),
  "valid soon, within the leeway": await hs({ nbf: NOW + 60 }),
  "the longest life": await hs({ exp: NOW + 86_400 + 60 }),
  "the longest info": await hs({ info: "x".repeat(510) }),
};

const refused = {
  "alg none without a signature": ["Algorithm", `${base64url('{"alg":"none","kid":"hs"}')}.${payload}.`],
  "alg none with a signature": ["Algorithm", raw('{"alg":"none","kid":"hs"}', PAYLOAD)],
  "HS256 with the public key as its secret":
    ["Algorithm", raw('{"alg":"HS256","kid":"ed"}', PAYLOAD, PUBLIC)],
  "EdDSA with a key of HS256": ["Algorithm", await ed({}, { alg: "EdDSA", kid: "hs" })],
  "HS512": ["Algorithm", await made(CLAIMS, { alg: "HS512", kid: "hs" }, bytes(SECRET + SECRET))],
  "no algorithm": ["Algorithm", raw('{"kid":"hs"}', PAYLOAD)],
  "another secret": ["Signature", raw(HEADER, PAYLOAD, OTHER_SECRET)],
  "another private key": ["Signature", await ed({}, EDDSA, edKey("stranger"))],
  "the kid of another key": ["Signature", await hs({}, { ...HS, kid: "hs-2" })],
  "an unknown kid": ["UnknownKey", await hs({}, { ...HS, kid: "hs-3" })],
  "no kid": ["NoKeyId", await hs({}, { alg: "HS256" })],
  "a kid that is no text": ["NoKeyId", raw('{"alg":"HS256","kid":7}', PAYLOAD)],
  "changed claims": ["Signature", `${header}.${base64url(PAYLOAD.replace("user-7", "user-8"))}.${signature}`],
  "no signature": ["Signature", `${header}.${payload}.`],
  "a signature that is cut": ["Signature", `${header}.${payload}.${signature.slice(0, 40)}`],
  "a signature with other bits that count for nothing": ["Form", `${header}.${payload}.${sibling}`],
  "a signature with padding": ["Form", `${one}=`],
  "trailing bytes after the signature": ["Form", `${one}\n`],
  "a trailing part": ["Form", `${one}.`],
  "an encrypted token's five parts": ["Form", `${one}.e30.e30`],
  "two parts": ["Form", `${header}.${payload}`],
  "base64 of the other alphabet": ["Form", `${header}.${payload}.${signature.replace(/./, "+")}`],
  "trailing bytes after the claims": ["Form", raw(HEADER, `${PAYLOAD} {}`)],
  "a trailing letter after the header": ["Form", raw(`${HEADER}x`, PAYLOAD)],
  "duplicate claims": ["Form", raw(HEADER, `{"sub":"user-7","sub":"user-8","exp":${NOW + 60}}`)],
  "duplicate claims in two spellings": ["Form", raw(HEADER, `{"sub":"user-7","s\\u0075b":"user-8","exp":${NOW + 60}}`)],
  "duplicate claims of another kind": ["Form", raw(HEADER, `{"sub":"user-7","exp":${NOW + 60},"x":1,"x":1}`)],
  "duplicate fields of info": ["Form", raw(HEADER, `{"sub":"user-7","exp":${NOW + 60},"info":{"a":1,"a":2}}`)],
  "duplicate fields of the header": ["Form", raw('{"alg":"HS256","alg":"HS256","kid":"hs"}', PAYLOAD)],
  "claims that are a list": ["Form", raw(HEADER, "[]")],
  "claims that are not UTF-8": ["Form", raw(HEADER, Buffer.from([0x7b, 0xff, 0x7d]))],
  "crit": ["CriticalHeader", raw('{"alg":"HS256","kid":"hs","crit":["exp"],"exp":1}', PAYLOAD)],
  "an empty crit": ["CriticalHeader", raw('{"alg":"HS256","kid":"hs","crit":[]}', PAYLOAD)],
  "another type": ["Type", await hs({}, { ...HS, typ: "at+jwt" })],
  "expired": ["Expired", await hs({ exp: NOW - 60 })],
  "too long a life": ["LongLived", await hs({ exp: NOW + 86_400 + 61 })],
  "not valid yet": ["TooEarly", await hs({ nbf: NOW + 61 })],
  "no exp": ["Claim(Exp)", raw(HEADER, '{"sub":"user-7"}')],
  "an exp that is text": ["Claim(Exp)", raw(HEADER, `{"sub":"user-7","exp":"${NOW + 60}"}`)],
  "a negative exp": ["Claim(Exp)", raw(HEADER, '{"sub":"user-7","exp":-1}')],
  "an exp with a fraction": ["Claim(Exp)", raw(HEADER, `{"sub":"user-7","exp":${NOW + 60}.5}`)],
  "no sub": ["Claim(Sub)", raw(HEADER, `{"exp":${NOW + 60}}`)],
  "an empty sub": ["Claim(Sub)", await hs({ sub: "" })],
  "too long a sub": ["Claim(Sub)", await hs({ sub: "x".repeat(257) })],
  "a sub that is a number": ["Claim(Sub)", raw(HEADER, `{"sub":7,"exp":${NOW + 60}}`)],
  "a name that is empty": ["Claim(Name)", await hs({ name: " " })],
  "a name that reverses text": ["Claim(Name)", await hs({ name: "Ana \u202e" + "b" })],
  "rooms that are none": ["Claim(Rooms)", await hs({ rooms: [] })],
  "a room that can't exist": ["Claim(Rooms)", await hs({ rooms: ["Team 7"] })],
  "rooms that are text": ["Claim(Rooms)", await hs({ rooms: "lobby" })],
  "an unknown capability": ["Claim(Can)", await hs({ can: ["watch", "fly"] })],
  "too long an info": ["Claim(Info)", await hs({ info: "x".repeat(511) })],
  "another issuer": ["Issuer", await ed({ iss: "https://evil.example", aud: "https://rollcall.example" }, { ...EDDSA, kid: "ed-of-app" })],
  "no issuer where one is set": ["Issuer", await ed({ aud: "https://rollcall.example" }, { ...EDDSA, kid: "ed-of-app" })],
  "another audience": ["Audience", await ed({ iss: "https://app.example", aud: "https://other.example" }, { ...EDDSA, kid: "ed-of-app" })],
  "no audience where one is set": ["Audience", await ed({ iss: "https://app.example" }, { ...EDDSA, kid: "ed-of-app" })],
  "an audience where none is set": ["Audience", await hs({ aud: "https://rollcall.example" })],
  "too long a token": ["TooLong", await hs({ newer: "x".repeat(3_000) })],
};

const vectors = {
  now: NOW,
  secret: SECRET,
  other_secret: OTHER_SECRET,
  public_key: PUBLIC,
  accepted,
  refused: Object.fromEntries(Object.entries(refused).map(([name, [error, token]]) => [name, { error, token }])),
};
console.log(JSON.stringify(vectors, null, 1));
